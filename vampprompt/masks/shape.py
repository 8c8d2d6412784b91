"""Masks made of a mask by changing its shape, and the stretches of frames that shapes are made of.

No loops over frames.
"""

from __future__ import annotations

import numpy as np

from vampprompt.errors import MaskError
from vampprompt.language import Count, Length, Offset, Positive
from vampprompt.masks.base import BoolArray, Evaluation, Inner, Mask, named
from vampprompt.units import IntArray, Quantity, Timeline


class Dilate(Mask):
    """Let every kept stretch grow at both ends: ``dilate(beat, 30ms)``.

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> dilate(parse("frame==3"), 1).array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 1, 1, 1, 0, 0, 0]])
    """

    mask: Inner
    by: Length

    def keep(self, clip: Evaluation) -> BoolArray:
        rows, starts, stops, shape = runs(clip, self.mask)
        starts = clip.timeline.moved(starts, -self.by)
        stops = clip.timeline.moved(stops - 1, self.by) + 1
        return covered(rows, starts, stops, shape)


class Erode(Mask):
    """Let every kept stretch shrink at both ends: ``erode(loud, 2)``.

    As ``~dilate(~mask, by)``: what touches an end of the clip is taken to go on beyond it.

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> erode(parse("2f..7f"), 1).array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 0, 1, 1, 1, 0, 0]])
    """

    mask: Inner
    by: Length

    def keep(self, clip: Evaluation) -> BoolArray:
        return ~Dilate(~self.mask, self.by).keep(clip)


class Shift(Mask):
    """Move a mask later, or earlier by a negative amount: ``shift(beat, 1/2beat)``.

    What leaves the clip is lost. In beats and bars each kept stretch moves as far as the clip's
    own tempo says, at its own place, and none vanishes.

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> shift(parse("frame==3"), -2).array(Clip(Grid(1, 8))).astype(int)
    array([[0, 1, 0, 0, 0, 0, 0, 0]])
    """

    mask: Inner
    by: Offset

    def keep(self, clip: Evaluation) -> BoolArray:
        rows, *ends, shape = runs(clip, self.mask)
        starts, stops = (clip.timeline.moved(frames, self.by) for frames in ends)
        return covered(rows, starts, np.maximum(stops, starts + 1), shape)


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

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> thin(parse("frame>=2"), every=2).array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 1, 0, 1, 0, 1, 0]])
    """

    mask: Inner
    every: Positive
    offset: Count = 0

    def keep(self, clip: Evaluation) -> BoolArray:
        kept = np.flatnonzero(clip.frames_of(self.mask))
        stays = np.zeros(clip.grid.n_frames, dtype=np.bool_)
        stays[kept[self.offset :: self.every]] = True
        return clip.keep_of(self.mask) & stays


class Depth(Mask):
    """Keep more codebooks in some frames than in others: ``depth(beat, 4, 1)``.

    Parameters
    ----------
    mask : Mask
        Its frames are those in which it keeps any token.
    inside, outside : int
        How many of the codebooks are kept in the mask's frames and in the others, from the
        coarsest on.

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> depth(parse("periodic(4)"), 3, 1).array(Clip(Grid(3, 8))).astype(int)
    array([[1, 1, 1, 1, 1, 1, 1, 1],
           [1, 0, 0, 0, 1, 0, 0, 0],
           [1, 0, 0, 0, 1, 0, 0, 0]])
    """

    mask: Inner
    inside: Count
    outside: Count = 0

    def keep(self, clip: Evaluation) -> BoolArray:
        most, n_codebooks = max(self.inside, self.outside), clip.grid.n_codebooks
        if most > n_codebooks:
            deep = f"a depth of {most} codebooks, and the clip has {n_codebooks}"
            raise MaskError(deep, hint=f"write numbers from 0 to {n_codebooks}")
        depths = np.where(clip.frames_of(self.mask), self.inside, self.outside)
        return np.arange(n_codebooks)[:, None] < depths


dilate = named(Dilate)
erode = named(Erode)
shift = named(Shift)
thin = named(Thin)
depth = named(Depth)


def runs(clip: Evaluation, mask: Mask) -> tuple[IntArray, IntArray, IntArray, tuple[int, int]]:
    """Return row, first frame and frame after the last of every stretch of kept frames.

    And the shape ``[row, frame]``, of one row where all codebooks are the same.
    """
    keep = clip.keep_of(mask)
    n_rows, n_frames = len(keep), clip.grid.n_frames
    # Rows in one line, with an empty frame between them so that no stretch spans two.
    line = np.zeros(n_rows * (n_frames + 1) + 1, dtype=np.bool_)
    line[1:].reshape(n_rows, n_frames + 1)[:, :n_frames] = keep
    edges = np.flatnonzero(line[1:] != line[:-1])
    rows = edges[::2] // (n_frames + 1)
    first = rows * (n_frames + 1)
    return rows, edges[::2] - first, edges[1::2] - first, (n_rows, n_frames)


def covered(
    rows: IntArray | int, starts: IntArray, stops: IntArray, shape: tuple[int, int]
) -> BoolArray:
    """Return ``[row, frame]``, true inside the stretches; what leaves the clip is cut off."""
    n_rows, n_frames = shape
    first, size = rows * (n_frames + 1), n_rows * (n_frames + 1)
    starts = np.clip(starts, 0, n_frames)
    stops = np.maximum(np.clip(stops, 0, n_frames), starts)
    # How many stretches begin less how many end, added up: how many cover each frame.
    covering = np.bincount(first + starts, minlength=size)
    covering -= np.bincount(first + stops, minlength=size)
    np.cumsum(covering, out=covering)
    keep: BoolArray = covering.reshape(n_rows, n_frames + 1)[:, :n_frames] > 0
    return keep


def around(
    events: IntArray,
    timeline: Timeline,
    width: Quantity | None,
    before: Quantity | None = None,
    after: Quantity | None = None,
) -> BoolArray:
    """Return ``[1, frame]``, true round each event.

    The frame of an event is kept with `before` and `after` on either side; or, of a `width` of n
    frames, exactly n: odd ones symmetric, even ones with one frame more after than before. A
    width in beats or bars lies half before the event and half after it.
    """
    if width is None:
        starts = events if before is None else timeline.moved(events, -before)
        stops = (events if after is None else timeline.moved(events, after)) + 1
    elif width.is_musical:
        half = 0.5 * width
        starts, stops = timeline.moved(events, -half), timeline.moved(events, half)
        stops = np.maximum(stops, starts + 1) if half.number else starts
    else:
        # What is not zero does not round to nothing.
        n_frames = max(timeline.length(width), int(width.number > 0))
        starts = events - (n_frames - 1) // 2
        stops = starts + n_frames
    return covered(0, starts, stops, (1, timeline.grid.n_frames))
