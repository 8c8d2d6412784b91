"""Stretches of kept frames, and arrays from stretches; no loops over frames."""

from __future__ import annotations

import numpy as np

from vampprompt.masks.base import BoolArray
from vampprompt.units import IntArray, Quantity, QuantityLike, Timeline


def runs(keep: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return row, first frame and frame after the last of every stretch of kept frames.

    `keep` is ``[row, frame]``.
    """
    edge = np.zeros((len(keep), 1), dtype=np.bool_)
    padded = np.hstack([edge, keep, edge])
    rows, places = np.nonzero(padded[:, 1:] != padded[:, :-1])
    return rows[::2], places[::2], places[1::2]


def covered(rows: IntArray, starts: IntArray, stops: IntArray, shape: tuple[int, int]) -> BoolArray:
    """Return ``[row, frame]``, true inside the stretches; what leaves the clip is cut off."""
    n_rows, n_frames = shape
    width = n_frames + 1
    starts, stops = np.clip(starts, 0, n_frames), np.clip(stops, 0, n_frames)
    filled = starts < stops
    size = n_rows * width
    opened = np.bincount(rows[filled] * width + starts[filled], minlength=size)
    closed = np.bincount(rows[filled] * width + stops[filled], minlength=size)
    keep: BoolArray = np.cumsum(opened - closed).reshape(n_rows, width)[:, :n_frames] > 0
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
