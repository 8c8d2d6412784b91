"""The axes `codebook`, `frame` and `time`, and the comparisons that they make."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError
from vampprompt.masks import arguments
from vampprompt.masks.base import PARENTHESES, Mask
from vampprompt.masks.evaluation import BoolArray, Evaluation
from vampprompt.masks.position import Range
from vampprompt.units import IntArray, Quantity, QuantityLike

OPERATORS: Final = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, repr=False)
class Comparison(Mask):
    """Keep the tokens whose place on an axis compares to a bound as the operator says."""

    name = "comparison"

    axis: str
    operator: str
    bound: Quantity

    def __post_init__(self) -> None:
        bound = arguments.offset(self.bound)
        if bound.number < 0:
            hint = "write suffix(2s) for the last two seconds" if self.axis == "time" else None
            raise MaskError(f"{self.axis} is never negative, and '{bound}' is", hint=hint)
        whole = bound.unit == "frame" and bound.number.denominator == 1
        if self.axis != "time" and not whole:
            hint = f"write time{self.operator}{bound}" if self.axis == "frame" else None
            raise MaskError(f"{self.axis} is a whole number, and '{bound}' is not", hint=hint)
        if bound.unit == "frame" and not whole:
            raise MaskError(
                f"'{bound}' is not a whole number of frames", hint=f"write {bound}s for seconds"
            )
        object.__setattr__(self, "bound", bound)
        super().__post_init__()

    def pieces(self) -> Iterator[str | Mask]:
        yield f"{self.axis}{self.operator}{self.bound}"

    def __repr__(self) -> str:
        return f"Comparison({str(self)!r})"

    def keep(self, clip: Evaluation) -> BoolArray:
        compare = OPERATORS[self.operator]
        if self.axis == "codebook":
            keep: BoolArray = compare(
                self._codebooks(clip.grid.n_codebooks), int(self.bound.number)
            )
            return keep[:, None]
        keep = compare(clip.frames, clip.timeline.position(self.bound))
        return keep[None, :]

    def _codebooks(self, n_codebooks: int) -> IntArray:
        # `codebook<14` and `codebook>=14` part fourteen codebooks from none; `codebook<=14`
        # and `codebook==14` speak of one that is not there.
        last = n_codebooks if self.operator in ("<", ">=") else n_codebooks - 1
        if self.bound.number > last:
            raise MaskError(
                f"there is no codebook {self.bound}: the clip has {n_codebooks}, counted from 0",
                hint=f"write a number from 0 to {last}",
            )
        return np.arange(n_codebooks)


class Axis:
    """`codebook`, `frame` or `time`: compared with a number, a mask.

    ``codebook < 3`` keeps the three coarsest codebooks, ``time >= "2s"`` all from the frame in
    which the second second ends, and ``time["2s":"4s"]`` is the range ``2s..4s``. Beside an
    operator, a comparison needs parentheses: ``beat & (codebook < 3)``.
    """

    __array_ufunc__: ClassVar[None] = None

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __lt__(self, bound: QuantityLike) -> Mask:
        return self._compare("<", bound)

    def __le__(self, bound: QuantityLike) -> Mask:
        return self._compare("<=", bound)

    def __gt__(self, bound: QuantityLike) -> Mask:
        return self._compare(">", bound)

    def __ge__(self, bound: QuantityLike) -> Mask:
        return self._compare(">=", bound)

    def __eq__(self, bound: QuantityLike) -> Mask:  # type: ignore[override]
        return self._compare("==", bound)

    def __ne__(self, bound: QuantityLike) -> Mask:  # type: ignore[override]
        return self._compare("!=", bound)

    __hash__ = object.__hash__

    def __getitem__(self, part: slice) -> Mask:
        """Return a stretch of time: ``time["2s":"4s"]``."""
        if self.name != "time":
            raise MaskTypeError(
                f"{self.name}[...] is not a mask",
                hint=f"write ({self.name} >= 2) & ({self.name} < 4)",
            )
        if not isinstance(part, slice) or part.step is not None:
            raise MaskTypeError(
                "time takes a start and a stop",
                hint='write time["2s":"4s"]; for every n-th frame, periodic',
            )
        return Range(part.start, part.stop)

    def __bool__(self) -> NoReturn:
        raise MaskTypeError(f"'{self.name}' is an axis, not a mask", hint=PARENTHESES)

    def _misused(self, other: object = None) -> NoReturn:
        raise MaskTypeError(f"'{self.name}' is an axis, not a mask", hint=PARENTHESES)

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _misused
    __sub__ = __rsub__ = __invert__ = _misused

    def _compare(self, operator: str, bound: Any) -> Comparison:
        if isinstance(bound, (Mask, Axis)):
            raise MaskTypeError(
                f"'{self.name}' is compared with a number, not with '{bound}'", hint=PARENTHESES
            )
        return Comparison(self.name, operator, Quantity.of(bound))


codebook = Axis("codebook")
frame = Axis("frame")
time = Axis("time")
