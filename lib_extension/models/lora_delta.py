"""By how much does a LoRA file change a module's weight, whatever method it was made with? Torch only, also of the WebUI's own age.

Methods: LoRA (Hu et al. 2021, arXiv:2106.09685) on matrices and convolutions (LoCon), also with a core in Tucker form; LoHa (Hyeon-Woo
et al. 2021, arXiv:2108.06098) and LoKr (Yeh et al. 2023, arXiv:2309.14859), plain and in Tucker form; full differences; and on top of any
of them DoRA (Liu et al. 2024, arXiv:2402.09353). Parts are called as `formats.lora_keys` calls them; all sums are in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

METHODS = ("lora", "dora", "hada", "lokr", "diff")  # of `ParsedLora.method`: those whose change is known here

Parts = Mapping[str, Tensor]


def delta(parts: Parts, base: Tensor, scale: float | None = None) -> Tensor:
    """The change of a weight at strength 1, float32 of `base`'s shape: (out, in), or (out, in, h, w) of a convolution.

    `base` is the weight itself; only its shape counts unless `needs_base(parts)`. `scale`: where the file's metadata says it, instead of
    alpha / rank. Raises KeyError for a part that is missing and RuntimeError for parts that do not fit each other or the weight.
    """
    change = _scaled(parts, scale).reshape(base.shape)
    return _decomposed(parts, change, base.detach().float()) if needs_base(parts) else change


def bias_delta(parts: Parts) -> Tensor | None:
    """The change of a module's bias at strength 1, which only full differences have."""
    return parts["diff_b"].float() if "diff_b" in parts else None


def needs_base(parts: Mapping[str, object]) -> bool:
    """Whether the change depends on the weight that it is added to (DoRA): then order counts, and strengths do not add up."""
    return "dora_scale" in parts or "dora_magnitude" in parts


def fits(shapes: Mapping[str, Sequence[int]], weight: Sequence[int]) -> bool:
    """Whether parts of these shapes make the change of a weight of the shape `weight`; nothing is computed."""
    parts = {part: torch.empty(tuple(shape), device="meta") for part, shape in shapes.items() if part != "alpha"}
    try:
        made = _scaled(parts, 1.0)
        if made.shape[0] != weight[0] or made.numel() != torch.Size(weight).numel():
            return False
        if needs_base(parts):
            delta(parts, torch.empty(tuple(weight), device="meta"), 1.0)
    except (KeyError, IndexError, RuntimeError):
        return False
    return True


def file_scale(parts: Parts) -> float:
    """alpha / rank, or 1. What has no rank, a full difference or a LoKr of two whole factors, is not scaled, whatever its alpha says."""
    name = next((name for name in _RANKED if name in parts), None)
    return parts["alpha"].float().item() / parts[name].shape[0] if name and "alpha" in parts else 1.0


_RANKED = ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b")  # the parts whose first size is the rank; the first that is there counts


def _scaled(parts: Parts, scale: float | None) -> Tensor:
    """alpha / rank times the change; (out, in), (out, in*h*w) or (out, in, h, w)."""
    made = _made({part: tensor.float() for part, tensor in parts.items()})
    return made * (file_scale(parts) if scale is None else scale)


def _made(parts: Parts) -> Tensor:
    """The unscaled change."""
    if "diff" in parts:
        return parts["diff"]
    if "down" in parts:
        return _lora(parts)
    return _hada(parts, 1) * _hada(parts, 2) if "hada_w1_a" in parts else _lokr(parts)


def _lora(parts: Parts) -> Tensor:
    up, down = parts["up"].flatten(1), parts["down"]  # (out, r), (r, in) or (r, in, h, w)
    if "mid" in parts:  # a convolution split in three: 1x1, h x w between few channels, 1x1
        return _tucker(parts["mid"], up, down.flatten(1).T)
    return (up @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:])


def _hada(parts: Parts, number: int) -> Tensor:
    """One of LoHa's two factors, which are multiplied value by value (arXiv:2108.06098, proposition 1; in Tucker form, proposition 3)."""
    a, b = parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"]
    if f"hada_t{number}" in parts:
        return _tucker(parts[f"hada_t{number}"], a.T, b.T)  # a (r, out), b (r, in)
    return a.flatten(1) @ b.flatten(1)


def _lokr(parts: Parts) -> Tensor:
    """The Kronecker product of a small factor and a large one, each whole or decomposed (arXiv:2309.14859)."""
    small, large = _factor(parts, "lokr_w1", ""), _factor(parts, "lokr_w2", "lokr_t2")  # (a, b); (c, d), (c, d*h*w) or (c, d, h, w)
    small = small.reshape(*small.shape, *[1] * (large.ndim - 2))
    return torch.kron(small.contiguous(), large.contiguous())


def _factor(parts: Parts, name: str, core: str) -> Tensor:
    if name in parts:
        return parts[name]
    a, b = parts[f"{name}_a"], parts[f"{name}_b"]
    return _tucker(parts[core], a.T, b.T) if core in parts else a @ b  # in Tucker form a (r, c), b (r, d)


def _tucker(core: Tensor, out: Tensor, into: Tensor) -> Tensor:
    """A convolution (out, in, h, w) from a core (r, r, h, w), (out, r) and (in, r)."""
    return torch.einsum("abhw,oa,ib->oihw", core, out, into)


def _decomposed(parts: Parts, change: Tensor, base: Tensor) -> Tensor:
    """m * (W + change) / |W + change| - W (arXiv:2402.09353, equation 5), with the norms of all that goes into, or comes out of, a channel.

    The paper and the WebUI take a matrix's columns, one norm for each input: (1, in, …). peft and later LyCORIS take its rows, one for
    each output: peft's vector has any shape of `out` values, LyCORIS' is (out, 1, …).
    """
    merged = base + change
    if "dora_magnitude" in parts:
        by_output, magnitude = True, parts["dora_magnitude"].float().reshape(-1)
    else:
        stored = parts["dora_scale"].float()
        by_output, magnitude = stored.ndim > 1 and stored.shape[0] == base.shape[0] != 1, stored.reshape(-1)
    kept = 0 if by_output else 1
    others = [axis for axis in range(base.ndim) if axis != kept]
    norms = torch.linalg.vector_norm(merged, dim=others, keepdim=True)
    return merged * (magnitude.reshape(norms.shape) / norms) - base
