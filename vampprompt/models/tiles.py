"""A chain of convolutions in tiles that stay in the cache, and come out as in one piece.

Each stage of the chain runs over the whole input before the next begins. So a tile needs the
context of its own stage only, which is far less than what the chain sees from end to end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor, nn

from vampprompt.models.reach import inputs

__all__ = ["in_tiles"]

# Of one activation. Larger ones leave the cache, and from 32 MB on the C library gets them from
# the system anew each time. Smaller ones spend more on context and on arranging weights.
_TILE_BYTES = 12 * 2**20


def in_tiles(chain: nn.Sequential, x: Tensor) -> Tensor:
    """Return what `chain` makes of `x`.

    Parameters
    ----------
    chain : Sequential
        Of layers and blocks of layers; a block changes the rate by a whole factor.
    x : Tensor
        ``[batch, channel, position]``.

    Returns
    -------
    Tensor
        ``[batch, channel, position]``, the same as in one piece.
    """
    if x.device.type != "cpu":
        # a GPU is kept busy by large activations, and has no such cache
        return cast(Tensor, chain(x))
    for stage in _stages(chain):
        x = _stage_in_tiles(stage, x)
    return x


def _stages(chain: nn.Sequential) -> Iterator[nn.Sequential]:
    """Group layers round each block, so that few activations are ever there as a whole."""
    layers = list(chain)
    ends = [i + 1 for i, layer in enumerate(layers) if list(layer.children())]
    for start, end in zip([0, *ends[:-1]], [*ends[:-1], len(layers)], strict=True):
        yield nn.Sequential(*layers[start:end])


def _stage_in_tiles(stage: nn.Sequential, x: Tensor) -> Tensor:
    rate, width = _rate_and_width(stage, x.shape[1])
    # where the rate falls, the first position of a tile must be one that the stride falls on
    stride, n_positions = rate.denominator, x.shape[-1]
    most = math.floor(_TILE_BYTES / (x.element_size() * len(x) * width))
    n_tiles = math.ceil(n_positions / max(stride, most))
    length = math.ceil(n_positions / n_tiles / stride) * stride
    tiles = []
    for start in range(0, n_positions, length):
        stop = start + length
        first, last = inputs(stage, int(start * rate), int(stop * rate) - 1)
        first = max(first, 0) // stride * stride
        # laid out with the channels last, which the convolutions of a CPU are fastest at
        tile = x[..., first : last + 1].transpose(1, 2).contiguous().transpose(1, 2)
        inner = stage(tile)[..., int((start - first) * rate) :]
        tiles.append(inner if stop >= n_positions else inner[..., : int(length * rate)])
    return torch.cat(tiles, dim=-1)


def _rate_and_width(stage: nn.Module, channels: int) -> tuple[Fraction, Fraction]:
    """Return output positions and, at the widest place, numbers for each input position."""
    rate, width = Fraction(1), Fraction(channels)
    for layer in stage.modules():
        if isinstance(layer, nn.ConvTranspose1d):
            rate *= layer.stride[0]
        elif isinstance(layer, nn.Conv1d):
            rate /= layer.stride[0]
        else:
            continue
        width = max(width, layer.out_channels * rate)
    return rate, width
