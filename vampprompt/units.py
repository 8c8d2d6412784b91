"""Quantities with units, and the only conversions between seconds, beats and frames.

Positions become frames by one rule: a point at ``t`` seconds lies in frame
``floor(t * sample_rate / hop_length)``. Lengths become the nearest whole number of frames.
Musical positions count from the first beat (``beat``) or the first downbeat (``bar``) of the
clip, and run on at the tempo of the first and the last interval outside the beats heard.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vampprompt.errors import MaskError, MaskTypeError, did_you_mean

__all__ = [
    "UNITS",
    "Beats",
    "Grid",
    "Quantity",
    "QuantityLike",
    "Timeline",
    "bars",
    "beats",
    "exactly",
    "ms",
    "s",
]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

UNITS = {
    "": "frame",
    "f": "frame",
    "s": "second",
    "ms": "millisecond",
    "beat": "beat",
    "beats": "beat",
    "bar": "bar",
    "bars": "bar",
    "%": "percent",
    "dB": "decibel",
    "bpm": "tempo",
}
"""The unit behind each way to write it.

>>> UNITS["ms"]
'millisecond'
"""
NUMBER = r"\d+(?:\.\d+)?|\.\d+"
# Minutes and seconds, and hours before them.
CLOCK = r"\d+(?::\d+)+(?:\.\d+)?"
_CLOCK = re.compile(r"(?P<sign>-?)(?:(?P<h>\d+):)?(?P<m>\d+):(?P<s>\d\d(?:\.\d+)?)")
_QUANTITY = re.compile(rf"(?P<number>-?(?:{NUMBER})(?:/(?:{NUMBER}))?)(?P<unit>[A-Za-z%]*)")
# Beyond this, a number in a mask is a slip of the keyboard; below it, arithmetic stays exact.
_LARGEST = 10**15
# More is not even reckoned with.
_MOST_DIGITS = 64
# A time that is meant to be a frame's first instant must not fall into the frame before it
# because of the last bit of a float. A millionth of a frame is 17 nanoseconds.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, as the language writes it: ``2s``, ``1:05``, ``1/2beat``.

    Parameters
    ----------
    number : Fraction
        Exact: decimals are read as written.
    unit : str
        ``frame``, ``second``, ``millisecond``, ``beat``, ``bar``, ``percent``, ``decibel`` or,
        for beats a minute, ``tempo``.
    spelling : str
        The text that the quantity was read from, which `str` gives back. Not compared.

    Examples
    --------
    >>> Quantity.parse("1:05").seconds
    Fraction(65, 1)
    >>> print(0.5 * beats, Quantity.of("2s"))
    0.5beat 2s
    """

    number: Fraction
    unit: str
    spelling: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if max(abs(self.number.numerator), self.number.denominator) > _LARGEST:
            raise MaskError("a number with more than 15 digits", hint="write a shorter one")
        if not self.number:  # nothing is not negative, and positions have no sign
            object.__setattr__(self, "spelling", self.spelling.removeprefix("-"))

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """Read a quantity.

        Raises
        ------
        MaskError
            If the text is not a number with a known unit right behind it.
        """
        if ":" in text:
            return cls(_seconds_of_clock(text), "second", text)
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise MaskError(f"'{text}' is not a quantity", hint="write 7, 2s, 500ms or 1/2beat")
        if match["unit"] not in UNITS:
            units = [unit for unit in UNITS if unit]
            near = next((unit for unit in units if unit.lower() == match["unit"].lower()), None)
            # All but the last, which is for beat trackers.
            known = f"units: {' '.join(units[:-1])}"
            hint = did_you_mean(near or match["unit"], units) or known
            raise MaskError(f"unknown unit '{match['unit']}'", hint=hint)
        if len(match["number"]) > _MOST_DIGITS:
            raise MaskError("a number with more than 15 digits", hint="write a shorter one")
        numerator, _, denominator = match["number"].partition("/")
        if denominator and not Fraction(denominator):
            raise MaskError(f"'{text}' divides by zero")
        number = Fraction(numerator) / Fraction(denominator or 1)
        return cls(number, UNITS[match["unit"]], text)

    @classmethod
    def of(cls, value: QuantityLike) -> Quantity:
        """Take a quantity as Python code gives it: itself, its text, or a number of frames.

        Raises
        ------
        MaskTypeError
            For a float, which could be meant as frames or as seconds.
        MaskError
            For a wrong text.
        """
        if isinstance(value, Quantity):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            try:
                example = exactly(value) * s
            except (MaskError, OverflowError):
                example = 2 * s
            raise MaskTypeError(
                f"{value!r} is not a quantity",
                hint=f"write '{example}' for seconds; a bare number is frames, and whole",
            )
        return cls(Fraction(int(value)), "frame", str(value))

    def __str__(self) -> str:
        return self.spelling or f"{_decimal(self.number)}{_SHORTEST[self.unit]}"

    def __neg__(self) -> Quantity:
        return Quantity(-self.number, self.unit)

    def __rmul__(self, number: int | float | Fraction) -> Quantity:
        return Quantity(exactly(number) * self.number, self.unit)

    @property
    def is_time(self) -> bool:
        """Whether it measures a clip: in frames, time, beats, bars or percent of its length."""
        return self.unit not in ("decibel", "tempo")

    @property
    def is_musical(self) -> bool:
        """Whether its length in seconds depends on the beats of a clip."""
        return self.unit in ("beat", "bar")

    @property
    def seconds(self) -> Fraction | None:
        """The quantity in seconds, or None where that depends on the clip."""
        scale = {"second": Fraction(1), "millisecond": Fraction(1, 1000)}.get(self.unit)
        return None if scale is None else self.number * scale


