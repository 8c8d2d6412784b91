"""The same sampler with another number of steps."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import Any, cast

from vampprompt.errors import SamplerError
from vampprompt.protocols import Sampler


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
    changed: Any = replace(settings, steps=steps)
    return cast(Sampler, changed)


def fewer_steps(sampler: Sampler, most: int) -> Sampler:
    """Return a sampler that takes at most so many steps in all, where it counts them."""
    steps = getattr(sampler, "steps", 0)
    total = sum(steps) if isinstance(steps, tuple) else steps
    return with_steps(sampler, most) if isinstance(total, int) and total > most else sampler
