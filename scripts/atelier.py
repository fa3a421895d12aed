"""What does the WebUI load? It imports and registers, nothing else."""

from modules import scripts

from lib_extension.ui import accordion, registration


class AtelierPanel(scripts.Script):
    """Signs pictures that runs ask for, and hands finished ones of txt2img and img2img to a recipe where that is switched on."""

    def title(self):
        return "Atelier"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return accordion.draw(is_img2img)

    def process(self, p, receipt="", *_):
        accordion.sign(p, receipt)

    def postprocess(self, p, processed, receipt="", is_on=False, recipe="", *_):
        accordion.hand_over(processed, receipt, is_on, recipe)


registration.register()