QuantityLike: TypeAlias = Quantity | str | int
"""A quantity, its text, or a number of frames.

>>> Quantity.of("2s"), Quantity.of(7)
(Quantity(number=Fraction(2, 1), unit='second'), Quantity(number=Fraction(7, 1), unit='frame'))
"""

_SHORTEST = {unit: text for text, unit in reversed(UNITS.items())}
s = Quantity(Fraction(1), "second")
"""A second.

>>> print(2 * s)
2s
"""
ms = Quantity(Fraction(1), "millisecond")
"""A millisecond.

>>> print(500 * ms)
500ms
"""
beats = Quantity(Fraction(1), "beat")
"""A beat of the clip.

>>> print(0.5 * beats)
0.5beat
"""
bars = Quantity(Fraction(1), "bar")
"""A bar of the clip.

>>> print(2 * bars)
2bar
"""


def exactly(number: int | float | np.floating[Any] | Fraction) -> Fraction:
    """Return the number that a float is meant to be: 0.1 is a tenth, 1 / 3 is a third.

    Raises
    ------
    MaskTypeError
        If it is none, or infinite.

    Examples
    --------
    >>> exactly(0.1)
    Fraction(1, 10)
    """
    try:
        return Fraction(str(number)).limit_denominator(10**9)
    except ValueError:
        raise MaskTypeError(f"{number} is not a number") from None


def _seconds_of_clock(text: str) -> Fraction:
    match = _CLOCK.fullmatch(text)
    if match is None or len(text) > _MOST_DIGITS:
        hint = "write minutes and seconds as 1:05, with hours as 1:02:03.5, and no unit"
        raise MaskError(f"'{text}' is not a time", hint=hint)
    hours, minutes, seconds = int(match["h"] or 0), int(match["m"]), Fraction(match["s"])
    total = (hours * 60 + minutes) * 60 + seconds
    if seconds >= 60 or (match["h"] and minutes >= 60):
        what = "seconds" if seconds >= 60 else "minutes"
        hint = f"write {match['sign']}{_decimal(total)}s"
        raise MaskError(f"'{text}' is not a time: {what} go up to 59", hint=hint)
    return -total if match["sign"] else total


def _decimal(number: Fraction) -> str:
    """Write a number exactly: as a decimal where one ends, else as a fraction."""
    with localcontext(prec=80):  # more digits than numerator and denominator can make
        decimal = Decimal(number.numerator) / number.denominator
    return f"{decimal:f}" if Fraction(decimal) == number else str(number)


