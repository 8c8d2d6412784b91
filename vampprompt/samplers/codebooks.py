"""The clip is filled codebook by codebook, the coarsest first."""

from __future__ import annotations

from dataclasses import dataclass
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
        Steps for each codebook, coarsest first. The last counts for all further codebooks.

    References
    ----------
    .. [1] Borsos et al., "SoundStorm: efficient parallel audio generation", 2023.
    """

    name: ClassVar[str] = "codebooks"

    steps: tuple[int, ...] = (16, 8, 4, 2, 1)

    @staticmethod
    def _valid_steps(steps: object) -> tuple[int, ...]:
        each = steps if isinstance(steps, (tuple, list)) else (steps,)
        if not each:
            raise SettingError("steps", "the steps for each codebook", steps, "write [16, 4, 1]")
        return tuple(whole("steps", number) for number in each)

    def stages(self, masked: Tensor) -> Tensor:
        """Return the codebook of each token, int64 ``[batch, predicted codebook, frame]``."""
        codebook = torch.arange(masked.shape[1], device=masked.device)
        return codebook[:, None].expand(masked.shape)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        """Return the steps of each codebook."""
        given = self.steps[:n_codebooks]
        return given + self.steps[-1:] * (n_codebooks - len(given))
