"""The plan: what is one node for several items, what an edit changes, and what cannot be known before a choice."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan import Facts, Plan, Source, make_plan
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound, TooLarge
from tests.plan.recipes import PICTURES, SHA, base, of, plan, recipe, redraw, refuse_disorder

PLACES = ["on a beach", "in a forest", "at night", "in snow"]
INPAINT = {"id": "inpaint", "type": "inpaint", "takes": "vary", "mask": "mask"}


def keys(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in plan.nodes:
        found.setdefault(node.id, []).append(node.key)
    return found


def test_three_products_in_four_places_have_three_base_renders():
    made = plan(
        [base(prompt="a {product}"), redraw("placed", "base", prompt="a {product} {place}")],
        rows=[{"product": name} for name in ("watch", "vase", "shoe")],
        axes={"place": PLACES},
    )
    assert len(made.items) == 12
    assert [node.items for node in of(made, "base")] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)]
    assert len(of(made, "placed")) == 12
    assert [node.taken for node in of(made, "placed")][4] == (Source(of(made, "base")[1].key, 0),)
    assert [(final.stage, final.items) for final in made.finals] == [("placed", (i,)) for i in range(12)]


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (5.0, "5"), (2.5, "2.5"), (True, "true")])
def test_a_prompt_that_is_one_variable_alone_is_a_text_whatever_the_value(value: object, text: str):
    alone = plan([base(prompt="{n}", steps="{steps}", styles=["{n}"])], rows=[{"n": value, "steps": 8}, {"n": text, "steps": 8}])
    (node,) = alone.nodes
    assert (node.items, node.stage.prompt, node.stage.styles, node.stage.steps) == ((0, 1), text, (text,), 8)
    by_path = plan([base()], rows=[{"stages.base.prompt": value}])
    assert by_path.nodes[0].stage.prompt == text


def test_pictures_that_come_in_are_told_apart_by_content_not_by_name():
    stages = [redraw("vary", "drawing")]
    rows = [{"drawing": "watch.png"}, {"drawing": "copy.png"}, {"drawing": "vase.png"}]
    made = make_plan(recipe(stages, rows=rows), {}, {**PICTURES, "copy.png": PICTURES["watch.png"]})
    assert [node.items for node in made.nodes] == [(0, 1), (2,)]
    assert [node.taken[0].blob for node in made.nodes] == [SHA + "1", SHA + "2"]


def test_a_picture_can_be_given_by_file_name_input_name_or_hash():
    one = recipe([redraw("vary", "drawing")])
    ways: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"drawing": "vase.png"}, PICTURES),
        ({}, {"drawing": SHA + "2"}),
        ({"drawing": f"blob:{SHA}2"}, {}),
    ]
    assert len({make_plan(one, values, pictures).nodes[0].key for values, pictures in ways}) == 1
    with pytest.raises(NotFound, match=r'The picture "other.png" of the input "drawing" is not there.'):
        make_plan(one, {"drawing": "other.png"}, PICTURES)


def test_each_picture_of_a_batch_is_taken_by_its_own_node():
    made = plan([base(), redraw("vary", "base", batch_size=2, n_iter=2), redraw("again", "vary")])
    vary = of(made, "vary")[0]
    assert vary.count == 4
    assert [node.taken[0] for node in of(made, "again")] == [Source(vary.key, i) for i in range(4)]
    assert [node.place for node in of(made, "again")] == [f"again/0/{i}" for i in range(4)]
    assert [dict(node.labels[0]) for node in of(made, "again")][3] == {"drawing": "watch.png", "stage": "vary", "index": 3, "item": 0}


def test_unusual_counts_are_followed():
    stages = [base(), redraw("vary", "base", batch_size=4), redraw("again", "vary")]
    vary = of(plan(stages), "vary")[0]
    fewer = plan(stages, Facts(counts={vary.key: 3}))
    assert len(of(fewer, "again")) == 3
    assert len(of(plan(stages, Facts(counts={vary.key: 6})), "again")) == 6
    refuse_disorder(fewer)


class TestLineage:
    mask: ClassVar = {"id": "mask", "type": "mask", "takes": "vary", "mask": {"kind": "alpha", "of": "drawing"}, "when_empty": "skip"}

    def stages(self) -> list[dict[str, Any]]:
        return [base(), redraw("vary", "base", batch_size=3), self.mask, INPAINT]

    def test_a_stage_uses_the_mask_of_its_own_picture(self):
        made = plan(self.stages())
        masks = of(made, "mask")
        assert [node.others for node in of(made, "inpaint")] == [{"mask": Source(mask.key, 0)} for mask in masks]
        refuse_disorder(made)

    def test_where_no_mask_was_found_that_lineage_ends_and_others_go_on(self):
        masks = of(plan(self.stages()), "mask")
        made = plan(self.stages(), Facts(counts={masks[1].key: 0}))
        assert [node.position for node in of(made, "inpaint")] == [0, 2]
        assert [(left.stage, left.reason) for left in made.left_out] == [
            ("mask", "found nothing"),
            ("inpaint", "nothing was found for it earlier"),
        ]
        assert len(made.finals) == 2

    def test_the_only_mask_of_an_item_is_used_for_all_its_pictures(self):
        only = {**self.mask, "takes": "drawing"}
        made = plan([base(), redraw("vary", "base", batch_size=3), only, INPAINT])
        assert {node.others["mask"] for node in of(made, "inpaint")} == {Source(of(made, "mask")[0].key, 0)}

    def test_where_the_only_mask_was_not_found_no_picture_gets_another_ones(self):
        stages = [base(), redraw("vary", "base", batch_size=2), self.mask, INPAINT]
        masks = of(plan(stages), "mask")
        made = plan(stages, Facts(counts={masks[0].key: 0}))
        assert [node.position for node in of(made, "inpaint")] == [1]

    def test_of_a_picture_and_what_was_made_from_it_each_uses_its_own_mask(self):
        stages = [base(), redraw("vary", "base"), {"id": "mask", "type": "mask", "takes": ["base", "vary"], "mask": {"kind": "alpha"}}]
        made = plan([*stages, {**INPAINT, "takes": ["base", "vary"]}])
        masks = {node.taken[0]: node.key for node in of(made, "mask")}
        assert [node.others["mask"].key for node in of(made, "inpaint")] == [masks[node.taken[0]] for node in of(made, "inpaint")]
        assert len(masks) == 2
        of_base = of(made, "mask")[0]
        without = plan([*stages, {**INPAINT, "takes": ["base", "vary"]}], Facts(counts={of_base.key: 0}))
        assert [node.taken for node in of(without, "inpaint")] == [of(without, "mask")[1].taken]

    def test_several_pictures_that_fit_are_refused_with_both_names(self):
        stages = [base(), redraw("vary", "base", batch_size=3), self.mask, {**INPAINT, "takes": "base"}]
        with pytest.raises(BadRequest, match='Stage "inpaint" names "mask", which has 3 pictures for one of "inpaint"'):
            plan(stages)

    def test_an_ancestor_is_found_through_any_number_of_stages(self):
        paste = {"id": "paste", "type": "composite", "takes": "late", "over": "vary"}
        made = plan([base(), redraw("vary", "base", batch_size=3), redraw("between", "vary"), redraw("late", "between"), paste])
        vary = of(made, "vary")[0]
        assert [node.others["vary"] for node in of(made, "paste")] == [Source(vary.key, i) for i in range(3)]

    def test_thousands_of_pictures_of_one_item_find_theirs(self):
        made = plan([base(), redraw("vary", "base", batch_size=8, n_iter=100), self.mask, INPAINT])
        found = {node.taken[0]: node.others["mask"].key for node in of(made, "inpaint")}
        assert found == {node.taken[0]: node.key for node in of(made, "mask")}
        assert len(found) == 800


class TestReview:
    stages: ClassVar = [
        base(batch_size=3),
        {"id": "choose", "type": "review", "takes": "base"},
        redraw("vary", "choose"),
        redraw("late", "vary"),
    ]

    def test_nothing_after_an_undecided_review_is_planned_and_the_plan_says_what_waits(self):
        made = plan(self.stages, rows=[{"n": 1}, {"n": 2}])
        assert [node.id for node in made.nodes] == ["base", "choose"]
        assert [node.id for node in made.pending] == ["choose"]
        assert made.pending[0].items == (0, 1)
        assert [(w.stage, w.items, w.reviews) for w in made.waiting] == [("vary", (0, 1), ("choose",)), ("late", (0, 1), ("choose",))]
        assert made.finals == ()

    def test_the_chosen_go_on_as_themselves_in_the_order_of_the_choice(self):
        review = plan(self.stages).pending[0]
        made = plan(self.stages, Facts(choices={review.key: (2, 0)}))
        drawn = of(made, "base")[0]
        assert [node.taken for node in of(made, "vary")] == [(Source(drawn.key, 2),), (Source(drawn.key, 0),)]
        assert (made.pending, made.waiting) == ((), ())
        other = plan(self.stages, Facts(choices={review.key: (2,)}))
        assert [node.key for node in of(other, "vary")] == [of(made, "vary")[0].key]

    def test_items_that_are_decided_go_on_while_others_wait(self):
        stages = [base(batch_size=2, prompt="{place}"), *self.stages[1:]]
        first, second = plan(stages, axes={"place": PLACES[:2]}).pending
        made = plan(stages, Facts(choices={first.key: (0,)}), axes={"place": PLACES[:2]})
        assert [node.items for node in of(made, "late")] == [(0,)]
        assert [node.key for node in made.pending] == [second.key]
        assert [(w.stage, w.items) for w in made.waiting] == [("vary", (1,)), ("late", (1,))]

    def test_a_stage_of_the_whole_run_waits_for_every_item(self):
        stages = [*self.stages[:2], {"id": "sheet", "type": "sheet", "takes": "choose"}]
        assert [(w.stage, w.items, w.reviews) for w in plan(stages, axes={"place": PLACES}).waiting] == [
            ("sheet", (0, 1, 2, 3), ("choose",))
        ]

    def test_a_review_of_the_run_shows_a_shared_picture_once_and_gives_it_back_to_all_its_items(self):
        stages = [base(prompt="a {product}"), {**self.stages[1], "scope": "run"}, redraw("placed", "choose", prompt="{place}")]
        rows = [{"product": product, "place": place} for product in ("watch", "vase") for place in PLACES[:2]]
        review = plan(stages, rows=rows).pending[0]
        assert len(review.taken) == 2
        made = plan(stages, Facts(choices={review.key: (1,)}), rows=rows)
        assert [node.items for node in of(made, "placed")] == [(2,), (3,)]

    def test_a_choice_of_a_picture_that_is_not_there_is_refused(self):
        review = plan(self.stages).pending[0]
        with pytest.raises(BadRequest, match=r'The choice of "choose" names picture 3; it has 3, counted from 0.'):
            plan(self.stages, Facts(choices={review.key: (3,)}))


class TestLeftOut:
    inputs: ClassVar = {
        "drawing": {"type": "image", "default": "watch.png"},
        "depth": {"type": "image", "optional": True},
        "brand": {"type": "lora", "optional": True},
        "model": {"type": "checkpoint", "optional": True},
    }
    controls: ClassVar = [{"image": "drawing", "module": "canny", "model": "demo"}, {"image": "depth", "module": "none", "model": "depth"}]

    def test_a_stage_switched_off_passes_on_what_it_takes(self):
        stages = [base(), redraw("vary", "base", enabled=False), redraw("late", "vary")]
        made = plan(stages)
        assert of(made, "late")[0].taken == (Source(of(made, "base")[0].key, 0),)
        assert [(left.stage, left.reason) for left in made.left_out] == [("vary", "it is switched off")]
        assert of(made, "late")[0].key == of(plan([base(), redraw("late", "base")]), "late")[0].key

    def test_an_axis_can_switch_a_stage_on_and_off(self):
        stages = [base(), redraw("vary", "base", denoising_strength=0.2), redraw("late", "vary")]
        made = plan(stages, axes={"stages.vary.enabled": [True, False]})
        assert [node.items for node in of(made, "vary")] == [(0,)]
        assert len(of(made, "late")) == 2

    def test_units_and_loras_without_a_value_are_left_out_of_the_stage(self):
        stages = [base(controlnet=self.controls, loras=[{"name": "{brand}", "weight": 0.8}], checkpoint="{model}")]
        without = plan(stages, inputs=self.inputs).nodes[0]
        assert [control.image for control in without.stage.controlnet] == ["drawing"]
        assert (without.stage.loras, without.stage.checkpoint, without.checkpoint) == ((), "", None)
        assert list(without.others) == ["drawing"]
        full = plan(stages, values={"depth": "vase.png", "brand": "acme", "model": "demo"}, inputs=self.inputs).nodes[0]
        assert list(full.others) == ["drawing", "depth"]
        assert (full.stage.loras[0].name, full.checkpoint) == ("acme", "demo")
        plainly = plan([base(controlnet=self.controls[:1])], inputs=self.inputs).nodes[0]
        assert without.key == plainly.key

    def test_a_row_can_lack_what_another_has(self):
        stages = [base(controlnet=self.controls)]
        made = plan(stages, inputs=self.inputs, rows=[{"depth": "vase.png"}, {"depth": ""}, {"depth": "shoe.png"}])
        assert [list(node.others) for node in made.nodes] == [["drawing", "depth"], ["drawing"], ["drawing", "depth"]]

    def test_stages_that_take_an_input_without_a_value_are_left_out_with_their_dependants(self):
        stages = [
            {"id": "map", "type": "control", "takes": "depth", "module": "canny"},
            base(controlnet=[{**self.controls[1], "image": "map"}]),
        ]
        made = plan(stages, inputs=self.inputs)
        assert [node.id for node in made.nodes] == ["base"]
        assert made.nodes[0].stage.controlnet == ()
        assert [(left.stage, left.reason) for left in made.left_out] == [("map", '"depth" gives nothing: the input "depth" has no value')]

    def test_a_mask_that_is_not_there_never_becomes_a_redraw_of_everything(self):
        inputs = {**self.inputs, "mask": {"type": "mask", "optional": True}}
        made = plan([base(), {**INPAINT, "takes": "base"}, redraw("late", "inpaint")], inputs=inputs)
        assert [node.id for node in made.nodes] == ["base", "late"]
        assert [(left.stage, left.reason) for left in made.left_out] == [("inpaint", 'it needs "mask", which is not there')]


class TestWholeRun:
    sheet: ClassVar = {"id": "sheet", "type": "sheet", "takes": ["base", "vary"], "labels": "{place}"}

    def test_a_sheet_takes_every_picture_of_the_run_once(self):
        made = plan([base(), redraw("vary", "base", prompt="{place}"), self.sheet], axes={"place": PLACES})
        (sheet,) = of(made, "sheet")
        assert sheet.items == (0, 1, 2, 3)
        assert len(sheet.taken) == 5
        assert [label["place"] for label in sheet.labels] == ["on a beach", "on a beach", "in a forest", "at night", "in snow"]
        assert [(final.stage, final.items) for final in made.finals] == [("sheet", (0, 1, 2, 3))]

    def test_labels_are_in_its_key(self):
        stages = [base(), redraw("vary", "base"), self.sheet]
        german = keys(plan(stages, axes={"place": ["Strand"]}))
        english = keys(plan(stages, axes={"place": ["beach"]}))
        assert german["vary"] == english["vary"]
        assert german["sheet"] != english["sheet"]

    def test_one_for_each_item(self):
        made = plan([base(), redraw("vary", "base", prompt="{place}"), {**self.sheet, "scope": "item"}], axes={"place": PLACES})
        assert [[label["place"] for label in node.labels] for node in of(made, "sheet")] == [[place] * 2 for place in PLACES]
        assert [len(node.taken) for node in of(made, "sheet")] == [2, 2, 2, 2]

    def test_what_differs_between_items_cannot_be_set_for_all_at_once(self):
        with pytest.raises(BadRequest, match=r'one for the whole run, so that rows and axes cannot set "stages.sheet.columns" differently'):
            plan([base(), redraw("vary", "base"), self.sheet], axes={"stages.sheet.columns": [2, 3], "place": PLACES[:1]})
        made = plan([base(), redraw("vary", "base"), self.sheet], axes={"stages.sheet.columns": [2], "place": PLACES[:1]})
        assert of(made, "sheet")[0].stage.columns == 2

    def test_what_is_one_for_all_items_can_only_tell_of_what_they_share(self):
        stages = [base(), redraw("vary", "base", prompt="{place}"), {**self.sheet, "heading": "{title}, {place}"}]
        with pytest.raises(BadRequest, match=r'where \{place\} differs. Use it with scope "item", or in labels'):
            plan(stages, rows=[{"place": place, "title": "T"} for place in PLACES])
        assert of(plan(stages, rows=[{"place": "x", "title": "T"}]), "sheet")[0].stage.heading == "T, x"
        stages[2] |= {"scope": "item"}
        made = plan(stages, rows=[{"place": place, "title": "T"} for place in PLACES])
        assert [node.stage.heading for node in of(made, "sheet")] == [f"T, {place}" for place in PLACES]

    def test_what_is_set_by_a_path_is_told_like_a_variable(self):
        path = "stages.vary.denoising_strength"
        stages = [base(), redraw("vary", "base"), {**self.sheet, "takes": ["vary"], "labels": f"{{{path}}}"}]
        (sheet,) = of(plan(stages, axes={path: [0.3, 0.5]}), "sheet")
        assert [label[path] for label in sheet.labels] == [0.3, 0.5]
        with pytest.raises(BadRequest, match=r"uses \{stages.vary.denoising_strenght\}.* Did you mean"):
            plan([*stages[:2], {**stages[2], "labels": "{stages.vary.denoising_strenght}"}], axes={path: [0.3, 0.5]})

    def test_a_label_that_nothing_has_is_refused_before_anything_runs(self):
        with pytest.raises(BadRequest, match=r'Stage "sheet" uses \{plcae\}.* Did you mean "place"'):
            plan([base(), redraw("vary", "base"), {**self.sheet, "labels": "{plcae} {index} {variables}"}], axes={"place": PLACES})

    def test_a_sheet_of_nothing_is_left_out(self):
        stages = [base(), {**TestLineage.mask, "takes": "base"}, {**self.sheet, "takes": "mask", "labels": ""}]
        empty = of(plan(stages), "mask")[0]
        made = plan(stages, Facts(counts={empty.key: 0}))
        assert [node.id for node in made.nodes] == ["base", "mask"]
        assert made.left_out[-1].stage == "sheet"


class TestLimits:
    def test_pictures_that_multiply_need_a_confirmation_before_they_are_planned(self):
        stages = [base(batch_size=8, n_iter=100), redraw("vary", "base", batch_size=8, n_iter=100)]
        with pytest.raises(TooLarge, match=r'With "vary" the recipe comes to 801 stage instances and 640,800 pictures or more. .* confirm'):
            plan(stages)

    def test_more_than_can_be_held_is_refused_even_then(self):
        stages = [base(batch_size=8, n_iter=100), redraw("vary", "base", batch_size=64, n_iter=100)]
        with pytest.raises(TooLarge, match="5,120,800 pictures or more; 5,000,000 pictures are the most in one run"):
            make_plan(recipe(stages), {}, PICTURES, confirm=True)


FIELDS = {"prompt": "another", "steps": 7, "cfg_scale": 3.5, "denoising_strength": 0.15, "seed": 99, "vae": "other", "tiling": True}


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Stages that each take from one or two before them."""
    stages: list[dict[str, Any]] = [base(batch_size=draw(st.integers(1, 2)), prompt=draw(st.sampled_from(["{place}", "x"])))]
    for number in range(draw(st.integers(1, 5))):
        before = [stage["id"] for stage in stages]
        takes = draw(st.lists(st.sampled_from([*before, "drawing"]), min_size=1, max_size=2, unique=True))
        prompt = draw(st.sampled_from(["{place}", "y"]))
        policy = draw(st.sampled_from(["fixed", "per item", "per candidate"]))
        # Two stages that are alike would be one.
        stages.append(redraw(f"s{number}", takes, prompt=prompt, seed_policy=policy, clip_skip=1 + number))
    return stages


