"""What does the WebUI load? It imports and registers, nothing else."""

from modules import scripts

from lib_extension.ui import accordion, receipt, registration


class AtelierPanel(scripts.Script):
    """Signs pictures that runs ask for, and hands finished ones of txt2img and img2img to a recipe where that is switched on."""

    def title(self):
        return "Atelier"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return accordion.draw(is_img2img)

    def process(self, p, signature="", *_):
        receipt.sign(p, signature)

    def postprocess_batch(self, p, signature="", *_, **__):
        receipt.note_halt(p, signature)

    def postprocess(self, p, processed, signature="", is_on=False, recipe="", *_):
        receipt.note_halt(processed, signature)
        accordion.hand_over(processed, signature, is_on, recipe)


registration.register()
