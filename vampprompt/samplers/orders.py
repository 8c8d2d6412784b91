"""The orders in which tokens settle: each is a sampler."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vampprompt.errors import SamplerError
from vampprompt.language import Positive, whole
from vampprompt.samplers.core import Candidates, MaskedSampler, NotNegative


@dataclass(frozen=True, kw_only=True)
class Confidence(MaskedSampler):
    """Settle the tokens whose sampled value is likeliest, with some noise [1]_ [2]_.

    The score of a token is the log of its sampled probability, plus Gumbel noise scaled by
    ``mask_temperature * (1 - progress)``. The other settings are those of `MaskedSampler`.

    Parameters
    ----------
    mask_temperature : float
        0 settles strictly the likeliest; more lets chance order the tokens, ever less so
        towards the last step.

    References
    ----------
    .. [1] Chang et al., "MaskGIT: masked generative image transformer", 2022.
    .. [2] Garcia et al., "VampNet: music generation via masked acoustic token modeling", 2023.

    Examples
    --------
    >>> str(Confidence(steps=12, temperature=0.8))
    'confidence(steps=12, temperature=0.8)'
    """

    name = "confidence"
    mask_temperature: NotNegative = 10.5

    def scores(self, candidates: Candidates) -> Tensor:
        gumbel = -(-candidates.noise.log()).log()
        scale = self.mask_temperature * (1 - candidates.progress)
        return candidates.log_probability + scale * gumbel


@dataclass(frozen=True, kw_only=True)
class RandomOrder(MaskedSampler):
    """Settle tokens chosen at random, all equally likely. The settings are `MaskedSampler`'s.

    Examples
    --------
    >>> str(RandomOrder(steps=12))
    'random(steps=12)'
    """

    name = "random"
    reports_confidence = False

    def scores(self, candidates: Candidates) -> Tensor:
        return candidates.noise


@dataclass(frozen=True, kw_only=True)
class Halton(MaskedSampler):
    """Settle tokens along a Halton sequence over frames and codebooks [1]_.

    Tokens of one step are sampled without knowledge of each other. Those of this order lie far
    apart, and so depend on each other little. The settings are `MaskedSampler`'s.

    References
    ----------
    .. [1] Besnier et al., "Halton scheduler for masked generative image transformer", 2025.

    Examples
    --------
    >>> str(Halton(steps=12))
    'halton(steps=12)'
    """

    name = "halton"
    reports_confidence = False

    def stages(self, masked: Tensor) -> Tensor:
        # Now, as a step must not wait for what is copied to a GPU.
        halton_places(*masked.shape[1:], masked.device)
        return super().stages(masked)

    def scores(self, candidates: Candidates) -> Tensor:
        _, _, codebook, frame, n_codebooks, n_frames, _ = candidates
        return -halton_places(n_codebooks, n_frames, frame.device)[codebook, frame]


@lru_cache(maxsize=16)
def halton_places(n_codebooks: int, n_frames: int, device: torch.device | None = None) -> Tensor:
    """Return the place of each cell in the Halton order, int64 ``[codebook, frame]``.

    The order is that in which the points of the sequence with base 2 along the frames and base
    3 along the codebooks first fall into the cells.

    Examples
    --------
    >>> halton_places(2, 4)
    tensor([[3, 5, 0, 2],
            [7, 1, 4, 6]])
    """
    n_points = n_cells = n_codebooks * n_frames
    while True:
        index = np.arange(1, n_points + 1)
        frame = (_radical_inverse(index, 2) * n_frames).astype(np.int64)
        codebook = (_radical_inverse(index, 3) * n_codebooks).astype(np.int64)
        cells, first = np.unique(codebook * n_frames + frame, return_index=True)
        if len(cells) == n_cells:
            places = np.argsort(np.argsort(first)).reshape(n_codebooks, n_frames)
            return torch.from_numpy(places).to(device)
        n_points *= 2


def _radical_inverse(index: NDArray[np.int64], base: int) -> NDArray[np.float64]:
    """Return each number's digits mirrored at the point: 6 = 110 in base 2 becomes 0.011."""
    mirrored, scale = np.zeros(len(index)), 1.0
    while index.any():
        scale /= base
        index, digit = np.divmod(index, base)
        mirrored += digit * scale
    return mirrored


@dataclass(frozen=True, kw_only=True)
class Blocks(Confidence):
    """Fill blocks of frames from left to right, each by confidence: made for continuations.

    The blocks share out the frames in which anything is masked, as evenly as can be, and the
    steps. The other settings are those of `Confidence`.

    Parameters
    ----------
    blocks : int
        How many blocks; no more than there are steps are made.

    Examples
    --------
    >>> Blocks(blocks=3, steps=12).stage_steps(n_codebooks=4)
    (4, 4, 4)
    """

    name = "blocks"
    # Windows of a long clip come one after the other, as the blocks in them do.
    in_sequence = True
    steps: Positive = 36
    blocks: Positive = 6

    def stages(self, masked: Tensor) -> Tensor:
        n_blocks = len(self.stage_steps(masked.shape[1]))
        touched = masked.any(1, keepdim=True)
        n_before = touched.cumsum(-1) - touched.long()
        n_touched = touched.sum(-1, keepdim=True).clamp_min(1)
        return (n_before * n_blocks // n_touched).expand(masked.shape)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        n_blocks = min(self.blocks, self.steps)
        ends = [self.steps * block // n_blocks for block in range(n_blocks + 1)]
        return tuple(end - start for start, end in pairwise(ends))


def _steps_of(value: object) -> int | tuple[int, ...]:
    if not isinstance(value, (tuple, list)):
        return whole(1)(value)
    if not value:
        raise SamplerError("no steps", hint="write those of each codebook: [16, 4, 1]")
    return tuple(map(whole(1), value))


@dataclass(frozen=True, kw_only=True)
class Codebooks(Confidence):
    """Fill one codebook after the other, each by confidence [1]_.

    The other settings are those of `Confidence`.

    Parameters
    ----------
    steps : int or sequence of int
        Steps in all, of which each codebook gets half of what is left but at least one; or those
        of each codebook, coarsest first, the last counting for all further ones.

    References
    ----------
    .. [1] Borsos et al., "SoundStorm: efficient parallel audio generation", 2023.

    Examples
    --------
    >>> Codebooks(steps=12).stage_steps(n_codebooks=4)
    (6, 3, 2, 1)
    """

    name = "codebooks"
    steps: Annotated[int | tuple[int, ...], _steps_of] = (16, 8, 4, 2, 1)

    def stages(self, masked: Tensor) -> Tensor:
        codebook = torch.arange(masked.shape[1], device=masked.device)
        return codebook[:, None].expand(masked.shape)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        if isinstance(self.steps, int):
            return _halving(self.steps, n_codebooks)
        given = self.steps[:n_codebooks]
        return given + self.steps[-1:] * (n_codebooks - len(given))


def _halving(steps: int, n_codebooks: int) -> tuple[int, ...]:
    """Share out steps so that each codebook has one, and of the others twice what the next has.

    Examples
    --------
    >>> _halving(12, 4)
    (6, 3, 2, 1)
    """
    spare = max(0, steps - n_codebooks)
    weight = 2**n_codebooks - 1
    ends = [-(-spare * (weight + 1 - 2**left) // weight) for left in range(n_codebooks, -1, -1)]
    return tuple(1 + end - start for start, end in pairwise(ends))