@settings(max_examples=25)
@given(graphs(), st.data())
def test_an_edit_of_a_stage_changes_it_and_its_dependants_and_nothing_else(stages: list[dict[str, Any]], data: st.DataObject):
    rows = [{"place": place} for place in PLACES[:2]]
    number = data.draw(st.integers(0, len(stages) - 1))
    fields = {name: value for name, value in FIELDS.items() if number or name != "denoising_strength"}
    field = data.draw(st.sampled_from(sorted(fields)))
    edited = [{**stage, field: fields[field]} if i == number else stage for i, stage in enumerate(stages)]
    before, after = plan(stages, rows=rows), plan(edited, rows=rows)
    refuse_disorder(before)
    must_run: set[str] = set()
    for node in after.nodes:
        if node.id == stages[number]["id"] or must_run.intersection(node.needs):
            must_run.add(node.key)
    assert {node.key for node in after.nodes if node.key not in before.by_key} == must_run
    assert [node.place for node in after.nodes] == [node.place for node in before.nodes]


@settings(max_examples=25)
@given(graphs())
def test_the_names_and_titles_of_stages_do_not_matter(stages: list[dict[str, Any]]):
    def renamed(name: str) -> str:
        return name if name == "drawing" else f"{name}-renamed"

    others = [{**s, "id": renamed(s["id"]), "title": "T", "takes": [renamed(t) for t in s.get("takes", ())]} for s in stages]
    rows = [{"place": place} for place in PLACES[:2]]
    assert [node.key for node in plan(stages, rows=rows).nodes] == [node.key for node in plan(others, rows=rows).nodes]


