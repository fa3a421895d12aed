"""How good did a LoRA become, which of its saves is best, and what should be done otherwise?"""
