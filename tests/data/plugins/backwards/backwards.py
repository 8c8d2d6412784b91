"""A sampler for vampprompt that begins at the end of the clip."""

from dataclasses import dataclass
from typing import ClassVar

from vampprompt.samplers import MaskedSampler


@dataclass(frozen=True, kw_only=True)
class Backwards(MaskedSampler):
    """Settle the latest frames first."""

    name: ClassVar[str] = "backwards"
    reports_confidence: ClassVar[bool] = False

    def scores(self, candidates):
        return candidates.frame + candidates.noise
