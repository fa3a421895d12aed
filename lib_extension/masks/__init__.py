"""Where is a stage to draw? One file a kind of mask; MASKS lists them."""