@settings(max_examples=25)
@given(graphs(), st.permutations(PLACES))
def test_the_order_of_rows_does_not_matter_where_no_seed_depends_on_it(stages: list[dict[str, Any]], places: list[str]):
    stages = [{**stage, "seed_policy": "fixed"} for stage in stages]
    one, other = (plan(stages, rows=[{"place": place} for place in order]) for order in (PLACES, places))
    assert {node.key for node in one.nodes} == {node.key for node in other.nodes}


@settings(max_examples=25)
@given(graphs())
def test_a_variable_and_its_value_written_out_have_the_same_key(stages: list[dict[str, Any]]):
    written = [{**stage, "prompt": stage["prompt"].replace("{place}", "here")} for stage in stages]
    paths = {f"stages.{stage['id']}.steps": [20] for stage in stages}
    by_variable = plan(stages, rows=[{"place": "here"}])
    assert [node.key for node in by_variable.nodes] == [node.key for node in plan(written).nodes]
    assert [node.key for node in by_variable.nodes] == [node.key for node in plan(written, axes=paths).nodes]


@settings(max_examples=25)
@given(st.lists(st.sampled_from([*PLACES, "", 20, 0.5, None]), min_size=1, max_size=6))
def test_items_planned_together_are_planned_as_alone(values: list[Any]):
    """Guards what is read only once for all items."""
    inputs = {**TestLeftOut.inputs, "what": {"type": "text", "optional": True, "default": None}}
    stages = [
        base(prompt="a {what}", loras=[{"name": "{what}"}], controlnet=TestLeftOut.controls),
        redraw("vary", "base", negative_prompt="{what}"),
    ]
    rows = [{"what": value, "depth": "vase.png" if value == 20 else ""} for value in values]
    together = plan(stages, inputs=inputs, rows=rows)
    for index, row in enumerate(rows):
        alone = plan(stages, inputs=inputs, rows=[row])
        assert [node.key for node in together.nodes if index in node.items] == [node.key for node in alone.nodes]


