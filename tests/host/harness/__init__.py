"""A page as a WebUI's, of real gradio at a host's own version, that loads the extension as a WebUI does; it draws noise.

Real: gradio, FastAPI, pydantic, Pillow; the extension's script, tab, settings, routes, JavaScript and style, loaded in the WebUI's
order. Stood in for: `modules.*`, as far as the extension uses it (callbacks, options, the wiring of "send to" buttons, saving), and
txt2img, img2img and extras, of which there are only the parts that pictures and prompts go through. Its Api draws noise.
"""
