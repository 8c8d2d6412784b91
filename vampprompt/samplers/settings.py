"""Checks of the settings that users write, and how settings are written back as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, ClassVar

from vampprompt.errors import SamplerError


class SettingError(SamplerError):
    """A setting whose value makes no sense.

    Parameters
    ----------
    setting : str
        The name of the setting, for whoever knows where the user wrote it.
    expected : str
        What its value must be.
    value : object
        What it was.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, setting: str, expected: str, value: object, hint: str | None = None) -> None:
        super().__init__(f"{setting} must be {expected}, not {value!r}", hint=hint)
        self.setting = setting


def whole(setting: str, value: object, least: int = 1) -> int:
    """Return the value of a setting that is a whole number of at least `least`.

    Raises
    ------
    SettingError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(setting, f"a whole number of at least {least}", value)
    return value


def real(
    setting: str,
    value: object,
    allowed: Callable[[float], bool],
    expected: str,
    hint: str | None = None,
) -> float:
    """Return the value of a setting that is a finite number for which `allowed` holds.

    Raises
    ------
    SettingError
        If it is not, saying that it must be `expected`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SettingError(setting, expected, value, hint)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not allowed(number):
        raise SettingError(setting, expected, value, hint)
    return number


class Settings:
    """Base of dataclasses that print as the text they are read from: ``random(steps=12)``.

    The text leaves out settings at their defaults, but not those of filters within it.
    """

    name: ClassVar[str]

    def __str__(self) -> str:
        settings = {field.name: getattr(self, field.name) for field in _fields(self)}
        changed = [f for f in _fields(self) if settings[f.name] != f.default]
        return _call(self.name, {field.name: settings[field.name] for field in changed})

    def _normalise(self, setting: str, value: object) -> None:
        object.__setattr__(self, setting, value)


def _fields(settings: Settings) -> tuple[Field[Any], ...]:
    return fields(settings)  # type: ignore[arg-type]  # subclasses are dataclasses


def _call(name: str, settings: dict[str, object]) -> str:
    written = ", ".join(f"{setting}={_write(value)}" for setting, value in settings.items())
    return f"{name}({written})" if written else name


def _write(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_write(item) for item in value)}]"
    if isinstance(value, Settings):
        return _call(
            value.name, {field.name: getattr(value, field.name) for field in _fields(value)}
        )
    if callable(value):
        return str(getattr(value, "__name__", value))
    return repr(value)
