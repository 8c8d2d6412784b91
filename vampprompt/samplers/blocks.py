"""The clip is filled from left to right, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from vampprompt.samplers.confidence import Confidence
from vampprompt.samplers.settings import whole


@dataclass(frozen=True, kw_only=True)
class Blocks(Confidence):
    """Fill blocks of frames from left to right, each by confidence: made for continuations.

    The blocks share out the frames in which anything is masked, as evenly as can be, and the
    steps. The other settings are those of `Confidence`.

    Parameters
    ----------
    blocks : int
        How many blocks; no more than there are steps are made.
    """

    name: ClassVar[str] = "blocks"

    steps: int = 36
    blocks: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("blocks", self.blocks)

    def stages(self, masked: Tensor) -> Tensor:
        """Return the block of each token, int64 ``[batch, predicted codebook, frame]``."""
        n_blocks = len(self.stage_steps(masked.shape[1]))
        touched = masked.any(1, keepdim=True)
        n_before = touched.cumsum(-1) - touched.long()
        n_touched = touched.sum(-1, keepdim=True).clamp_min(1)
        return (n_before * n_blocks // n_touched).expand(masked.shape)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        """Return the steps of each block."""
        n_blocks = min(self.blocks, self.steps)
        ends = [self.steps * block // n_blocks for block in range(n_blocks + 1)]
        return tuple(end - start for start, end in pairwise(ends))