@pytest.mark.parametrize(
    ("stages", "more", "message"),
    [
        (
            [base(prompt="{plcae}")],
            {"rows": [{"place": "x"}]},
            'Stage "base" uses {plcae}, which is no input, row or axis. Did you mean "place"?',
        ),
        ([base(steps="{n}")], {"rows": [{"n": "many"}]}, "stages.base.steps is 'many'; it must be a whole number."),
        ([base()], {"axes": {"stages.base.stepz": [1]}}, 'stages.base.stepz is not known. Did you mean "steps"?'),
        ([base()], {"axes": {"stages.base.id": ["x"]}}, '"stages.base.id" cannot be varied'),
        ([base()], {"axes": {"stages.base.loras.0.weight": [1]}}, "stages.base.loras is {'0': {'weight': 1}}; it must be a list."),
        ([base(loras=[{"name": "a"}])], {"axes": {"stages.base.loras.1.weight": [1]}}, '"1" is no element of a list of 1; count from 0.'),
        (
            [base(), redraw("vary", "base")],
            {"axes": {"stages.vary.takes": ["bse"]}},
            '"bse", which is no earlier stage and no picture. Did you mean "base"',
        ),
        ([base(prompt="in {place}")], {"rows": [{"place": ["a"]}]}, "it is a list or an object, which can only stand alone"),
    ],
)
def test_what_cannot_be_planned_is_told_with_its_name(stages: list[dict[str, Any]], more: dict[str, Any], message: str):
    with pytest.raises(BadRequest) as raised:
        plan(stages, **more)
    assert message in str(raised.value)


def test_a_recipe_whose_rows_were_not_read_is_refused():
    unread = dataclasses.replace(recipe([base()]), rows_file="rows.csv")
    with pytest.raises(AtelierError, match=r'The rows in "rows.csv" have not been read'):
        make_plan(unread, {}, {})
