"""A server of the /sdapi subset of the WebUI, over diffusers models."""
