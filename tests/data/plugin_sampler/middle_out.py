"""A sampler for VampPrompt that grows the music from the middle of the clip outwards."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vampprompt.samplers import Candidates, MaskedSampler


@dataclass(frozen=True, kw_only=True)
class MiddleOut(MaskedSampler):
    """Settle the tokens nearest to one frame first."""

    name: ClassVar[str] = "middle-out"
    reports_confidence: ClassVar[bool] = False

    middle: float = 0.5

    def scores(self, candidates: Candidates) -> Tensor:
        return -(candidates.frame - self.middle * candidates.n_frames).abs()
