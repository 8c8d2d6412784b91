"""Schedules: how many tokens are still masked after each step.

A schedule is any function of the progress, from just above 0 to 1, that returns the share of
an item's tokens that is still masked then. It is called with a float32 tensor without
dimensions, on the CPU, and may return such a tensor or a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from vampprompt.errors import SamplerError, did_you_mean
from vampprompt.language import Term

Schedule: TypeAlias = Callable[[Tensor], "Tensor | float"]
"""Progress, from just above 0 to 1, to the share still masked: a float32 tensor to one.

>>> early: Schedule = lambda progress: (1 - progress) ** 3
>>> still_masked(early, 4, [100])
[[100], [42], [12], [1], [0]]
"""


class Curve(Term):
    """Base of the schedules that have a name, so that texts can say them.

    Examples
    --------
    >>> class Late(Curve):
    ...     "Settle next to nothing until the end."
    ...     name = "late"
    ...     def __call__(self, progress):
    ...         return 1 - progress**8
    >>> float(Late()(torch.tensor(0.5)))
    0.99609375
    """

    error = SamplerError

    def __call__(self, progress: Tensor) -> Tensor | float:
        raise NotImplementedError


@dataclass(frozen=True)
class Cosine(Curve):
    """cos(progress * pi / 2): few tokens first, many at the end (Chang et al. 2022).

    Examples
    --------
    >>> float(cosine(torch.tensor(0.5)).round(decimals=2))
    0.7099999785423279
    """

    name = "cosine"

    def __call__(self, progress: Tensor) -> Tensor:
        return torch.cos(progress * torch.pi / 2)


@dataclass(frozen=True)
class Linear(Curve):
    """1 - progress: as many tokens in each step.

    Examples
    --------
    >>> float(linear(torch.tensor(0.25)))
    0.75
    """

    name = "linear"

    def __call__(self, progress: Tensor) -> Tensor:
        return 1 - progress


@dataclass(frozen=True)
class Square(Curve):
    """1 - progress ** 2: few tokens first, many at the end, less so than `Cosine`.

    Examples
    --------
    >>> float(square(torch.tensor(0.5)))
    0.75
    """

    name = "square"

    def __call__(self, progress: Tensor) -> Tensor:
        return 1 - progress**2


cosine, linear, square = Cosine(), Linear(), Square()
SCHEDULES: dict[str, Curve] = {each.name: each for each in (cosine, linear, square)}
"""The schedules by name.

>>> sorted(SCHEDULES)
['cosine', 'linear', 'square']
"""


def schedule_of(value: object) -> Schedule:
    """Return a schedule as a setting gives it, by name or itself; refuse what is neither."""
    if isinstance(value, str) and value in SCHEDULES:
        return SCHEDULES[value]
    # A filter, too, is something to call with a tensor.
    if callable(value) and (isinstance(value, Curve) or not isinstance(value, Term)):
        return value
    hint = did_you_mean(str(value), SCHEDULES) or f"write {', '.join(SCHEDULES)} or a function"
    raise SamplerError(f"'{value}' is not a schedule", hint=hint)


def still_masked(schedule: Schedule, steps: int, n_masked: Sequence[int]) -> list[list[int]]:
    """Return how many tokens of each item are still masked, at first and after each step.

    Each step but the last settles at least one token and leaves at least one; only a single
    token left waits for the last step, which leaves none.
    `n_masked` are those before the first step. A schedule that returns no number is refused.

    Examples
    --------
    >>> still_masked(linear, 4, [10, 2])
    [[10, 2], [7, 1], [5, 1], [2, 1], [0, 0]]
    """
    counts = [list(n_masked)]
    for progress in np.arange(1, steps) / steps:
        share = float(schedule(torch.tensor(progress, dtype=torch.float32)))
        if math.isnan(share):
            raise SamplerError(
                f"the schedule returns {share} at progress {progress:.3g}",
                hint="a schedule returns the share still masked, from 1 down to 0",
            )
        # In float32, as VampNet computes it: the last bit decides cases like cos(pi / 3) * n.
        left = np.floor(np.float32(min(max(share, 0), 1)) * np.array(n_masked, np.float32))
        now = np.minimum(left, np.array(counts[-1]) - 1)
        counts.append(np.where(counts[-1], now.clip(1), 0).astype(int).tolist())
    return [*counts, [0] * len(n_masked)]
