"""How does an ESRGAN upscaler file enlarge a picture? Wang et al. 2018, arXiv:1809.00219: residual-in-residual dense blocks.

Also Real-ESRGAN, BSRGAN and the many community files of that network. Widths, depth and factor are read off the tensors.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib_extension.models.ldm_names import Pairs, rename
from lib_extension.models.weights import fill, read_tensors
from lib_extension.spec.errors import BadFile

RESIDUAL = 0.2  # how much of each block's result is added
TILE, MARGIN = 192, 16  # pixels: a tile's side, and what it sees beyond on each side


class Esrgan(nn.Module):
    """RGB in 0..1, (B, 3, H, W) to (B, 3, factor*H, factor*W). With ``unshuffle`` > 1, so many squared pixels are taken as one."""

    def __init__(self, width: int, growth: int, blocks: int, doublings: int, unshuffle: int) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.factor = 2**doublings // unshuffle
        self.conv_first = nn.Conv2d(3 * unshuffle**2, width, 3, padding=1)
        self.body = nn.Sequential(*(_ResidualBlock(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(doublings))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        if self.unshuffle > 1:
            picture = F.pad(picture, (0, -width % self.unshuffle, 0, -height % self.unshuffle), "replicate")
            picture = F.pixel_unshuffle(picture, self.unshuffle)
        first = self.conv_first(picture)
        x = first + self.conv_body(self.body(first))
        for convolution in self.conv_up:
            x = _leaky(convolution(F.interpolate(x, scale_factor=2)))
        x = self.conv_last(_leaky(self.conv_hr(x)))
        return x[..., : height * self.factor, : width * self.factor]


class _ResidualBlock(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_DenseBlock(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it made."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for n in range(1, 6):
            self.add_module(f"conv{n}", nn.Conv2d(width + (n - 1) * growth, growth if n < 5 else width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for n in range(1, 5):
            seen = torch.cat([seen, _leaky(self.get_submodule(f"conv{n}")(seen))], 1)
        return x + RESIDUAL * self.get_submodule("conv5")(seen)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def load_esrgan(path: Path, device: torch.device) -> Esrgan:
    """From a safetensors file in one of the three namings in use. Raises ``BadFile`` for another network's."""
    tensors = read_tensors(path, ("params_ema.", "params.", ""))
    named = rename(tensors, _pairs(tensors))
    try:
        width, colours = named["conv_first.weight"].shape[:2]
        sizes = {
            "width": width,
            "growth": named["body.0.rdb1.conv1.weight"].shape[0],
            "blocks": len({name.split(".")[1] for name in named if name.startswith("body.")}),
            "doublings": len({name.split(".")[1] for name in named if name.startswith("conv_up.")}),
            "unshuffle": {3: 1, 12: 2, 48: 4}[colours],
        }
    except KeyError as e:
        raise BadFile(f'"{path.name}" is no ESRGAN upscaler; only that network\'s files (as .safetensors) can be used.') from e
    return fill(lambda: Esrgan(**sizes), named, torch.float32, f'The upscaler "{path.name}"').to(device)


@torch.no_grad()
def enlarge(network: Esrgan, picture: Tensor) -> Tensor:
    """(3, H, W) in 0..1 to ``factor`` times the size, tile by tile, so that memory does not grow with the picture."""
    _, height, width = picture.shape
    factor = network.factor
    device = network.conv_first.weight.device
    result = torch.empty(3, height * factor, width * factor)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            bottom, right = min(top + TILE, height), min(left + TILE, width)
            above, before = max(0, top - MARGIN), max(0, left - MARGIN)
            seen = picture[:, above : bottom + MARGIN, before : right + MARGIN]
            made = network(seen[None].to(device))[0].clamp(0, 1).cpu()
            y, x = (top - above) * factor, (left - before) * factor
            made = made[:, y : y + (bottom - top) * factor, x : x + (right - left) * factor]
            result[:, top * factor : bottom * factor, left * factor : right * factor] = made
    return result


def _pairs(tensors: dict[str, Tensor]) -> Pairs:
    """(the file's module, ours). The first published naming numbers all modules in a row; the later two name them."""
    modules = {name.rsplit(".", 1)[0] for name in tensors}
    pairs = [("trunk_conv", "conv_body"), ("HRconv", "conv_hr")]
    pairs += [(same, same) for same in ("conv_first", "conv_body", "conv_hr", "conv_last")]
    for module in modules:
        if block := re.fullmatch(r"(?:body|RRDB_trunk|model\.1\.sub)\.(\d+)\.(?:rdb|RDB)(\d)\.conv(\d)(?:\.0)?", module):
            pairs.append((module, f"body.{block[1]}.rdb{block[2]}.conv{block[3]}"))
        elif body := re.fullmatch(r"model\.1\.sub\.\d+", module):
            pairs.append((body[0], "conv_body"))
        elif doubling := re.fullmatch(r"(?:conv_up|upconv)(\d)", module):
            pairs.append((module, f"conv_up.{int(doubling[1]) - 1}"))
    numbers = sorted(int(number[1]) for module in modules if (number := re.fullmatch(r"model\.(\d+)", module)))
    if numbers:
        *doublings, second_last, last = numbers[1:]
        pairs += [("model.0", "conv_first"), (f"model.{second_last}", "conv_hr"), (f"model.{last}", "conv_last")]
        pairs += [(f"model.{number}", f"conv_up.{index}") for index, number in enumerate(doublings)]
    return pairs
