"""The masks that keep all, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vampprompt.masks.base import Mask
from vampprompt.masks.evaluation import BoolArray, Evaluation


@dataclass(frozen=True, repr=False)
class Everything(Mask):
    """Keep every token: the codec's own reconstruction of the clip."""

    name = "everything"

    def keep(self, clip: Evaluation) -> BoolArray:
        return np.ones((1, 1), dtype=np.bool_)


@dataclass(frozen=True, repr=False)
class Nothing(Mask):
    """Keep no token: unconditional generation."""

    name = "nothing"

    def keep(self, clip: Evaluation) -> BoolArray:
        return np.zeros((1, 1), dtype=np.bool_)


everything = Everything()
nothing = Nothing()
