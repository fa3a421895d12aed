"""What stages can a recipe have? One file a type; STAGES lists them."""

from lib_extension.stages.recipe_form import as_written as as_written
from lib_extension.stages.recipe_form import load_recipe as load_recipe
from lib_extension.stages.recipe_form import read_stage as read_stage
from lib_extension.stages.recipe_schema import recipe_schema as recipe_schema
from lib_extension.stages.types import STAGES as STAGES
