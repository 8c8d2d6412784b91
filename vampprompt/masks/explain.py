"""What each part of a mask does in a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vampprompt.clip import Clip
from vampprompt.masks.base import Mask
from vampprompt.masks.evaluation import Evaluation


@dataclass(frozen=True)
class Part:
    """One part of a mask, as it is in a clip.

    Attributes
    ----------
    mask : Mask
        The part.
    depth : int
        How deep in the tree it stands; 0 is the whole mask.
    kept : float
        Share of the clip's tokens that it keeps by itself, in ``[0, 1]``.
    """

    mask: Mask
    depth: int
    kept: float


def explain(mask: Mask, context: Clip) -> list[Part]:
    """Return a mask and all its parts, each before its own parts, with what each of them keeps.

    Raises
    ------
    MaskError
        As `Mask.evaluate` does.
    """
    evaluation = Evaluation(context, mask)

    def walk(part: Mask, depth: int) -> Iterator[Part]:
        # Many parts are the same in all codebooks or all frames: their mean is the grid's.
        yield Part(part, depth, float(np.mean(evaluation.keep_of(part))))
        for child in part.children:
            yield from walk(child, depth + 1)

    evaluation.keep_of(mask)
    return list(walk(mask, 0))
