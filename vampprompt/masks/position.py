"""Masks that know where they are in the clip, and nothing of how it sounds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partialmethod
from operator import eq, ge, gt, le, lt, ne
from typing import Any, ClassVar, Final, NoReturn

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError
from vampprompt.language import Length, Offset, Period
from vampprompt.language.parse import OPERATORS
from vampprompt.language.values import offset as read_offset
from vampprompt.masks.base import PARENTHESES, BoolArray, Evaluation, Mask, named
from vampprompt.masks.shape import around
from vampprompt.units import Quantity

AXES: Final = ("codebook", "frame", "time")
_COMPARING: Final = dict(zip(OPERATORS, (lt, le, gt, ge, eq, ne), strict=True))


class Everything(Mask):
    """Keep every token: the codec's own reconstruction of the clip.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> everything.array(Clip(Grid(1, 8))).astype(int)
    array([[1, 1, 1, 1, 1, 1, 1, 1]])
    """

    def keep(self, clip: Evaluation) -> BoolArray:
        return np.ones((1, 1), dtype=np.bool_)


class Nothing(Mask):
    """Keep no token: unconditional generation.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> nothing.array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 0, 0, 0, 0, 0, 0]])
    """

    def keep(self, clip: Evaluation) -> BoolArray:
        return np.zeros((1, 1), dtype=np.bool_)


class Comparison(Mask):
    """Keep the tokens whose place on an axis compares to a bound as the operator says."""

    axis: str
    operator: str
    bound: Quantity

    def __post_init__(self) -> None:
        bound = read_offset(self.bound)
        if bound.number < 0:
            hint = "write suffix(2s) for the last two seconds" if self.axis == "time" else None
            raise MaskError(f"{self.axis} is never negative, and '{bound}' is", hint=hint)
        seconds = Quantity(bound.number, "second")
        whole = bound.unit == "frame" and bound.number.denominator == 1
        if self.axis != "time" and not whole:
            time = seconds if bound.unit == "frame" else bound
            hint = f"write time{self.operator}{time}" if self.axis == "frame" else None
            raise MaskError(f"{self.axis} is a whole number, and '{bound}' is not", hint=hint)
        if bound.unit == "frame" and not whole:
            hint = f"write {seconds} for seconds"
            raise MaskError(f"'{bound}' is not a whole number of frames", hint=hint)
        object.__setattr__(self, "bound", bound)
        super().__post_init__()

    def pieces(self) -> Iterator[str | Mask]:
        yield f"{self.axis}{self.operator}{self.bound}"

    def __repr__(self) -> str:
        return f"Comparison({str(self)!r})"

    def keep(self, clip: Evaluation) -> BoolArray:
        compare, n_codebooks = _COMPARING[self.operator], clip.grid.n_codebooks
        if self.axis != "codebook":
            return np.asarray(compare(clip.frames, clip.timeline.position(self.bound)))
        # `codebook<14` and `codebook>=14` part fourteen codebooks from none; `codebook<=14`
        # and `codebook==14` speak of one that is not there.
        last = n_codebooks if self.operator in ("<", ">=") else n_codebooks - 1
        if self.bound.number > last:
            none = f"there is no codebook {self.bound}: the clip has {n_codebooks}, counted from 0"
            raise MaskError(none, hint=f"write a number from 0 to {last}")
        return np.asarray(compare(np.arange(n_codebooks)[:, None], int(self.bound.number)))


class Range(Mask):
    """Keep a stretch of time, half open: ``1.5s..3s``, ``1:05..``, ``..1bar``.

    In Python ``time["1.5s":"3s"]``.
    """

    start: Length | None = None
    stop: Length | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        start, stop = self.start, self.stop
        if start is None and stop is None:
            raise MaskError("a range without start and stop", hint="write everything")
        if start is not None and stop is not None:
            if start.unit == stop.unit:
                self._refuse_backwards(start.number, stop.number)
            elif start.seconds is not None and stop.seconds is not None:
                self._refuse_backwards(start.seconds, stop.seconds)

    def pieces(self) -> Iterator[str | Mask]:
        start, stop = ("" if end is None else str(end) for end in (self.start, self.stop))
        yield f"{start}..{stop}"

    def __repr__(self) -> str:
        return f"Range({str(self)!r})"

    def keep(self, clip: Evaluation) -> BoolArray:
        frames = clip.frames
        start = 0 if self.start is None else clip.timeline.position(self.start)
        if self.stop is None:
            return frames >= start
        stop = clip.timeline.position(self.stop)
        self._refuse_backwards(start, stop)
        return (frames >= start) & (frames < stop)

    def _refuse_backwards(self, start: Any, stop: Any) -> None:
        if start > stop:
            hint = f"write {self.stop}..{self.start}"
            raise MaskError(f"the range '{self}' ends before it begins", hint=hint)


class Prefix(Mask):
    """Keep the beginning of the clip: ``prefix(2s)`` is ``..2s``.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> prefix(3).array(Clip(Grid(1, 8))).astype(int)
    array([[1, 1, 1, 0, 0, 0, 0, 0]])
    """

    length: Length

    def keep(self, clip: Evaluation) -> BoolArray:
        return clip.frames < clip.timeline.position(self.length)


class Suffix(Mask):
    """Keep the end of the clip: ``suffix(500ms)``.

    From the frame in which the point that far before the clip's end lies.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> suffix(3).array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 0, 0, 0, 1, 1, 1]])
    """

    length: Length

    def keep(self, clip: Evaluation) -> BoolArray:
        return clip.frames >= clip.timeline.before_end(self.length)


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

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> periodic(4, width=2).array(Clip(Grid(1, 8))).astype(int)
    array([[1, 1, 0, 0, 1, 1, 0, 0]])
    """

    period: Period
    width: Length = Quantity.of(1)
    offset: Offset = Quantity.of(0)

    def keep(self, clip: Evaluation) -> BoolArray:
        places = clip.timeline.every(self.period, self.offset)
        return around(places, clip.timeline, self.width)


