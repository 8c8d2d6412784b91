"""Masks that know where they are in the clip, and nothing of how it sounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vampprompt.errors import MaskError
from vampprompt.masks import arguments
from vampprompt.masks.base import Mask, reads
from vampprompt.masks.evaluation import BoolArray, Evaluation
from vampprompt.masks.runs import around
from vampprompt.units import Quantity, QuantityLike

_END = reads(arguments.optional(arguments.length))


@dataclass(frozen=True, repr=False)
class Range(Mask):
    """Keep a stretch of time, half open: ``1.5s..3s``, ``2s..``, ``..1bar``.

    In Python ``time["1.5s":"3s"]``.
    """

    name = "range"

    start: QuantityLike | None = field(default=None, metadata=_END)
    stop: QuantityLike | None = field(default=None, metadata=_END)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start is None and self.stop is None:
            raise MaskError("a range without start and stop", hint="write everything")
        start, stop = self.start, self.stop
        if isinstance(start, Quantity) and isinstance(stop, Quantity):
            ends = [quantity.number for quantity in (start, stop)]
            if start.unit != stop.unit:
                ends = [end for end in (start.seconds, stop.seconds) if end is not None]
            self._refuse_backwards(*ends)

    def pieces(self) -> Iterator[str | Mask]:
        start, stop = ("" if end is None else str(end) for end in (self.start, self.stop))
        yield f"{start}..{stop}"

    def __repr__(self) -> str:
        return f"Range({str(self)!r})"

    def keep(self, clip: Evaluation) -> BoolArray:
        frames = clip.frames
        start = 0 if self.start is None else clip.timeline.position(self.start)
        stop = len(frames) if self.stop is None else clip.timeline.position(self.stop)
        if self.stop is not None:
            self._refuse_backwards(start, stop)
        keep: BoolArray = (frames >= start) & (frames < stop)
        return keep[None, :]

    def _refuse_backwards(self, *ends: object) -> None:
        if len(ends) == 2 and ends[0] > ends[1]:  # type: ignore[operator]
            raise MaskError(
                f"the range '{self}' ends before it begins", hint=f"write {self.stop}..{self.start}"
            )


@dataclass(frozen=True, repr=False)
class Prefix(Mask):
    """Keep the beginning of the clip: ``prefix(2s)`` is ``..2s``."""

    name = "prefix"

    length: QuantityLike = field(metadata=reads(arguments.length))

    def keep(self, clip: Evaluation) -> BoolArray:
        keep: BoolArray = clip.frames < clip.timeline.position(self.length)
        return keep[None, :]


@dataclass(frozen=True, repr=False)
class Suffix(Mask):
    """Keep the end of the clip: ``suffix(500ms)``.

    From the frame in which the point that far before the clip's end lies.
    """

    name = "suffix"

    length: QuantityLike = field(metadata=reads(arguments.length))

    def keep(self, clip: Evaluation) -> BoolArray:
        keep: BoolArray = clip.frames >= clip.timeline.before_end(self.length)
        return keep[None, :]


@dataclass(frozen=True, repr=False)
class Periodic(Mask):
    """Keep some frames again and again: ``periodic(7)``, ``periodic(1beat, width=3)``.

    Garcia et al., "VampNet: Music Generation via Masked Acoustic Token Modeling", 2023,
    section 3.4.

    Parameters
    ----------
    period : quantity
        Distance from one kept place to the next, in frames, time, beats or bars.
    width : quantity
        How much is kept at each: n frames are exactly n, odd ones symmetric, even ones with
        one more after than before.
    offset : quantity
        Where in the clip the first one lies; in beats and bars, from the first of them.
    """

    name = "periodic"

    period: QuantityLike = field(metadata=reads(arguments.period))
    width: QuantityLike = field(default=1, metadata=reads(arguments.length))
    offset: QuantityLike = field(default=0, metadata=reads(arguments.offset))

    def keep(self, clip: Evaluation) -> BoolArray:
        places = clip.timeline.every(self.period, self.offset)
        return around(places, clip.timeline, self.width)


prefix = Prefix
suffix = Suffix
periodic = Periodic
