"""Schedules: how many tokens are still masked after each step.

A schedule is any function of the progress, from just above 0 to 1, that returns the share of
an item's tokens that is still masked then. It is called with a float32 tensor without
dimensions, on the CPU, and may return such a tensor or a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vampprompt.errors import SamplerError, VampPromptError, did_you_mean
from vampprompt.language import Term

Schedule: TypeAlias = Callable[[Tensor], "Tensor | float"]


class Curve(Term):
    """Base of the schedules that have a name, so that texts can say them."""

    error: ClassVar[type[VampPromptError]] = SamplerError

    def __call__(self, progress: Tensor) -> Tensor | float:
        raise NotImplementedError


@dataclass(frozen=True)
class Cosine(Curve):
    """cos(progress * pi / 2): few tokens first, many at the end (Chang et al. 2022)."""

    name: ClassVar[str] = "cosine"

    def __call__(self, progress: Tensor) -> Tensor:
        return torch.cos(progress * torch.pi / 2)


@dataclass(frozen=True)
class Linear(Curve):
    """1 - progress: as many tokens in each step."""

    name: ClassVar[str] = "linear"

    def __call__(self, progress: Tensor) -> Tensor:
        return 1 - progress


@dataclass(frozen=True)
class Square(Curve):
    """1 - progress ** 2: few tokens first, many at the end, less so than `Cosine`."""

    name: ClassVar[str] = "square"

    def __call__(self, progress: Tensor) -> Tensor:
        return 1 - progress**2


cosine, linear, square = Cosine(), Linear(), Square()
SCHEDULES: dict[str, Schedule] = {each.name: each for each in (cosine, linear, square)}


def schedule_of(value: object) -> Schedule:
    """Return a schedule as a setting gives it: by name, or itself.

    Raises
    ------
    SamplerError
        If it is neither.
    """
    if isinstance(value, str) and value in SCHEDULES:
        return SCHEDULES[value]
    # A filter, too, is something to call with a tensor.
    if callable(value) and (isinstance(value, Curve) or not isinstance(value, Term)):
        return value
    hint = did_you_mean(str(value), SCHEDULES) or f"write {', '.join(SCHEDULES)} or a function"
    raise SamplerError(f"'{value}' is not a schedule", hint=hint)


def shares(schedule: Schedule, steps: int) -> NDArray[np.float32]:
    """Return the share that is still masked after each of the steps, float32 ``[steps]``.

    Raises
    ------
    SamplerError
        If the schedule returns something that is not a number.
    """
    # In float32, as VampNet computes it: the last bit decides cases like cos(pi / 3) * n.
    values = [float(schedule(torch.tensor((step + 1) / steps))) for step in range(steps)]
    for step, value in enumerate(values):
        if math.isnan(value):
            raise SamplerError(
                f"the schedule returns {value} at progress {(step + 1) / steps:.3g}",
                hint="a schedule returns the share still masked, from 1 down to 0",
            )
    return np.array(values, np.float32).clip(0, 1)


def still_masked(shares: NDArray[np.float32], n_masked: int) -> list[int]:
    """Return how many of an item's tokens are still masked after each step.

    Each step but the last settles at least one token and leaves at least one; only a single
    token left waits for the last step, which leaves none.

    Parameters
    ----------
    shares : ndarray
        float32 ``[steps]``, as `shares` returns them.
    n_masked : int
        The item's masked tokens before the first step.

    Examples
    --------
    >>> still_masked(shares(linear, 4), 10)
    [7, 5, 2, 0]
    >>> still_masked(shares(linear, 4), 2)
    [1, 1, 1, 0]
    """
    counts = []
    now = n_masked
    for share in shares[:-1]:
        now = max(1, min(now - 1, int(np.floor(share * np.float32(n_masked))))) if now else 0
        counts.append(now)
    return [*counts, 0]