class Axis:
    """`codebook`, `frame` or `time`: compared with a number, a mask.

    ``codebook < 3`` keeps the three coarsest codebooks, ``time >= "2s"`` all from the frame in
    which the second second ends, and ``time["2s":"4s"]`` is the range ``2s..4s``. Beside an
    operator, a comparison needs parentheses: ``beat & (codebook < 3)``.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> ((codebook < 1) & (frame >= 2)).array(Clip(Grid(2, 4))).astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 0, 0]])
    >>> print(codebook < 3, time >= "2s", time["2s":"4s"])
    codebook<3 time>=2s 2s..4s
    """

    __array_ufunc__: ClassVar[None] = None

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def _compare(self, operator: str, bound: Any) -> Mask:
        if isinstance(bound, (Mask, Axis)):
            what = f"'{self.name}' is compared with a number, not with '{bound}'"
            raise MaskTypeError(what, hint=PARENTHESES)
        return Comparison(self.name, operator, Quantity.of(bound))

    __lt__, __le__ = partialmethod(_compare, "<"), partialmethod(_compare, "<=")
    __gt__, __ge__ = partialmethod(_compare, ">"), partialmethod(_compare, ">=")
    __eq__, __ne__ = partialmethod(_compare, "=="), partialmethod(_compare, "!=")
    __hash__ = object.__hash__

    def __getitem__(self, part: slice) -> Mask:
        """Return a stretch of time: ``time["2s":"4s"]``."""
        if self.name != "time":
            hint = f"write ({self.name} >= 2) & ({self.name} < 4)"
            raise MaskTypeError(f"{self.name}[...] is not a mask", hint=hint)
        if not isinstance(part, slice) or part.step is not None:
            hint = 'write time["2s":"4s"]; for every n-th frame, periodic'
            raise MaskTypeError("time takes a start and a stop", hint=hint)
        return Range(part.start, part.stop)

    def _misused(self, other: object = None) -> NoReturn:
        raise MaskTypeError(f"'{self.name}' is an axis, not a mask", hint=PARENTHESES)

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _misused
    __sub__ = __rsub__ = __invert__ = __bool__ = _misused


everything = named(Everything())
nothing = named(Nothing())
prefix = named(Prefix)
suffix = named(Suffix)
periodic = named(Periodic)
codebook, frame, time = map(Axis, AXES)
