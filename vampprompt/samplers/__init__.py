"""Samplers: they have a token model fill the tokens that a mask does not keep.

`core` is the loop that all share, `orders` says which tokens settle first, `filters` which may be
sampled, `schedules` how many settle in each step. Here are their names, and samplers as text. They
know models by `vampprompt.protocols` only, and no mask; composing calls them, and whoever likes.
"""

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from inspect import Parameter, Signature
from typing import Any, cast

from vampprompt.errors import SamplerError
from vampprompt.language import Grammar, Registry, read
from vampprompt.language.term import parameters
from vampprompt.language.values import bare_number
from vampprompt.protocols import Sampler
from vampprompt.samplers.core import Candidates, MaskedSampler, NotNegative
from vampprompt.samplers.filters import Filter, MinP, Temperature, TopK, TopP, Typical, Warper
from vampprompt.samplers.guidance import Guided
from vampprompt.samplers.orders import Blocks, Codebooks, Confidence, Halton, RandomOrder
from vampprompt.samplers.schedules import SCHEDULES, Curve, Schedule, cosine, linear, square
from vampprompt.samplers.trace import Trace

__all__ = [
    "SCHEDULES",
    "Blocks",
    "Candidates",
    "Codebooks",
    "Confidence",
    "Curve",
    "Filter",
    "Guided",
    "Halton",
    "MaskedSampler",
    "MinP",
    "NotNegative",
    "RandomOrder",
    "Schedule",
    "Temperature",
    "TopK",
    "TopP",
    "Trace",
    "Typical",
    "Warper",
    "cosine",
    "fewer_steps",
    "from_text",
    "linear",
    "samplers",
    "square",
    "with_steps",
]

samplers: Registry[Any] = Registry("sampler", "vampprompt.samplers", SamplerError, takes=4)
"""Samplers by name, those of installed packages included: each takes settings by keyword.

>>> str(samplers.get("top-p")(p=0.8))
'confidence(filters=[top-p(p=0.8)])'
"""

parts: Registry[Any] = Registry("schedule or filter", "vampprompt.filters", SamplerError, takes=1)
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
    sampler: Sampler = read(text, GRAMMAR)
    return sampler


def with_steps(sampler: Sampler, steps: int) -> Sampler:
    """Return a sampler that takes so many steps and is otherwise the same.

    Raises
    ------
    SamplerError
        If the sampler does not count its work in steps, or the number makes no sense.

    Examples
    --------
    >>> str(with_steps(from_text("halton"), 12))
    'halton(steps=12)'
    """
    settings: Any = sampler
    if not is_dataclass(settings) or isinstance(settings, type) or not hasattr(settings, "steps"):
        raise SamplerError(f"the sampler '{sampler}' has no steps to set")
    return cast(Sampler, replace(settings, steps=steps))


def fewer_steps(sampler: Sampler, most: int) -> Sampler:
    """Return a sampler that takes at most so many steps in all, where it counts them.

    Examples
    --------
    >>> fewer_steps(Confidence(steps=36), 8).steps, fewer_steps(Confidence(steps=4), 8).steps
    (8, 4)
    """
    steps: Any = getattr(sampler, "steps", 0) if is_dataclass(sampler) else 0
    total = sum(steps) if isinstance(steps, tuple) else steps
    return with_steps(sampler, most) if isinstance(total, int) and total > most else sampler


def _filtered_by(name: str) -> Callable[..., Sampler]:
    own = parameters(parts.get(name))
    both = {**own, **parameters(Confidence)}
    del both["filters"]

    def preset(**settings: Any) -> Confidence:
        of_filter = {each: settings.pop(each) for each in own if each in settings}
        return Confidence(filters=(parts.get(name)(**of_filter),), **settings)

    by_name = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in both.values()]
    preset.__signature__ = Signature(by_name)  # type: ignore[attr-defined]
    preset.__doc__ = f"`Confidence` with the filter `{name}`; takes the settings of both."
    return preset


_named: tuple[Any, ...] = (*SCHEDULES.values(), Temperature, TopK, TopP, MinP, Typical)
for _part in _named:
    parts.register(_part.name, _part)
for _sampler in (Confidence, RandomOrder, Halton, Blocks, Codebooks):
    samplers.register(_sampler.name, _sampler)
for _name in ("typical", "top-p", "top-k", "min-p"):
    samplers.register(_name, _filtered_by(_name))
