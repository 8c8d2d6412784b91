"""A sampler for vampprompt that begins at the end of the clip."""

from dataclasses import dataclass

from vampprompt.samplers import MaskedSampler, NotNegative


@dataclass(frozen=True, kw_only=True)
class Backwards(MaskedSampler):
    """Settle the latest frames first, give or take a few."""

    name = "backwards"
    reports_confidence = False
    spread: NotNegative = 1.0

    def scores(self, candidates):
        return candidates.frame + self.spread * candidates.noise
