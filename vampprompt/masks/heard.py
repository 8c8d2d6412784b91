"""Masks that listen: onsets, beats and loudness."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from vampprompt.errors import MaskError
from vampprompt.masks import arguments
from vampprompt.masks.base import Mask, reads
from vampprompt.masks.evaluation import BoolArray, Evaluation
from vampprompt.masks.runs import around
from vampprompt.units import FloatArray, IntArray, Quantity, QuantityLike

Self = TypeVar("Self", bound="Events")
_length = reads(arguments.optional(arguments.length))


@dataclass(frozen=True, repr=False)
class Events(Mask):
    """Keep what lies round the events of one kind that are heard in the clip.

    Each of the names ``onset``, ``beat``, ``downbeat`` and ``upbeat`` is a mask by itself and
    is called for one with other arguments: ``beat``, ``beat(width=3)``.

    Parameters
    ----------
    width : quantity, optional
        How much is kept at each event: n frames are exactly n, odd ones symmetric, even ones
        with one more after than before. 75 ms, if neither this nor `before` nor `after` is given.
    before, after : quantity, optional
        How much is kept on either side of an event's own frame, in place of `width`.
    every : int
        Keep only each n-th event,
    offset : int
        beginning with this one, counted from 0.
    """

    width: QuantityLike | None = field(default=None, metadata=_length)
    before: QuantityLike | None = field(default=None, metadata=_length)
    after: QuantityLike | None = field(default=None, metadata=_length)
    every: int = field(default=1, metadata=reads(arguments.count(1)))
    offset: int = field(default=0, metadata=reads(arguments.count(0)))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width is not None and (self.before is not None or self.after is not None):
            raise MaskError(
                f"{self.name} takes a width, or before and after, not both",
                hint="leave one of them out",
            )

    def __call__(
        self: Self,
        width: QuantityLike | None = None,
        before: QuantityLike | None = None,
        after: QuantityLike | None = None,
        every: int = 1,
        offset: int = 0,
    ) -> Self:
        """Return this mask with other arguments."""
        return type(self)(width, before, after, every, offset)

    @abstractmethod
    def times(self, clip: Evaluation) -> FloatArray:
        """Return the times of the events in seconds."""

    def keep(self, clip: Evaluation) -> BoolArray:
        events = clip.grid.frames_at(self.times(clip))[self.offset :: self.every]
        # The paper's width, of VampNet's beat-driven prompts.
        bare = self.width is None and self.before is None and self.after is None
        width = "75ms" if bare else self.width
        return around(events, clip.timeline, width, self.before, self.after)

    def _heard(self, times: FloatArray, what: str, hint: str) -> FloatArray:
        if not len(times):
            raise MaskError(
                f"'{self.name}' needs {what}, and none are heard in this clip", hint=hint
            )
        return times


_NO_BEATS = "try another beat tracker, or a mask that needs none, such as periodic(500ms)"


class Onset(Events):
    """Keep what lies round the onsets of notes and hits."""

    name = "onset"

    def times(self, clip: Evaluation) -> FloatArray:
        hint = "use a mask that needs none, such as periodic(7)"
        return self._heard(clip.context.onsets, "onsets", hint)


class Beat(Events):
    """Keep what lies round the beats, downbeats among them."""

    name = "beat"

    def times(self, clip: Evaluation) -> FloatArray:
        return self._heard(clip.context.beats.beats, "beats", _NO_BEATS)


class Downbeat(Events):
    """Keep what lies round the first beats of the bars."""

    name = "downbeat"

    def times(self, clip: Evaluation) -> FloatArray:
        return self._heard(clip.context.beats.downbeats, "downbeats", _NO_BEATS)


class Upbeat(Events):
    """Keep what lies round the beats that do not begin a bar."""

    name = "upbeat"

    def times(self, clip: Evaluation) -> FloatArray:
        heard = clip.context.beats
        beats = self._heard(heard.beats, "beats", _NO_BEATS)
        downbeats = self._heard(heard.downbeats, "downbeats", _NO_BEATS)
        frames: IntArray = clip.grid.frames_at(beats)
        return beats[~np.isin(frames, clip.grid.frames_at(downbeats))]


@dataclass(frozen=True, repr=False)
class Loud(Mask):
    """Keep the frames that are at least this loud: ``loud(above=-30dB)``.

    Parameters
    ----------
    above : level
        In dB re full scale.
    """

    name = "loud"

    above: QuantityLike = field(default="-30dB", metadata=reads(arguments.level))

    def __call__(self, above: QuantityLike = "-30dB") -> Loud:
        """Return this mask with another level."""
        return Loud(above)

    def keep(self, clip: Evaluation) -> BoolArray:
        keep: BoolArray = clip.context.loudness >= float(Quantity.of(self.above).number)
        return keep[None, :]


onset = Onset()
beat = Beat()
downbeat = Downbeat()
upbeat = Upbeat()
loud = Loud()
