"""Placing the codec's codebooks: residual k-means over the levels of bands."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vampprompt.models.phaseless import PhaselessCodec, band_centres

_ROUNDS = 14
_AT_A_TIME = 65536
_ALIVE = 2
EMPHASIS = (
    (60.0, 2500.0, 0.2),
    (60.0, 2500.0, 0.35),
    (0.0, np.inf, 0.0),
    (0.0, np.inf, 0.0),
    (0.0, 250.0, 0.0),
    (250.0, 1000.0, 0.0),
    (1000.0, 4000.0, 0.0),
    (4000.0, np.inf, 0.0),
    (150.0, 2500.0, 0.0),
)
"""The bands that each codebook is for, from and below which frequency, and the others' weight.

The first two say pitch; the fine ones share the bands out, because what is left after four is
near to noise, and one codebook of 1024 rows says next to nothing of noise in 186 bands.
"""


def emphasis(number: int) -> Tensor:
    """Give the weight of each band in a codebook, ``[band]``."""
    low, high, rest = EMPHASIS[number]
    centres = band_centres()
    return torch.from_numpy(np.where((centres >= low) & (centres < high), 1.0, rest)).float()


@torch.no_grad()
def place(
    codec: PhaselessCodec, levels: Tensor, on_codebook: Callable[[], None] = lambda: None
) -> None:
    """Place the codebooks of `codec` by what is seen in `levels`, ``[frame, band]``.

    Each has its rows where what the ones before it leave over is densest. The numbers are those
    that half precision holds, so that packing changes no token.
    """
    generator = torch.Generator().manual_seed(0)
    codec.mean.copy_(_half(levels.mean(0)))
    residual = levels - codec.mean
    for number in range(codec.n_codebooks):
        weight = emphasis(number)
        codec.emphasis[number] = weight
        size = codec.rows.shape[1]
        codes = _k_means(codec.seen(number, residual), size, generator)
        rows = _means(residual, codes, size) * (weight > 0)
        codec.rows[number] = _half(rows)
        residual = residual - codec.rows[number][_found(codec, number, residual)]
        codec.latents[number] = _half(_directions(codec.rows[number] * weight.sqrt(), codec))
        on_codebook()


def _found(codec: PhaselessCodec, number: int, residual: Tensor) -> Tensor:
    parts = [codec.nearest(number, part) for part in torch.split(residual, _AT_A_TIME)]
    return torch.cat(parts)


def _k_means(items: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Cluster ``[item, dim]`` and give the number of each item's cluster.

    Products are in bfloat16: where two clusters are as near, either will do.
    """
    rows = items[torch.randperm(len(items), generator=generator)[:size]].clone()
    for _ in range(_ROUNDS):
        codes = _assigned(items, rows)
        counts = torch.bincount(codes, minlength=size)
        means = _means(items, codes, size)
        lost = counts < _ALIVE
        if lost.any():
            # beside the fullest clusters, which are then shared
            fullest = counts.topk(int(lost.sum())).indices
            drawn = torch.randn(len(fullest), items.shape[1], generator=generator)
            means[lost] = means[fullest] + 0.05 * items.std(0) * drawn
        rows = means
    return _assigned(items, rows)


def _assigned(items: Tensor, rows: Tensor) -> Tensor:
    lengths, directions = (rows**2).sum(1) / 2, rows.T.bfloat16()
    return torch.cat(
        [
            ((part.bfloat16() @ directions).float() - lengths).argmax(1)
            for part in torch.split(items, _AT_A_TIME)
        ]
    )


def _means(items: Tensor, codes: Tensor, size: int) -> Tensor:
    sums = torch.zeros(size, items.shape[1]).index_add_(0, codes, items)
    return sums / torch.bincount(codes, minlength=size).clamp(min=1)[:, None]


def _directions(rows: Tensor, codec: PhaselessCodec) -> Tensor:
    """Give rows along their main directions, ``[entry, dim]``, of mean square 1.

    So they are as large as what stands for a masked token, which else drowns them.
    """
    centred = rows - rows.mean(0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    found = centred @ directions[: codec.latents.shape[2]].T
    return cast(Tensor, found / found.square().mean().sqrt())


def _half(x: Tensor) -> Tensor:
    return x.half().float()


def stored(levels: Tensor) -> NDArray[np.int16]:
    """Give levels as whole hundredths of a decibel."""
    return np.asarray((100 * levels).round().numpy(), np.int16)


def loaded(levels: NDArray[np.int16]) -> Tensor:
    """Give levels of what `stored` made of them."""
    return torch.from_numpy(levels.astype(np.float32) / 100)
