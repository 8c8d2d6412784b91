"""Tokens settle in random order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vampprompt.samplers.core import Candidates, MaskedSampler


@dataclass(frozen=True, kw_only=True)
class RandomOrder(MaskedSampler):
    """Settle tokens chosen at random, all equally likely. The settings are `MaskedSampler`'s."""

    name: ClassVar[str] = "random"
    reports_confidence: ClassVar[bool] = False

    def scores(self, candidates: Candidates) -> Tensor:
        """Return the noise, ``[batch, candidate]``."""
        return candidates.noise
