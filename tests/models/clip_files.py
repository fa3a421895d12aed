"""Writes a CLIP of random weights in the form of the published ones, small enough to be made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SIDE = 32  # px that it looks at
WIDTH = 12  # of its embeddings
BOTH: dict[str, Any] = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": 2}


def write_clip(folder: Path, seed: int = 0) -> Path:
    """Both halves, as most downloads have them; the same one for the same seed."""
    torch.manual_seed(seed)
    config = CLIPConfig(vision_config={**BOTH, "image_size": SIDE, "patch_size": 16}, text_config=BOTH, projection_dim=WIDTH)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def told_by_clip(folder: Path, picture: Image.Image) -> NDArray[np.float32]:
    """The picture's embedding of length 1, by the whole model."""
    inputs = CLIPImageProcessorPil.from_pretrained(folder)(images=[picture], return_tensors="pt")
    with torch.no_grad():
        model: Any = CLIPModel.from_pretrained(folder).eval()
        states = model.vision_model(pixel_values=inputs["pixel_values"]).pooler_output
        vector = model.visual_projection(states)[0].numpy()
    return vector / np.linalg.norm(vector)
