"""Samplers as text: ``confidence(steps=12, filters=[top-k(k=50), top-p(p=0.9)])``.

The text is a name, and settings in parentheses: numbers, lists in brackets, schedules and
filters by name. Python's own parser reads it, and nothing evaluates it.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from vampprompt.errors import SamplerError, Span, did_you_mean
from vampprompt.protocols import Sampler
from vampprompt.samplers.filters import FILTERS
from vampprompt.samplers.presets import samplers
from vampprompt.samplers.schedules import SCHEDULES
from vampprompt.samplers.settings import SettingError

# A hyphen within a name, which Python would read as a minus: `top-p`, `mask-temperature`.
_HYPHEN = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")

# As in masks: beyond this, a number is a slip of the keyboard.
_LARGEST = 10**15
_HINT = "write a name and settings: typical(mass=0.15, steps=36)"


def from_text(text: str) -> Sampler:
    """Return the sampler that a text describes, as `str` of a sampler writes it.

    Parameters
    ----------
    text : str
        ``confidence``, ``typical(mass=0.2, steps=12)``, ``blocks(schedule=linear)`` … Names are
        those of `samplers`.

    Raises
    ------
    SamplerError
        If the text does not parse, a name or setting is unknown or a value makes no sense. It
        points to the place in the text.

    Examples
    --------
    >>> str(from_text("top-p(p=0.8, steps=12)"))
    'confidence(steps=12, filters=[top-p(p=0.8)])'
    """
    return _Reader(text).sampler()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def sampler(self) -> Sampler:
        node = self._parse()
        name, keywords = self._name_and_keywords(node)
        factory = samplers.get(self._known(name, samplers), span=self._span(name))
        built = self._build(factory, node, keywords)
        if not isinstance(built, Sampler):
            self._fail(f"'{self._source(name)}' made no sampler", name)
        return built

    def _parse(self) -> ast.expr:
        # Every replacement has the length of what it replaces, so that places stay the same;
        # the parentheses let the text begin with a space and run over several lines.
        plain = re.sub(r"\s", " ", _HYPHEN.sub("_", self._text))
        if not plain.isascii():
            at = next(i for i, letter in enumerate(plain) if not letter.isascii())
            span = Span(self._text, at, at + 1)
            raise SamplerError(f"a sampler has no {self._text[at]!r}", hint=_HINT, span=span)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python thinks of 1or 2 helps nobody here
                return ast.parse(f"({plain})", mode="eval").body
        except SyntaxError as error:
            at = min(max((error.offset or 1) - 2, 0), max(len(plain) - 1, 0))
            span = Span(self._text, at, at + 1)
        except (ValueError, RecursionError, MemoryError):
            span = Span(self._text, 0, len(self._text))
        raise SamplerError("this sampler does not parse", hint=_HINT, span=span)

    def _name_and_keywords(self, node: ast.expr) -> tuple[ast.Name, list[ast.keyword]]:
        name = node.func if isinstance(node, ast.Call) else node
        if not isinstance(name, ast.Name):
            self._fail("a name is expected here", name, _HINT)
        if not isinstance(node, ast.Call):
            return name, []
        if node.args:
            self._fail("settings are written with their names", node.args[0], "write steps=36")
        return name, node.keywords

    def _build(
        self, factory: Callable[..., Any], node: ast.expr, keywords: list[ast.keyword]
    ) -> Any:
        parameters = inspect.signature(factory).parameters
        settings: dict[str, Any] = {}
        values: dict[str, ast.expr] = {}
        for keyword in keywords:
            setting = keyword.arg
            if setting is None:
                self._fail("settings are written with their names", keyword.value)
            if setting not in parameters:
                known = ", ".join(parameters)
                hint = did_you_mean(setting, parameters) or f"known: {known}"
                self._fail(f"unknown setting '{setting}'", keyword, hint, length=len(setting))
            if setting in settings:
                self._fail(f"{setting} is set twice", keyword, length=len(setting))
            settings[setting] = self._value(keyword.value)
            values[setting] = keyword.value
        for setting, parameter in parameters.items():
            if parameter.default is parameter.empty and setting not in settings:
                self._fail(f"the setting {setting} is missing", node, f"write {setting}=…")
        try:
            return factory(**settings)
        except SettingError as error:
            at = values.get(error.setting, node)
            raise SamplerError(error.message, hint=error.hint, span=self._span(at)) from None
        except (TypeError, ValueError) as error:  # as samplers of others may say it
            self._fail(f"these settings do not work: {error}", node)

    def _value(self, node: ast.expr) -> object:
        match node:
            case ast.Constant(int() as value) if value > _LARGEST:
                self._fail("a number with more than 15 digits", node, "write a shorter one")
            case ast.Constant(bool() | int() | float() | str() as value):
                return value
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
                return -value
            case ast.List(items) | ast.Tuple(items):
                return tuple(self._value(item) for item in items)
            case ast.Name() if self._known(node, SCHEDULES) in SCHEDULES:
                return SCHEDULES[self._known(node, SCHEDULES)]
            case ast.Name() | ast.Call():
                name, keywords = self._name_and_keywords(node)
                known = self._known(name, FILTERS)
                if known not in FILTERS:
                    hint = did_you_mean(known, [*SCHEDULES, *FILTERS])
                    self._fail(f"unknown schedule or filter '{known}'", name, hint)
                return self._build(FILTERS[known], node, keywords)
        return self._fail("a number, a name or a list is expected here", node)

    def _known(self, name: ast.Name, among: Any) -> str:
        """Return a name as the user wrote it, unless only its spelling with hyphens is known."""
        written = self._source(name)
        hyphened = written.replace("_", "-")
        return hyphened if written not in among and hyphened in among else written

    def _source(self, node: ast.AST) -> str:
        span = self._span(node)
        return self._text[span.start : span.stop]

    def _span(self, node: ast.AST, length: int | None = None) -> Span:
        start: int = max(node.col_offset - 1, 0)  # type: ignore[attr-defined]
        stop: int = min(node.end_col_offset - 1, len(self._text))  # type: ignore[attr-defined]
        return Span(self._text, start, stop if length is None else start + length)

    def _fail(
        self, message: str, node: ast.AST, hint: str | None = None, length: int | None = None
    ) -> NoReturn:
        raise SamplerError(message, hint=hint, span=self._span(node, length))
