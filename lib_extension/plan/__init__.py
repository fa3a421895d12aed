"""Recipe and rows in, every stage of every item out, each with its key: known before anything runs."""

from lib_extension.plan.explain import Explained, explain
from lib_extension.plan.graph import Facts, Final, Item, LeftOut, Node, Plan, Source, Waiting
from lib_extension.plan.make import make_plan
from lib_extension.plan.recipe_files import RecipeFile, load_recipe_file
from lib_extension.plan.seeds import freeze, freeze_values

__all__ = [
    "Explained",
    "Facts",
    "Final",
    "Item",
    "LeftOut",
    "Node",
    "Plan",
    "RecipeFile",
    "Source",
    "Waiting",
    "explain",
    "freeze",
    "freeze_values",
    "load_recipe_file",
    "make_plan",
]
