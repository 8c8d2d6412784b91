"""Filters: logits in, logits out, with -inf for the tokens that may not be sampled.

A filter is any function of logits ``[..., vocab]``, float32. These have the meaning that the
logits warpers of Hugging Face's transformers give them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from torch import Tensor

from vampprompt.samplers.schedules import SCHEDULES
from vampprompt.samplers.settings import SettingError, Settings, real, whole

Filter: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Temperature(Settings):
    """Divide the logits: below 1 the likely tokens become likelier, above 1 less so.

    Parameters
    ----------
    temperature : float
        Above 0.
    """

    name: ClassVar[str] = "temperature"
    temperature: float

    def __post_init__(self) -> None:
        hint = "a sampler's own temperature may be 0, which is greedy"
        value = real("temperature", self.temperature, lambda t: t > 0, "a number above 0", hint)
        self._normalise("temperature", value)

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logits, divided."""
        return logits / self.temperature


@dataclass(frozen=True)
class TopK(Settings):
    """Keep the most likely tokens, and those as likely as the least of them.

    Parameters
    ----------
    k : int
        How many.
    """

    name: ClassVar[str] = "top-k"
    k: int = 50

    def __post_init__(self) -> None:
        whole("k", self.k)

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logits, those beyond the first `k` at -inf."""
        if self.k >= logits.shape[-1]:
            return logits
        return _remove(logits, logits < _sort(logits)[..., -self.k, None])


@dataclass(frozen=True)
class TopP(Settings):
    """Keep the fewest most likely tokens that together have probability `p` [1]_.

    Parameters
    ----------
    p : float
        Above 0, at most 1. The most likely token is always kept.

    References
    ----------
    .. [1] Holtzman et al., "The curious case of neural text degeneration", 2020.
    """

    name: ClassVar[str] = "top-p"
    p: float = 0.9

    def __post_init__(self) -> None:
        self._normalise("p", real("p", self.p, _is_share, _SHARE))

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logits, those of the unlikely tail at -inf."""
        if self.p == 1:
            return logits
        ascending = _sort(logits)
        n_removed = (ascending.softmax(-1).cumsum(-1) <= 1 - self.p).sum(-1, keepdim=True)
        least = ascending.gather(-1, n_removed.clamp_max(logits.shape[-1] - 1))
        return _remove(logits, logits < least)


@dataclass(frozen=True)
class MinP(Settings):
    """Keep the tokens with at least the share `p` of the most likely token's probability.

    Parameters
    ----------
    p : float
        Above 0, at most 1.
    """

    name: ClassVar[str] = "min-p"
    p: float = 0.05

    def __post_init__(self) -> None:
        self._normalise("p", real("p", self.p, _is_share, _SHARE))

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logits, those too unlikely at -inf."""
        probability = logits.softmax(-1)
        return _remove(logits, probability < self.p * probability.amax(-1, keepdim=True))


@dataclass(frozen=True)
class Typical(Settings):
    """Keep the tokens whose surprise is nearest to the expected surprise, the entropy [1]_.

    Parameters
    ----------
    mass : float
        The probability that the kept tokens have together: above 0, at most 1, which keeps all.
    min_tokens : int
        At least so many are kept.

    References
    ----------
    .. [1] Meister et al., "Locally typical sampling", 2023.
    """

    name: ClassVar[str] = "typical"
    mass: float = 0.15
    min_tokens: int = 64

    def __post_init__(self) -> None:
        self._normalise("mass", real("mass", self.mass, _is_share, _SHARE))
        whole("min_tokens", self.min_tokens)

    def __call__(self, logits: Tensor) -> Tensor:
        """Return the logits, those of the atypical at -inf."""
        vocab = logits.shape[-1]
        if self.mass == 1 or self.min_tokens >= vocab:
            return logits
        log_probability = logits.log_softmax(-1)
        probability = log_probability.exp()
        entropy = -(probability * log_probability).nansum(-1, keepdim=True)
        atypical = log_probability.add_(entropy).abs_()
        order = _argsort(atypical)
        mass = probability.gather(-1, order).cumsum(-1)
        last = (mass < self.mass).sum(-1, keepdim=True).clamp(self.min_tokens - 1, vocab - 1)
        return _remove(logits, atypical > atypical.gather(-1, order.gather(-1, last)))


FILTERS: dict[str, Callable[..., Filter]] = {
    filter_.name: filter_ for filter_ in (Temperature, TopK, TopP, MinP, Typical)
}

_SHARE = "a number above 0 and at most 1"


def filters_of(value: object) -> tuple[Filter, ...]:
    """Return filters as a setting gives them: one, or a list of them.

    Raises
    ------
    SettingError
        If it is neither.
    """
    chain = (value,) if callable(value) else value
    # A schedule, too, is something to call with a tensor.
    if not isinstance(chain, (tuple, list)) or not all(
        callable(each) and each not in SCHEDULES.values() for each in chain
    ):
        raise SettingError("filters", "functions of logits", value, "write [top-p(p=0.9)]")
    return tuple(chain)


def _is_share(value: float) -> bool:
    return 0 < value <= 1


def _remove(logits: Tensor, unwanted: Tensor) -> Tensor:
    return logits.masked_fill(unwanted, -torch.inf)


# On a CPU numpy sorts rows with vector instructions, many times as fast as torch does.


def _sort(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.sort(-1).values
    return torch.from_numpy(np.sort(values.detach().numpy(), axis=-1))


def _argsort(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.argsort(-1)
    return torch.from_numpy(np.argsort(values.detach().numpy(), axis=-1))
