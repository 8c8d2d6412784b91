"""Stretches of kept frames, and arrays from stretches; no loops over frames."""

from __future__ import annotations

import numpy as np

from vampprompt.masks.evaluation import BoolArray
from vampprompt.units import IntArray, Quantity, QuantityLike, Timeline


def runs(keep: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return row, first frame and frame after the last of every stretch of kept frames.

    `keep` is ``[row, frame]``.
    """
    n_rows, n_frames = keep.shape
    # Rows in one line, with an empty frame between them so that no stretch spans two.
    line = np.zeros(n_rows * (n_frames + 1) + 1, dtype=np.bool_)
    line[1:].reshape(n_rows, n_frames + 1)[:, :n_frames] = keep
    edges = np.flatnonzero(line[1:] != line[:-1])
    rows = edges[::2] // (n_frames + 1)
    first = rows * (n_frames + 1)
    return rows, edges[::2] - first, edges[1::2] - first


def covered(rows: IntArray, starts: IntArray, stops: IntArray, shape: tuple[int, int]) -> BoolArray:
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
    width: QuantityLike | None,
    before: QuantityLike | None = None,
    after: QuantityLike | None = None,
) -> BoolArray:
    """Return ``[1, frame]``, true round each event.

    The frame of an event is kept with `before` and `after` on either side; or, of a `width` of n
    frames, exactly n: odd ones symmetric, even ones with one frame more after than before. A
    width in beats or bars lies half before the event and half after it.
    """
    if width is None:
        starts = events if before is None else timeline.moved(events, -Quantity.of(before))
        stops = (events if after is None else timeline.moved(events, after)) + 1
    elif Quantity.of(width).is_musical:
        half = 0.5 * Quantity.of(width)
        starts, stops = timeline.moved(events, -half), timeline.moved(events, half)
        stops = np.maximum(stops, starts + 1) if half.number else starts
    else:
        n_frames = at_least_one(timeline, width)
        starts = events - (n_frames - 1) // 2
        stops = starts + n_frames
    return covered(np.zeros_like(events), starts, stops, (1, timeline.grid.n_frames))


def at_least_one(timeline: Timeline, width: QuantityLike) -> int:
    """Return a width in frames: what is not zero does not round to nothing."""
    return max(timeline.length(width), int(Quantity.of(width).number > 0))
