"""Masks that listen: onsets, beats and loudness."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np

from vampprompt.errors import MaskError
from vampprompt.language import Count, Length, Level, Positive
from vampprompt.masks.base import BoolArray, Evaluation, Mask, named
from vampprompt.masks.shape import around
from vampprompt.units import FloatArray, Quantity

_NO_BEATS = "try another beat tracker, or a mask that needs none, such as periodic(500ms)"


class Heard(Mask):
    """A mask by itself that is called for one with other arguments: ``beat``, ``beat(width=3)``."""

    def __call__(self, *arguments: Any, **named_arguments: Any) -> Self:
        """Return this mask with these arguments."""
        return type(self)(*arguments, **named_arguments)


class Events(Heard):
    """Keep what lies round the events of one kind that are heard in the clip.

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

    width: Length | None = None
    before: Length | None = None
    after: Length | None = None
    every: Positive = 1
    offset: Count = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width is not None and (self.before is not None or self.after is not None):
            both = f"{self.name} takes a width, or before and after, not both"
            raise MaskError(both, hint="leave one of them out")

    @abstractmethod
    def times(self, clip: Evaluation) -> FloatArray:
        """Return the times of the events in seconds."""

    def keep(self, clip: Evaluation) -> BoolArray:
        events = clip.grid.frames_at(self.times(clip))[self.offset :: self.every]
        # The paper's width, of VampNet's beat-driven prompts.
        bare = self.width is None and self.before is None and self.after is None
        width = Quantity.parse("75ms") if bare else self.width
        return around(events, clip.timeline, width, self.before, self.after)

    def _heard(self, times: FloatArray, what: str, hint: str = _NO_BEATS) -> FloatArray:
        if not len(times):
            needed = f"'{self.name}' needs {what}, and none are heard in this clip"
            raise MaskError(needed, hint=hint)
        return times


class Onset(Events):
    """Keep what lies round the onsets of notes and hits.

    Examples
    --------
    >>> import vampprompt as vp
    >>> heard = lambda samples, sample_rate: np.array([0.5])
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), onset_detector=heard)
    >>> onset(after=2).array(clip).nonzero()[1]
    array([28, 29, 30])
    """

    def times(self, clip: Evaluation) -> FloatArray:
        hint = "use a mask that needs none, such as periodic(7)"
        return self._heard(clip.context.onsets, "onsets", hint)


class Beat(Events):
    """Keep what lies round the beats, downbeats among them.

    Examples
    --------
    >>> import vampprompt as vp
    >>> tracker = vp.analysis.tracker("steady(120bpm)")
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), beat_tracker=tracker)
    >>> beat(width=3).array(clip).nonzero()[1]
    array([ 0,  1, 27, 28, 29])
    """

    def times(self, clip: Evaluation) -> FloatArray:
        return self._heard(clip.context.beats.beats, "beats")


class Downbeat(Events):
    """Keep what lies round the first beats of the bars.

    Examples
    --------
    >>> import vampprompt as vp
    >>> tracker = vp.analysis.tracker("steady(120bpm)")
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), beat_tracker=tracker)
    >>> downbeat(width=3).array(clip).nonzero()[1]
    array([0, 1])
    """

    def times(self, clip: Evaluation) -> FloatArray:
        return self._heard(clip.context.beats.downbeats, "downbeats")


class Upbeat(Events):
    """Keep what lies round the beats that do not begin a bar.

    Examples
    --------
    >>> import vampprompt as vp
    >>> tracker = vp.analysis.tracker("steady(120bpm)")
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), beat_tracker=tracker)
    >>> upbeat(width=3).array(clip).nonzero()[1]
    array([27, 28, 29])
    """

    def times(self, clip: Evaluation) -> FloatArray:
        beats = self._heard(clip.context.beats.beats, "beats")
        downbeats = self._heard(clip.context.beats.downbeats, "downbeats")
        return beats[~np.isin(clip.grid.frames_at(beats), clip.grid.frames_at(downbeats))]


class Loud(Heard):
    """Keep the frames that are at least this loud: ``loud(above=-30dB)``.

    Parameters
    ----------
    above : level
        In dB re full scale.

    Examples
    --------
    >>> import vampprompt as vp
    >>> meter = vp.analysis.frame_loudness
    >>> clip = vp.Clip(vp.Grid(1, 58), audio=vp.read("in.wav"), loudness_meter=meter)
    >>> bool(loud(above="-60dB").array(clip).all())
    True
    """

    above: Level = Quantity.parse("-30dB")

    def keep(self, clip: Evaluation) -> BoolArray:
        return clip.context.loudness >= float(self.above.number)


onset = named(Onset())
beat = named(Beat())
downbeat = named(Downbeat())
upbeat = named(Upbeat())
loud = named(Loud())
