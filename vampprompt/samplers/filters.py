"""Filters: logits in, logits out, with -inf for the tokens that may not be sampled.

A filter is any function of logits ``[..., vocab]``, float32. These have the meaning that the
logits warpers of Hugging Face's transformers give them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import torch
from torch import Tensor

from vampprompt.errors import SamplerError
from vampprompt.language import Positive, Term, number

Filter: TypeAlias = Callable[[Tensor], Tensor]
"""What decides which tokens may be sampled: logits to logits, ``[..., vocab]``, float32.

>>> def never_the_first(logits: Tensor) -> Tensor:
...     return logits.index_fill(-1, torch.tensor([0]), -torch.inf)
>>> chosen: Filter = never_the_first
>>> chosen(torch.tensor([5.0, 1.0]))
tensor([-inf, 1.])
"""
Part: TypeAlias = Annotated[float, number(lambda p: 0 < p <= 1, "a number above 0 and at most 1")]
_GREEDY = "a sampler's own temperature may be 0, which is greedy"


class Warper(Term):
    """Base of the filters that have a name, so that texts can say them.

    Examples
    --------
    >>> class Flat(Warper):
    ...     "Make all tokens equally likely."
    ...     name = "flat"
    ...     def __call__(self, logits):
    ...         return logits * 0
    >>> Flat()(torch.tensor([1.0, 3.0]))
    tensor([0., 0.])
    """

    error = SamplerError
    shows_defaults = True


@dataclass(frozen=True)
class Temperature(Warper):
    """Divide the logits: below 1 the likely tokens become likelier, above 1 less so.

    Parameters
    ----------
    temperature : float
        Above 0.

    Examples
    --------
    >>> Temperature(0.5)(torch.tensor([0.0, 1.0]))
    tensor([0., 2.])
    """

    name = "temperature"
    temperature: Annotated[float, number(lambda t: t > 0, "a number above 0", _GREEDY)]

    def __call__(self, logits: Tensor) -> Tensor:
        return logits / self.temperature


@dataclass(frozen=True)
class TopK(Warper):
    """Keep the most likely tokens, and those as likely as the least of them.

    Parameters
    ----------
    k : int
        How many.

    Examples
    --------
    >>> TopK(2)(torch.tensor([1.0, 3.0, 2.0]))
    tensor([-inf, 3., 2.])
    """

    name = "top-k"
    k: Positive = 50

    def __call__(self, logits: Tensor) -> Tensor:
        if self.k >= logits.shape[-1]:
            return logits
        return logits.masked_fill(logits < _sort(logits)[..., -self.k, None], -torch.inf)


@dataclass(frozen=True)
class TopP(Warper):
    """Keep the fewest most likely tokens that together have probability `p` [1]_.

    Parameters
    ----------
    p : float
        Above 0, at most 1. The most likely token is always kept.

    References
    ----------
    .. [1] Holtzman et al., "The curious case of neural text degeneration", 2020.

    Examples
    --------
    >>> TopP(0.5)(torch.tensor([0.5, 0.3, 0.2]).log()).isfinite()
    tensor([ True, False, False])
    """

    name = "top-p"
    p: Part = 0.9

    def __call__(self, logits: Tensor) -> Tensor:
        if self.p == 1:
            return logits
        ascending = _sort(logits)
        n_removed = (ascending.softmax(-1).cumsum(-1) <= 1 - self.p).sum(-1, keepdim=True)
        least = ascending.gather(-1, n_removed.clamp_max(logits.shape[-1] - 1))
        return logits.masked_fill(logits < least, -torch.inf)


@dataclass(frozen=True)
class MinP(Warper):
    """Keep the tokens with at least the share `p` of the most likely token's probability.

    Parameters
    ----------
    p : float
        Above 0, at most 1.

    Examples
    --------
    >>> MinP(0.5)(torch.tensor([0.5, 0.3, 0.2]).log()).isfinite()
    tensor([ True,  True, False])
    """

    name = "min-p"
    p: Part = 0.05

    def __call__(self, logits: Tensor) -> Tensor:
        probability = logits.softmax(-1)
        least = self.p * probability.amax(-1, keepdim=True)
        return logits.masked_fill(probability < least, -torch.inf)


@dataclass(frozen=True)
class Typical(Warper):
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

    Examples
    --------
    >>> Typical(0.3, min_tokens=1)(torch.tensor([0.7, 0.2, 0.1]).log()).isfinite()
    tensor([ True, False, False])
    """

    name = "typical"
    mass: Part = 0.15
    min_tokens: Positive = 64

    def __call__(self, logits: Tensor) -> Tensor:
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
        most = atypical.gather(-1, order.gather(-1, last))
        return logits.masked_fill(atypical > most, -torch.inf)


def filters_of(value: object) -> tuple[Filter, ...]:
    """Return filters as a setting gives them, one or a list of them; refuse what is neither."""
    chain = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    for each in chain:
        # A schedule, too, is something to call with a tensor.
        if not callable(each) or (isinstance(each, Term) and not isinstance(each, Warper)):
            raise SamplerError(f"'{each}' is not a function of logits", hint="write [top-p(p=0.9)]")
    return chain


# On a CPU numpy sorts rows with vector instructions, many times as fast as torch does.


def _sort(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.sort(-1).values
    return torch.from_numpy(np.sort(values.detach().numpy(), axis=-1))


def _argsort(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.argsort(-1)
    return torch.from_numpy(np.argsort(values.detach().numpy(), axis=-1))
