"""Masks made of a mask by changing its shape."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vampprompt.errors import MaskError
from vampprompt.masks import arguments
from vampprompt.masks.base import Mask, reads
from vampprompt.masks.evaluation import BoolArray, Evaluation
from vampprompt.masks.runs import covered, runs
from vampprompt.units import Quantity, QuantityLike

_MASK = reads(arguments.mask)


@dataclass(frozen=True, repr=False)
class Dilate(Mask):
    """Let every kept stretch grow at both ends: ``dilate(beat, 30ms)``."""

    name = "dilate"

    mask: Mask = field(metadata=_MASK)
    by: QuantityLike = field(metadata=reads(arguments.length))

    def keep(self, clip: Evaluation) -> BoolArray:
        return _grown(clip, clip.keep_of(self.mask), self.by)


@dataclass(frozen=True, repr=False)
class Erode(Mask):
    """Let every kept stretch shrink at both ends: ``erode(loud, 2)``.

    As ``~dilate(~mask, by)``: what touches an end of the clip is taken to go on beyond it.
    """

    name = "erode"

    mask: Mask = field(metadata=_MASK)
    by: QuantityLike = field(metadata=reads(arguments.length))

    def keep(self, clip: Evaluation) -> BoolArray:
        return ~_grown(clip, ~clip.keep_of(self.mask), self.by)


@dataclass(frozen=True, repr=False)
class Shift(Mask):
    """Move a mask later, or earlier by a negative amount: ``shift(beat, 1/2beat)``.

    What leaves the clip is lost. In beats and bars each kept stretch moves as far as the clip's
    own tempo says, at its own place, and none vanishes.
    """

    name = "shift"

    mask: Mask = field(metadata=_MASK)
    by: QuantityLike = field(metadata=reads(arguments.offset))

    def keep(self, clip: Evaluation) -> BoolArray:
        keep = _over_frames(clip, clip.keep_of(self.mask))
        rows, starts, stops = runs(keep)
        starts, stops = (clip.timeline.moved(ends, self.by) for ends in (starts, stops))
        return covered(rows, starts, np.maximum(stops, starts + 1), keep.shape)


@dataclass(frozen=True, repr=False)
class Thin(Mask):
    """Keep only each n-th of a mask's frames: ``thin(loud, every=2)``.

    Parameters
    ----------
    mask : Mask
        Its frames are those in which it keeps any token. To keep each n-th beat whole, write
        ``beat(every=n)``.
    every : int
        Keep each n-th of them,
    offset : int
        beginning with this one, counted from 0.
    """

    name = "thin"

    mask: Mask = field(metadata=_MASK)
    every: int = field(metadata=reads(arguments.count(1)))
    offset: int = field(default=0, metadata=reads(arguments.count(0)))

    def keep(self, clip: Evaluation) -> BoolArray:
        kept = np.flatnonzero(clip.frames_of(self.mask))
        stays = np.zeros(clip.grid.n_frames, dtype=np.bool_)
        stays[kept[self.offset :: self.every]] = True
        return clip.keep_of(self.mask) & stays


@dataclass(frozen=True, repr=False)
class Depth(Mask):
    """Keep more codebooks in some frames than in others: ``depth(beat, 4, 1)``.

    Parameters
    ----------
    mask : Mask
        Its frames are those in which it keeps any token.
    inside, outside : int
        How many of the codebooks are kept in the mask's frames and in the others, from the
        coarsest on.
    """

    name = "depth"

    mask: Mask = field(metadata=_MASK)
    inside: int = field(metadata=reads(arguments.count(0)))
    outside: int = field(default=0, metadata=reads(arguments.count(0)))

    def keep(self, clip: Evaluation) -> BoolArray:
        n_codebooks = clip.grid.n_codebooks
        if max(self.inside, self.outside) > n_codebooks:
            raise MaskError(
                f"a depth of {max(self.inside, self.outside)} codebooks, and the clip has "
                f"{n_codebooks}",
                hint=f"write numbers from 0 to {n_codebooks}",
            )
        deep = np.where(clip.frames_of(self.mask), self.inside, self.outside)
        keep: BoolArray = np.arange(n_codebooks)[:, None] < deep[None, :]
        return keep


def _grown(clip: Evaluation, keep: BoolArray, by: QuantityLike) -> BoolArray:
    keep = _over_frames(clip, keep)
    rows, starts, stops = runs(keep)
    starts = clip.timeline.moved(starts, -Quantity.of(by))
    stops = clip.timeline.moved(stops - 1, by) + 1
    return covered(rows, starts, stops, keep.shape)


def _over_frames(clip: Evaluation, keep: BoolArray) -> BoolArray:
    return np.broadcast_to(keep, (len(keep), clip.grid.n_frames))


dilate = Dilate
erode = Erode
shift = Shift
thin = Thin
depth = Depth
