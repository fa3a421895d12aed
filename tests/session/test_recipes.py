from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.plan import load_recipe_file
from lib_extension.plan.recipe_files import picture_names
from lib_extension.runs.blobs import Blobs
from lib_extension.session.asked import Asked
from lib_extension.session.recipe_text import as_recipe, save_recipe
from lib_extension.session.recipes import BUILT_IN, Recipes
from lib_extension.spec.errors import BadRequest, NotFound
from tests.session.rooms import DRAWING, places


@pytest.fixture
def recipes(tmp_path: Path) -> Recipes:
    (tmp_path / "built-in").mkdir()
    (tmp_path / "built-in/shots.yaml").write_text("name: shots\nstages: [{id: a, type: txt2img}]\n")
    return Recipes(tmp_path / "own", tmp_path / "built-in")


def test_own_recipes_are_kept_with_their_pictures(recipes: Recipes):
    asked = Asked(recipe=places(), values={"thing": "ring"}, pictures={"drawing": DRAWING})
    recipes.save("mine", as_recipe(asked), {"drawing": DRAWING}.__getitem__)
    file = recipes.get("mine")
    assert [(one.name, one.built_in) for one in recipes.all()] == [("shots", True), ("mine", False)]
    assert file.recipe.name == "mine"
    assert file.recipe.inputs["thing"].default == "ring"
    assert [file.read_picture(name) for name in picture_names(file.recipe)] == [DRAWING]
    recipes.remove("mine")
    assert [one.name for one in recipes.all()] == ["shots"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.b", "-a", "x" * 65, "Ä", "con\0"])
def test_names_that_are_no_plain_words_are_refused(recipes: Recipes, name: str):
    with pytest.raises(BadRequest, match="cannot be named"):
        recipes.save(name, places(), lambda name: b"")


def test_built_in_recipes_stay_and_keep_their_names(recipes: Recipes):
    with pytest.raises(BadRequest, match="built-in"):
        recipes.save("Shots", places(), lambda name: b"")
    with pytest.raises(BadRequest, match="stays"):
        recipes.remove("shots")


def test_an_unknown_name_gets_the_nearest(recipes: Recipes):
    with pytest.raises(NotFound, match='Did you mean "shots"'):
        recipes.get("shot")
    with pytest.raises(NotFound, match="no recipe"):
        recipes.get("../built-in/shots")


@pytest.mark.parametrize("suffix", ["yaml", "json", "zip"])
def test_a_saved_recipe_asks_for_the_same(tmp_path: Path, suffix: str):
    asked = Asked(recipe=places(), values={"thing": "ring"}, rows=({"place": "elsewhere"},))
    save_recipe(tmp_path / f"mine.{suffix}", asked, Blobs(tmp_path / "blobs"))
    recipe = load_recipe_file(tmp_path / f"mine.{suffix}").recipe
    assert recipe == as_recipe(asked)
    assert (recipe.inputs["thing"].default, recipe.rows) == ("ring", ({"place": "elsewhere"},))


def test_pictures_need_a_zip_and_a_recipe_a_name_of_its_kind(tmp_path: Path):
    asked = Asked(recipe=places(), pictures={"drawing": DRAWING})
    with pytest.raises(BadRequest, match=r"only a \.zip"):
        save_recipe(tmp_path / "mine.yaml", asked, Blobs(tmp_path / "blobs"))
    with pytest.raises(BadRequest, match="must end with"):
        save_recipe(tmp_path / "mine.txt", asked, Blobs(tmp_path / "blobs"))


def test_every_recipe_that_comes_along_can_be_read():
    for one in Recipes(Path("nowhere")).all():
        assert load_recipe_file(BUILT_IN / one.file.name).recipe.name == one.name
