"""Reads the text of a mask.

expr    = xor ("|" xor)*          xor  = and ("^" and)*
and     = diff ("&" diff)*        diff = unary ("-" unary)*
unary   = "~" unary | atom
atom    = "(" expr ")" | compare | range | name [ "(" args ")" ]
compare = axis op quantity | quantity ("<"|"<=") axis [("<"|"<=") quantity]
range   = quantity ".." [quantity] | ".." quantity
args    = positional values, then name=value      value: quantity | text in quotes | expr
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from vampprompt.errors import MaskError, MaskTypeError, Span
from vampprompt.masks.axes import OPERATORS, Comparison
from vampprompt.masks.base import MAX_DEPTH, And, Difference, Mask, Not, Or, Xor
from vampprompt.masks.calls import Argument, Value, call
from vampprompt.masks.names import AXES, WORDS, Names
from vampprompt.masks.position import Range
from vampprompt.masks.tokens import Token, tokenize, unquote
from vampprompt.units import UNITS, Quantity

_CHAINS: Final = {chain.operator: chain for chain in (Or, Xor, And, Difference)}
_MIRRORED: Final = {"<": ">", "<=": ">="}


def parse(text: str, definitions: Mapping[str, str] | None = None) -> Mask:
    """Read a mask from its text.

    Parameters
    ----------
    text : str
        An expression of the mask language, of one or several lines.
    definitions : mapping, optional
        Names of the user's own with the expressions that they stand for.

    Raises
    ------
    MaskError
        If the text, or a definition that it uses, is no mask. The error points into the text.

    Examples
    --------
    >>> print(parse("beat&(codebook<3)"))
    beat & codebook<3
    """
    if not isinstance(text, str):
        raise MaskTypeError(f"{text!r} is no text", hint="a mask made in Python needs no reading")
    names = Names(definitions or {}, lambda text, names: _Parser(text, names).parse())
    return _Parser(text, names).parse()


class _Parser:
    def __init__(self, text: str, names: Names) -> None:
        self._text = text
        self._names = names
        self._tokens = tokenize(text)
        self._index = 0
        self._depth = 0

    def parse(self) -> Mask:
        if self._next.kind == "end":
            raise self._error("an empty mask", "write what to keep, such as beat & codebook<3")
        mask = self._expression()
        if self._next.kind != "end":
            raise self._unexpected("an operator")
        return mask

    # The tokens ahead

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    @property
    def _last(self) -> Token:
        return self._tokens[self._index - 1]

    def _take(self) -> Token:
        self._index += 1
        return self._last

    def _took(self, symbol: str) -> bool:
        if self._next.kind == "symbol" and self._next.text == symbol:
            self._index += 1
            return True
        return False

    # The grammar, by the precedence of the operators

    def _expression(self, level: int = 1) -> Mask:
        start = self._next
        mask = self._unary()
        while self._next.kind == "symbol":
            chain = _CHAINS.get(self._next.text)
            if chain is None or chain.level < level:
                break
            terms = [mask]
            while self._took(chain.operator):
                terms.append(self._expression(chain.level + 1))
            mask = self._made(start, chain, tuple(terms))
        return mask

    def _unary(self) -> Mask:
        negations = []
        while self._next.text == "~":
            negations.append(self._take())
        token = self._take()
        if token.kind == "name":
            mask = self._named(token)
        elif token.kind == "quantity" or token.text == "..":
            mask = self._measured(token)
        elif token.text == "(":
            self._deeper(token)
            mask = self._expression()
            if not self._took(")"):
                raise self._unclosed(token)
            self._depth -= 1
        else:
            self._index -= 1
            raise self._unexpected("a mask")
        for negation in reversed(negations):
            mask = self._made(negation, Not, mask)
        return mask

    def _named(self, token: Token) -> Mask:
        if token.text in AXES:
            return self._comparison(token)
        if token.text in WORDS:
            raise self._error(f"'{token.text}' is not a mask", f"write {WORDS[token.text]}", token)
        entry = self._names.get(token.text, self._at(token))
        if self._next.text in OPERATORS:
            raise self._error(
                f"'{token.text}' cannot be compared",
                "compare codebook, frame or time: codebook<3",
                token,
            )
        arguments = self._arguments()
        return self._made(token, call, token.text, entry, arguments, self._since(token))

    def _comparison(self, axis: Token) -> Mask:
        if self._next.text == "=":
            raise self._unexpected("a comparison")
        if self._next.text not in OPERATORS:
            raise self._error(f"'{axis.text}' needs a comparison", f"write {axis.text}<3", axis)
        operator = self._take().text
        mask = self._made(axis, Comparison, axis.text, operator, self._quantity())
        if self._next.text in OPERATORS:
            hint = f"write 2<={axis.text}<4 for a stretch"
            raise self._error("a second comparison", hint, self._next)
        return mask

    def _measured(self, first: Token) -> Mask:
        if first.text == "..":
            return self._made(first, Range, None, self._quantity())
        quantity = self._read(first)
        if self._took(".."):
            stop = self._quantity() if self._next.kind == "quantity" else None
            return self._made(first, Range, quantity, stop)
        if self._next.text in OPERATORS:
            return self._sandwich(first, quantity)
        hint = f"write {first.text}.. for what follows, or compare: codebook<3"
        if self._next.text in UNITS and self._next.kind == "name":
            hint = f"a unit stands right behind its number: {first.text}{self._next.text}"
        raise self._error(f"'{first.text}' alone is not a mask", hint, first)

    def _sandwich(self, first: Token, low: Quantity) -> Mask:
        operator, axis = self._take(), self._take()
        if axis.text not in AXES:
            self._index -= 1
            raise self._unexpected("codebook, frame or time")
        if operator.text not in _MIRRORED:
            hint = f"write {axis.text} first: {axis.text}<3"
            raise self._error(f"a number before '{operator.text}'", hint, operator)
        mask = self._made(first, Comparison, axis.text, _MIRRORED[operator.text], low)
        if self._next.text not in OPERATORS:
            return mask
        second = self._take()
        if second.text not in _MIRRORED:
            hint = f"write both in one direction: 2<={axis.text}<4"
            raise self._error(f"'{second.text}' after '{operator.text}'", hint, second)
        upper = self._made(axis, Comparison, axis.text, second.text, self._quantity())
        return self._made(first, And, (mask, upper))

    def _quantity(self) -> Quantity:
        negative = self._took("-")
        if self._next.kind != "quantity":
            raise self._unexpected("a number")
        quantity = self._read(self._take())
        return replace(-quantity, spelling=f"-{quantity}") if negative else quantity

    def _read(self, token: Token) -> Quantity:
        try:
            return Quantity.parse(token.text)
        except MaskError as error:
            error.span = self._at(token)
            raise

    # Names with arguments

    def _arguments(self) -> list[Argument]:
        if not self._took("("):
            return []
        opening = self._last
        self._deeper(opening)
        arguments: list[Argument] = []
        while self._next.text != ")":
            arguments.append(self._argument(after_name=bool(arguments and arguments[-1].name)))
            if not self._took(",") and self._next.text != ")":
                raise self._unclosed(opening, "',' or ')'")
        self._take()
        self._depth -= 1
        return arguments

    def _argument(self, after_name: bool) -> Argument:
        start = self._next
        if start.kind == "name" and self._tokens[self._index + 1].text == "=":
            self._index += 2
            first = self._next
            return Argument(self._value(), self._since(first), start.text, self._at(start))
        if after_name:
            raise self._error(
                "a value without a name after one with a name", "name it, or put it first", start
            )
        return Argument(self._value(), self._since(start))

    def _value(self) -> Value:
        start, index = self._next, self._index
        if start.kind == "text":
            return unquote(self._take().text)
        if start.kind == "quantity" or start.text == "-":
            quantity = self._quantity()
            if self._next.text != ".." and self._next.text not in OPERATORS:
                return quantity
            self._index = index
        return self._expression()

    # Places and errors

    def _since(self, start: Token) -> Span:
        return Span(self._text, start.start, self._last.stop)

    def _at(self, token: Token) -> Span:
        return Span(self._text, token.start, token.stop)

    def _made(self, start: Token, make: Callable[..., Mask], *args: Any, **kwargs: Any) -> Mask:
        try:
            return make(*args, **kwargs).located(self._since(start))
        except MaskError as error:
            error.span = error.span or self._since(start)
            raise

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(
                f"a mask nested more than {MAX_DEPTH} levels deep",
                "chains of one operator need no parentheses: a | b | c",
                token,
            )

    def _unclosed(self, opening: Token, wanted: str = "')'") -> MaskError:
        if self._next.kind == "end":
            return self._error("a parenthesis that is never closed", "add ')'", opening)
        return self._unexpected(wanted)

    def _unexpected(self, wanted: str) -> MaskError:
        token = self._next
        if token.kind == "end":
            return self._error(f"the mask ends where {wanted} should follow")
        if token.text in WORDS:
            return self._error(
                f"'{token.text}' is no operator", f"write {WORDS[token.text]}", token
            )
        hint = None
        if token.text in OPERATORS:
            hint = "only codebook, frame and time can be compared"
        elif token.text == "=":
            hint = "write == to compare"
        elif token.text == "-":
            hint = "positions are never negative; write suffix(2s) for the end of the clip"
        elif token.text == ")" and not self._depth:
            hint = "no parenthesis is open here"
        elif token.text in ("&", "|") and self._index and token.text == self._last.text:
            hint = f"write {token.text} once"
        return self._error(f"{wanted} should stand before '{token.text}'", hint, token)

    def _error(
        self, message: str, hint: str | None = None, place: Token | Span | None = None
    ) -> MaskError:
        place = place or self._next
        span = place if isinstance(place, Span) else self._at(place)
        return MaskError(message, hint=hint, span=span)
