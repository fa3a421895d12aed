"""The engine's routes, one file for each group that clients know: /sdapi, /internal, /controlnet and our own."""
