"""Reads a text.

expr    = xor ("|" xor)*          xor  = and ("^" and)*
and     = diff ("&" diff)*        diff = unary ("-" unary)*
unary   = "~" unary | atom
atom    = "(" expr ")" | compare | range | name [ "(" args ")" ]
compare = axis op quantity | quantity ("<"|"<=") axis [("<"|"<=") quantity]
range   = quantity ".." [quantity] | ".." quantity
args    = positional values, then name=value
value   = quantity | text in quotes | "[" values "]" | expr
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from vampprompt.errors import Span, VampPromptError
from vampprompt.language.registry import Registry
from vampprompt.language.scan import Token, scan, unquote
from vampprompt.language.term import MAX_DEPTH, WORDS, Argument, call
from vampprompt.units import UNITS, Quantity

OPERATORS: Final = ("<", "<=", ">", ">=", "==", "!=")
_MIRRORED: Final = {"<": ">", "<=": ">="}
# More than the parts that a term may have, and soon read.
_LONGEST: Final = 500_000
_CLOSING: Final = {"(": ")", "[": "]"}

T = TypeVar("T")


@dataclass(frozen=True)
class Grammar:
    """What the texts of one kind may say.

    Parameters
    ----------
    names : Registry
        What is to be read.
    example : str
        A text that can be read.
    inner : Registry, optional
        What arguments may name, where that is something else.
    chains : mapping
        For each operator, the class of what it makes of terms; its `level` says how tightly.
    negate : callable, optional
        What ``~`` makes of a term.
    compare : callable, optional
        Makes a term of an axis, an operator and a quantity.
    axes : tuple of str
        The names that may be compared.
    stretch : callable, optional
        Makes a term of the quantities on either side of ``..``, None for one that is missing.
    words : mapping
        What some people write for an operator.
    number : callable
        Reads a number with its unit.
    plain : bool
        Whether names may have hyphens, and values be lists: where there are no operators.

    Examples
    --------
    >>> from vampprompt.analysis import trackers
    >>> print(read("steady(tempo=120bpm)", Grammar(trackers, "madmom", plain=True)))
    steady(120bpm)
    """

    names: Registry[Any]
    example: str
    inner: Registry[Any] | None = None
    chains: Mapping[str, Any] = field(default_factory=dict)
    negate: Any = None
    compare: Any = None
    axes: tuple[str, ...] = ()
    stretch: Any = None
    words: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[str], Any] = Quantity.parse
    plain: bool = False


def read(text: str, grammar: Grammar) -> Any:
    """Return what a text says.

    Raises
    ------
    VampPromptError
        Of the class of the grammar's names, if it says nothing. The error points into the text.

    Examples
    --------
    >>> from vampprompt.samplers import GRAMMAR
    >>> read("top-p(p=0.8, steps=12)", GRAMMAR).steps
    12
    """
    if len(text) > _LONGEST:
        place = Span(text, _LONGEST, _LONGEST + 1)
        raise grammar.names.error(f"a text of more than {_LONGEST} characters", span=place)
    return _Parser(text, grammar).parse()


class _Parser:
    def __init__(self, text: str, grammar: Grammar) -> None:
        self._text = text
        self._grammar = grammar
        self._names = grammar.names
        self._tokens = scan(text, grammar.names.error, plain=grammar.plain)
        self._index = 0
        self._depth = 0

    def parse(self) -> Any:
        if self._next.kind == "end":
            raise self._error(f"an empty {self._names.kind}", f"write {self._grammar.example}")
        made = self._expression()
        if self._next.kind != "end":
            raise self._unexpected("an operator" if self._grammar.chains else "the end")
        return made

    @property
    def _what(self) -> str:
        return f"a {self._names.kind}"

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

    def _expression(self, level: int = 1) -> Any:
        start = self._next
        made = self._unary()
        while self._next.kind == "symbol":
            chain = self._grammar.chains.get(self._next.text)
            if chain is None or chain.level < level:
                break
            terms = [made]
            while self._took(chain.operator):
                terms.append(self._expression(chain.level + 1))
            made = self._made(start, chain, tuple(terms))
        return made

    def _unary(self) -> Any:
        negations = []
        while self._grammar.negate and self._next.text == "~":
            negations.append(self._take())
        token = self._next
        if token.kind == "name":
            made = self._named(self._take())
        elif self._grammar.stretch and (token.kind == "quantity" or token.text == ".."):
            made = self._measured(self._take())
        elif self._grammar.chains and self._took("("):
            self._deeper(token)
            made = self._expression()
            if not self._took(")"):
                raise self._unclosed(token)
            self._depth -= 1
        else:
            raise self._unexpected(self._what)
        for negation in reversed(negations):
            made = self._made(negation, self._grammar.negate, made)
        return made

    def _named(self, token: Token) -> Any:
        if token.text in self._grammar.axes:
            return self._comparison(token)
        if token.text in self._grammar.words:
            hint = f"write {self._grammar.words[token.text]}"
            raise self._error(f"'{token.text}' is not {self._what}", hint, token)
        entry = self._names.get(token.text, self._at(token))
        if self._next.text in OPERATORS and self._grammar.axes:
            hint = f"compare {_one_of(self._grammar.axes)}: codebook<3"
            raise self._error(f"'{token.text}' cannot be compared", hint, token)
        arguments = self._arguments()
        error = self._names.error
        made = self._made(token, call, token.text, entry, arguments, self._since(token), error)
        if not self._names.is_one(type(made)):
            raise error(f"this made no {self._names.kind}", span=self._since(token))
        return made

    def _comparison(self, axis: Token) -> Any:
        if self._next.text == "=":
            raise self._unexpected("a comparison")
        if self._next.text not in OPERATORS:
            raise self._error(f"'{axis.text}' needs a comparison", f"write {axis.text}<3", axis)
        operator = self._take().text
        made = self._made(axis, self._grammar.compare, axis.text, operator, self._quantity())
        if self._next.text in OPERATORS:
            hint = f"write 2<={axis.text}<4 for a stretch"
            raise self._error("a second comparison", hint, self._next)
        return made

    def _measured(self, first: Token) -> Any:
        if first.text == "..":
            return self._made(first, self._grammar.stretch, None, self._quantity())
        quantity = self._number(first)
        if self._took(".."):
            stop = self._quantity() if self._next.kind == "quantity" else None
            return self._made(first, self._grammar.stretch, quantity, stop)
        if self._next.text in OPERATORS:
            return self._sandwich(first, quantity)
        hint = "compare: codebook<3"
        if isinstance(quantity, Quantity) and quantity.is_time:
            hint = f"write {first.text}.. for what follows, or {hint}"
        if self._next.text in UNITS and self._next.kind == "name" and first.text[-1].isdigit():
            hint = f"a unit stands right behind its number: {first.text}{self._next.text}"
        raise self._error(f"'{first.text}' alone is not {self._what}", hint, first)

    def _sandwich(self, first: Token, low: Quantity) -> Any:
        operator, axis = self._take(), self._take()
        if axis.text not in self._grammar.axes:
            self._index -= 1
            raise self._unexpected(_one_of(self._grammar.axes))
        if operator.text not in _MIRRORED:
            hint = f"write {axis.text} first: {axis.text}<3"
            raise self._error(f"a number before '{operator.text}'", hint, operator)
        compare = self._grammar.compare
        made = self._made(first, compare, axis.text, _MIRRORED[operator.text], low)
        if self._next.text not in OPERATORS:
            return made
        second = self._take()
        if second.text not in _MIRRORED:
            hint = f"write both in one direction: 2<={axis.text}<4"
            raise self._error(f"'{second.text}' after '{operator.text}'", hint, second)
        upper = self._made(axis, compare, axis.text, second.text, self._quantity())
        return self._made(first, self._grammar.chains["&"], (made, upper))

    def _quantity(self) -> Any:
        negative = self._took("-")
        if self._next.kind != "quantity":
            raise self._unexpected("a number")
        number = self._number(self._take())
        if not negative:
            return number
        return replace(-number, spelling=f"-{number}") if isinstance(number, Quantity) else -number

    def _number(self, token: Token) -> Any:
        try:
            return self._grammar.number(token.text)
        except VampPromptError as error:
            raise self._error(error.message, error.hint, token) from None

    # Names with arguments

    def _arguments(self) -> list[Argument]:
        return self._listed(self._last, self._argument) if self._took("(") else []

    def _listed(self, opening: Token, read: Callable[[list[T]], T]) -> list[T]:
        """Read what stands behind a bracket and before its closing one, parted by commas."""
        closing = _CLOSING[opening.text]
        self._deeper(opening)
        found: list[T] = []
        while not self._took(closing):
            found.append(read(found))
            if not self._took(",") and self._next.text != closing:
                raise self._unclosed(opening, f"',' or '{closing}'")
        self._depth -= 1
        return found

    def _argument(self, before: list[Argument]) -> Argument:
        name = first = self._next
        if name.kind == "name" and self._tokens[self._index + 1].text == "=":
            self._index += 2
            first = self._next
            return Argument(self._value(), self._since(first), name.text, self._at(name))
        if before and before[-1].name:
            hint = "name it, or put it first"
            raise self._error("a value without a name after one with a name", hint, first)
        return Argument(self._value(), self._since(first))

    def _value(self, _before: object = None) -> Any:
        start, index = self._next, self._index
        if start.kind == "text":
            return unquote(self._take().text)
        if start.kind == "quantity" or start.text == "-":
            quantity = self._quantity()
            if self._grammar.plain or self._next.text not in ("..", *OPERATORS):
                return quantity
            self._index = index
        if self._grammar.plain and (self._took("[") or self._took("(")):
            values = self._listed(start, self._value)
            alone = start.text == "(" and self._tokens[self._index - 2].text != ","
            return values[0] if alone and len(values) == 1 else tuple(values)
        if start.kind == "name" and start.text in WORDS:
            return WORDS[self._take().text]
        outer, self._names = self._names, self._grammar.inner or self._names
        made = self._expression()
        self._names = outer
        return made

    # Places and errors

    def _since(self, start: Token) -> Span:
        return Span(self._text, start.start, self._last.stop)

    def _at(self, token: Token) -> Span:
        return Span(self._text, token.start, token.stop)

    def _made(self, start: Token, make: Callable[..., Any], *args: Any) -> Any:
        try:
            made = make(*args)
        except VampPromptError as error:
            error.span = error.span or self._since(start)
            raise
        return made.located(self._since(start)) if hasattr(made, "located") else made

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            hint = "chains of one operator need no parentheses: a | b | c"
            deep = f"{self._what} nested more than {MAX_DEPTH} levels deep"
            raise self._error(deep, hint, token)

    def _unclosed(self, opening: Token, wanted: str = "')'") -> VampPromptError:
        if self._next.kind == "end":
            kind = "a parenthesis" if opening.text == "(" else "a bracket"
            hint = f"add '{_CLOSING[opening.text]}'"
            return self._error(f"{kind} that is never closed", hint, opening)
        return self._unexpected(wanted)

    def _unexpected(self, wanted: str) -> VampPromptError:
        token = self._next
        words = self._grammar.words
        if token.kind == "end":
            return self._error(f"the {self._names.kind} ends where {wanted} should follow")
        if token.text in words:
            return self._error(f"'{token.text}' is no operator", f"write {words[token.text]}")
        hint = None if self._grammar.chains else f"write {self._grammar.example}"
        if token.text in OPERATORS and self._grammar.axes:
            hint = f"only {_one_of(self._grammar.axes, 'and')} can be compared"
        elif token.text == "=" and self._grammar.axes:
            hint = "write == to compare"
        elif token.text == "-" and self._grammar.stretch:
            hint = "positions are never negative; write suffix(2s) for the end of the clip"
        elif token.text == ")" and not self._depth:
            hint = "no parenthesis is open here"
        elif token.text in ("&", "|") and token.text == self._last.text:
            hint = f"write {token.text} once"
        return self._error(f"{wanted} should stand before '{token.text}'", hint)

    def _error(
        self, message: str, hint: str | None = None, token: Token | None = None
    ) -> VampPromptError:
        return self._names.error(message, hint=hint, span=self._at(token or self._next))


def _one_of(names: tuple[str, ...], last: str = "or") -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
