"""Writes a CLIPSeg of random weights in the form of the published ones, small enough to be made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPSegProcessor, CLIPTokenizer
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

TOKENIZER = Path(__file__).parents[3] / "lib_extension" / "models" / "demo" / "tokenizer"
SIDE = 64  # px that it looks at
BOTH: dict[str, Any] = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


def write_clipseg(folder: Path) -> Path:
    """The same one each time."""
    torch.manual_seed(0)
    config = CLIPSegConfig(
        vision_config={**BOTH, "num_hidden_layers": 3, "image_size": 32, "patch_size": 16},
        text_config={**BOTH, "num_hidden_layers": 2},
        projection_dim=16,
        extract_layers=[0, 1],
        reduce_dim=8,
        conditional_layer=0,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    pictures = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    CLIPSegProcessor(pictures, CLIPTokenizer.from_pretrained(TOKENIZER)).save_pretrained(folder)
    return folder


def told_by_clipseg(folder: Path, text: str, picture: Image.Image) -> NDArray[np.float32]:
    """How sure it is of each pixel that it looks at, by its library's own way: (SIDE, SIDE), 0 to 1."""
    inputs = CLIPSegProcessor.from_pretrained(folder)(text=[text], images=[picture], return_tensors="pt")
    with torch.no_grad():
        logits = CLIPSegForImageSegmentation.from_pretrained(folder).eval()(**inputs).logits
    return torch.sigmoid(logits).reshape(SIDE, SIDE).numpy()
