"""How good is a picture? One file a kind of score; SCORES lists them."""