@dataclass(frozen=True, repr=False)
class Beats:
    """The beats heard in a clip.

    Attributes
    ----------
    beats : ndarray
        Times of all beats in seconds, sorted.
    downbeats : ndarray
        Those of the beats that begin a bar. Empty where the tracker hears no bars.

    Examples
    --------
    >>> Beats(np.array([0.0, 0.5, 1.0]), np.array([0.0]))
    <Beats: 3 beats, 1 downbeats>
    """

    beats: FloatArray
    downbeats: FloatArray

    def __repr__(self) -> str:
        return f"<Beats: {len(self.beats)} beats, {len(self.downbeats)} downbeats>"

    @classmethod
    def none(cls) -> Beats:
        """Return no beats."""
        return cls(np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Grid:
    """The tokens of a clip: how many codebooks and frames, and how long a frame is.

    Parameters
    ----------
    n_codebooks, n_frames : int
        The shape ``[codebook, frame]`` of the clip's keep masks.
    sample_rate : int
        In Hz.
    hop_length : int
        Samples in a frame.

    Examples
    --------
    >>> import numpy as np
    >>> grid = Grid(n_codebooks=14, n_frames=574)
    >>> grid.frames_at(np.array([0.0, 0.5, 2.0]))
    array([  0,  28, 114])
    """

    n_codebooks: int
    n_frames: int
    sample_rate: int = 44100
    hop_length: int = 768

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_codebooks, n_frames)``."""
        return self.n_codebooks, self.n_frames

    @property
    def frame_rate(self) -> Fraction:
        """Frames in a second, exactly."""
        return Fraction(self.sample_rate, self.hop_length)

    @property
    def duration(self) -> float:
        """Length of the clip in seconds, to whole frames."""
        return float(self.n_frames / self.frame_rate)

    def frames_at(self, seconds: FloatArray) -> IntArray:
        """Return the frame in which each time lies; outside the clip where the time is."""
        return np.floor(seconds * float(self.frame_rate) + _ROUNDING).astype(np.int64)

    def seconds_at(self, frames: IntArray) -> FloatArray:
        """Return the time in seconds at which each frame begins."""
        return frames.astype(np.float64) * (self.hop_length / self.sample_rate)


class Timeline:
    """Positions and lengths of a clip in any unit, as frames.

    Parameters
    ----------
    grid : Grid
        The clip's tokens.
    beats : callable
        Returns the clip's `Beats`. Called only for quantities in beats or bars.

    Examples
    --------
    >>> timeline = Timeline(Grid(9, 574), lambda: Beats(np.array([0.0, 0.5]), np.array([0.0])))
    >>> timeline.position("2s"), timeline.position("1/2beat"), timeline.length("500ms")
    (114, 14, 29)
    """

    def __init__(self, grid: Grid, beats: Callable[[], Beats]) -> None:
        self.grid = grid
        self._beats = beats

    def position(self, quantity: QuantityLike) -> int:
        """Return the frame in which a position of the clip lies.

        Raises
        ------
        MaskError
            If the clip has no beats to count, or the unit is no unit of time.
        """
        quantity = Quantity.of(quantity)
        if quantity.is_musical:
            seconds = self._pulse(quantity.unit).seconds(np.array([float(quantity.number)]))
            return int(self.grid.frames_at(seconds)[0])
        return math.floor(self._exact_frames(quantity))

    def before_end(self, quantity: QuantityLike) -> int:
        """Return the frame in which the point a quantity before the clip's end lies.

        Raises
        ------
        MaskError
            As `position` does.
        """
        quantity = Quantity.of(quantity)
        if quantity.is_musical:
            pulse = self._pulse(quantity.unit)
            end = pulse.count(np.array([self.grid.duration]))
            return int(self.grid.frames_at(pulse.seconds(end - float(quantity.number)))[0])
        return math.floor(self.grid.n_frames - self._exact_frames(quantity))

    def length(self, quantity: QuantityLike) -> int:
        """Return a length as the nearest whole number of frames.

        Raises
        ------
        MaskError
            For beats and bars, whose length changes along the clip, and for units that are not
            of time.
        """
        quantity = Quantity.of(quantity)
        if quantity.is_musical:
            raise MaskError(
                f"'{quantity}' has no single length in frames", hint="write frames, ms or s here"
            )
        return math.floor(self._exact_frames(quantity) + Fraction(1, 2))

    def moved(self, frames: IntArray, quantity: QuantityLike) -> IntArray:
        """Return the frames that lie a quantity later (earlier, if it is negative).

        In beats and bars the distance follows the clip's own tempo at each frame.
        """
        quantity = Quantity.of(quantity)
        if not quantity.is_musical:
            return frames + self.length(quantity)
        pulse = self._pulse(quantity.unit)
        # The middle of a frame stands for it, so that moving there and back lands in it again.
        middle = self.grid.seconds_at(frames) + 0.5 / float(self.grid.frame_rate)
        return self.grid.frames_at(pulse.seconds(pulse.count(middle) + float(quantity.number)))

    def every(self, period: QuantityLike, offset: QuantityLike = 0) -> IntArray:
        """Return the frames at offset, offset + period, offset + 2 periods … inside the clip.

        An offset in beats or bars, or a period in them, counts from the first of these; whole
        periods before the offset count too, back to the start of the clip.

        Raises
        ------
        MaskError
            If the period is shorter than a frame.
        """
        period, offset = Quantity.of(period), Quantity.of(offset)
        if period.number <= 0:
            raise MaskError(f"a period of '{period}' repeats nothing", hint="write one above 0")
        if period.is_musical:
            frames = self._every_count(period, offset)
        else:
            frames = self._every_frames(period, offset)
        return frames[(frames >= 0) & (frames < self.grid.n_frames)]

    def _every_count(self, period: Quantity, offset: Quantity) -> IntArray:
        pulse = self._pulse(period.unit)
        origin, step = self._count(pulse, offset, period.unit), float(period.number)
        first, last = pulse.count(np.array([0.0, self.grid.duration]))
        self._refuse_too_short(period, (last - first) / step)
        counts = origin + step * np.arange(
            math.ceil((first - origin) / step), math.floor((last - origin) / step) + 1
        )
        return self.grid.frames_at(pulse.seconds(counts))

    def _every_frames(self, period: Quantity, offset: Quantity) -> IntArray:
        step = self._exact_frames(period)
        self._refuse_too_short(period, self.grid.n_frames / step)
        origin = self.position(offset) if offset.is_musical else self._exact_frames(offset)
        # A millionth of a frame is enough, and keeps the products below within 64 bits.
        step, origin = (value.limit_denominator(10**6) for value in (step, origin % step))
        if step > self.grid.n_frames:
            return np.array([math.floor(origin)])
        n_periods = math.ceil((self.grid.n_frames - origin) / step)
        # Integers, not floats: frame 200,000 of a clip must be as exact as frame 2.
        scale = math.lcm(step.denominator, origin.denominator)
        return (int(origin * scale) + np.arange(n_periods) * int(step * scale)) // scale

    def _refuse_too_short(self, period: Quantity, n_periods: Fraction | float) -> None:
        if n_periods > self.grid.n_frames:
            raise MaskError(
                f"a period of '{period}' is shorter than a frame", hint="write a longer one"
            )

    def _count(self, pulse: _Pulse, offset: Quantity, unit: str) -> float:
        if offset.unit == unit or not offset.number:
            return float(offset.number)
        seconds = self.grid.seconds_at(np.array([self.position(offset)]))
        return float(pulse.count(seconds)[0])

    def _exact_frames(self, quantity: Quantity) -> Fraction:
        if quantity.unit == "frame":
            return quantity.number
        if quantity.unit == "percent":
            return quantity.number * self.grid.n_frames / 100
        if quantity.seconds is None:
            raise MaskError(f"'{quantity}' is not a time", hint="write frames, ms, s, beat or bar")
        return quantity.seconds * self.grid.frame_rate

    def _pulse(self, unit: str) -> _Pulse:
        heard = self._beats()
        times = heard.beats if unit == "beat" else heard.downbeats
        if len(times) < 2:
            what = "beats" if unit == "beat" else "downbeats"
            raise MaskError(
                f"a length in {unit}s needs at least two {what}, and this clip has {len(times)}",
                hint="write the length in seconds or frames, or try another beat tracker",
            )
        return _Pulse(times)


class _Pulse:
    """Counts beats along a clip, between and beyond those heard."""

    def __init__(self, times: FloatArray) -> None:
        first, last = times[1] - times[0], times[-1] - times[-2]
        # One far point on either side carries the first and the last tempo outwards.
        far = 1e6
        self._times = np.concatenate([[times[0] - far * first], times, [times[-1] + far * last]])
        self._counts = np.concatenate([[-far], np.arange(len(times)), [len(times) - 1 + far]])

    def count(self, seconds: FloatArray) -> FloatArray:
        counts: FloatArray = np.interp(seconds, self._times, self._counts)
        return counts

    def seconds(self, counts: FloatArray) -> FloatArray:
        seconds: FloatArray = np.interp(counts, self._counts, self._times)
        return seconds
