"""The clip is filled codebook by codebook, the coarsest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from vampprompt.samplers.confidence import Confidence
from vampprompt.samplers.settings import SettingError, whole


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
    """

    name: ClassVar[str] = "codebooks"

    steps: int | tuple[int, ...] = (16, 8, 4, 2, 1)

    @staticmethod
    def _valid_steps(steps: object) -> int | tuple[int, ...]:
        if not isinstance(steps, (tuple, list)):
            return whole("steps", steps)
        if not steps:
            raise SettingError("steps", "the steps for each codebook", steps, "write [16, 4, 1]")
        return tuple(whole("steps", number) for number in steps)

    def stages(self, masked: Tensor) -> Tensor:
        """Return the codebook of each token, int64 ``[batch, predicted codebook, frame]``."""
        codebook = torch.arange(masked.shape[1], device=masked.device)
        return codebook[:, None].expand(masked.shape)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        """Return the steps of each codebook."""
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
