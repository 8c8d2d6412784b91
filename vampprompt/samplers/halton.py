"""Tokens settle in an order that spreads each step's evenly over codebooks and frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vampprompt.samplers.core import Candidates, MaskedSampler


@dataclass(frozen=True, kw_only=True)
class Halton(MaskedSampler):
    """Settle tokens along a Halton sequence over frames and codebooks [1]_.

    Tokens of one step are sampled without knowledge of each other. Those of this order lie far
    apart, and so depend on each other little. The settings are `MaskedSampler`'s.

    References
    ----------
    .. [1] Besnier et al., "Halton scheduler for masked generative image transformer", 2025.
    """

    name: ClassVar[str] = "halton"
    reports_confidence: ClassVar[bool] = False

    def stages(self, masked: Tensor) -> Tensor:
        """Return 0 for all tokens, int64 ``[batch, predicted codebook, frame]``."""
        # Now, as a step must not wait for what is copied to a GPU.
        _places_on(*masked.shape[1:], masked.device)
        return super().stages(masked)

    def scores(self, candidates: Candidates) -> Tensor:
        """Return the negative place of each candidate in the order, ``[batch, candidate]``."""
        shape = candidates.n_codebooks, candidates.n_frames
        places = _places_on(*shape, candidates.frame.device)
        return -places[candidates.codebook, candidates.frame]


def halton_places(n_codebooks: int, n_frames: int) -> NDArray[np.int64]:
    """Return the place of each cell in the Halton order, int64 ``[codebook, frame]``.

    The order is that in which the points of the sequence with base 2 along the frames and base
    3 along the codebooks first fall into the cells.

    Examples
    --------
    >>> halton_places(2, 4)
    array([[3, 5, 0, 2],
           [7, 1, 4, 6]])
    """
    n_cells = n_codebooks * n_frames
    n_points = n_cells
    while True:
        index = np.arange(1, n_points + 1)
        frame = (_radical_inverse(index, 2) * n_frames).astype(np.int64)
        codebook = (_radical_inverse(index, 3) * n_codebooks).astype(np.int64)
        cells, first = np.unique(codebook * n_frames + frame, return_index=True)
        if len(cells) == n_cells:
            places = np.empty(n_cells, np.int64)
            places[np.argsort(first)] = np.arange(n_cells)
            return places.reshape(n_codebooks, n_frames)
        n_points *= 2


def _radical_inverse(index: NDArray[np.int64], base: int) -> NDArray[np.float64]:
    """Return each number's digits mirrored at the point: 6 = 110 in base 2 becomes 0.011."""
    mirrored = np.zeros(len(index))
    scale = 1.0
    while index.any():
        scale /= base
        index, digit = np.divmod(index, base)
        mirrored += digit * scale
    return mirrored


@lru_cache(maxsize=16)
def _places_on(n_codebooks: int, n_frames: int, device: torch.device) -> Tensor:
    return torch.from_numpy(halton_places(n_codebooks, n_frames)).to(device)
