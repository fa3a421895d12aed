"""LoRAs and checkpoints become others, at the disk's speed and in little memory. Needs torch and nothing else, of any version since 2.1."""
