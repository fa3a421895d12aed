"""Which ControlNet preprocessors are one and the same under two names, and which make a map? Hosts list them under different names."""

from __future__ import annotations

from collections.abc import Iterable

# The name of sd-webui-controlnet first, then its label and what Forge and reForge call it.
SAME = (
    ("none", "None"),
    ("depth", "depth_midas"),
    ("hed", "softedge_hed"),
    ("hed_safe", "softedge_hedsafe"),
    ("pidinet", "softedge_pidinet"),
    ("pidinet_safe", "softedge_pidisafe"),
    ("pidinet_scribble", "scribble_pidinet"),
    ("pidinet_sketch", "t2ia_sketch_pidi"),
    ("color", "t2ia_color_grid"),
    ("clip_vision", "t2ia_style_clipvision"),
    ("lineart", "lineart_realistic"),
    ("lineart_standard", "lineart_standard (from white bg & black line)"),
    ("invert", "invert (from white bg & black line)"),
    ("normal_bae", "normalbae"),
    ("normal_map", "normal_midas", "normalmap_midas"),
    ("inpaint", "inpaint_global_harmonious"),
    ("segmentation", "seg_ufade20k"),
    ("oneformer_ade20k", "seg_ofade20k"),
    ("oneformer_coco", "seg_ofcoco"),
    ("anime_face_segment", "seg_anime_face"),
    ("densepose", "densepose (pruple bg & purple torso)"),
    ("densepose_parula", "densepose_parula (black bg & blue torso)"),
    ("instant_id_face_embedding", "InsightFace (InstantID)"),
    ("ip-adapter_clip_sd15", "CLIP-ViT-H (IPAdapter)"),
    ("ip-adapter_clip_sdxl", "CLIP-ViT-bigG (IPAdapter)"),
    ("ip-adapter_face_id", "InsightFace+CLIP-H (IPAdapter)"),
    ("revision_clipvision", "CLIP-G (Revision)"),
    ("revision_ignore_prompt", "CLIP-G (Revision ignore prompt)"),
)

# What these make of a picture is no picture, so no map comes back. Compared in lower case, by how names begin.
_WITHOUT_MAP = ("ip-adapter", "clip", "t2ia_style_clip", "revision", "insightface", "instant_id_face_embedding", "facexlib")


def gives_map(name: str) -> bool:
    """Whether the preprocessor makes a picture that is sent back."""
    return not name.lower().startswith(_WITHOUT_MAP)


def listed_module(name: str, listed: Iterable[str]) -> str | None:
    """The spelling of `name` among those that a host lists, or None where it lacks the preprocessor."""
    by_lower_case = {each.lower(): each for each in listed}
    others = next((group for group in SAME if name.lower() in (each.lower() for each in group)), ())
    return next((by_lower_case[each.lower()] for each in (name, *others) if each.lower() in by_lower_case), None)
