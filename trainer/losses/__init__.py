"""What is trained on: one file for each paper, each a few pure functions of tensors."""
