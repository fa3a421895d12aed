"""What is wrong before anything runs, in plain words: `check` over a plan; RULES lists what it looks for."""

from lib_extension.preflight.check import check
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import PictureFacts, picture_facts
from lib_extension.preflight.model_files import ModelFiles
from lib_extension.preflight.rules import RULES

__all__ = ["RULES", "Finding", "ModelFiles", "PictureFacts", "check", "picture_facts"]
