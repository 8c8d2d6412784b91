"""The names of samplers, and samplers as text: ``confidence(steps=12, filters=[top-k(k=50)])``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any, TypeAlias, cast

from vampprompt.errors import SamplerError
from vampprompt.language import Grammar, Registry, read
from vampprompt.language.values import bare_number
from vampprompt.protocols import Sampler
from vampprompt.samplers.filters import FILTERS
from vampprompt.samplers.orders import Blocks, Codebooks, Confidence, Halton, RandomOrder
from vampprompt.samplers.schedules import SCHEDULES

# Takes the settings by keyword, as its signature names them.
SamplerFactory: TypeAlias = Callable[..., Sampler]

samplers: Registry[SamplerFactory] = Registry("sampler", "vampprompt.samplers", SamplerError)
"""Samplers by name, those of installed packages included."""

parts: Registry[Any] = Registry("schedule or filter", "vampprompt.filters", SamplerError)
"""What the settings of samplers may name, that of installed packages included."""

GRAMMAR = Grammar(samplers, "typical(mass=0.15, steps=36)", parts, number=bare_number, plain=True)


def from_text(text: str) -> Sampler:
    """Return the sampler that a text describes, as `str` of a sampler writes it.

    Parameters
    ----------
    text : str
        ``confidence``, ``typical(mass=0.2, steps=12)``, ``blocks(schedule=linear)`` … Names are
        those of `samplers`. Names and settings may be written with hyphens or underscores.

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
    return cast(Sampler, read(text, GRAMMAR))


def with_steps(sampler: Sampler, steps: int) -> Sampler:
    """Return a sampler that takes so many steps and is otherwise the same.

    Raises
    ------
    SamplerError
        If the sampler does not count its work in steps, or the number makes no sense.
    """
    settings: Any = sampler
    if not is_dataclass(settings) or isinstance(settings, type) or not hasattr(settings, "steps"):
        raise SamplerError(f"the sampler '{sampler}' has no steps to set")
    return cast(Sampler, replace(settings, steps=steps))


def fewer_steps(sampler: Sampler, most: int) -> Sampler:
    """Return a sampler that takes at most so many steps in all, where it counts them."""
    steps = getattr(sampler, "steps", 0)
    total = sum(steps) if isinstance(steps, tuple) else steps
    return with_steps(sampler, most) if isinstance(total, int) and total > most else sampler


def _filtered_by(name: str) -> SamplerFactory:
    filter_ = FILTERS[name]
    own = inspect.signature(filter_).parameters
    rest = inspect.signature(Confidence).parameters

    def preset(**settings: Any) -> Confidence:
        of_filter = {each: settings.pop(each) for each in own if each in settings}
        return Confidence(filters=(filter_(**of_filter),), **settings)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.values()]
    parameters += [each for each in rest.values() if each.name != "filters"]
    preset.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    preset.__doc__ = f"`Confidence` with the filter `{name}`; takes the settings of both."
    return preset


for _name, _part in (SCHEDULES | FILTERS).items():
    parts.register(_name, _part)
for _sampler in (Confidence, RandomOrder, Halton, Blocks, Codebooks):
    samplers.register(_sampler.name, _sampler)
for _name in ("typical", "top-p", "top-k", "min-p"):
    samplers.register(_name, _filtered_by(_name))
