"""The tab inside a WebUI: the only place with gradio."""
