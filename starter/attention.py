"""Attention that trains faster on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SpelledOutAttention(TorchFunctionMode):
    """Within this context, attention is two matrix products and a softmax in bfloat16.

    Fused attention has no gradient for a learned position bias: torch then takes a general path,
    which needs half as much time again for a whole training step.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.scaled_dot_product_attention:
            return _attend(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _attend(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor) -> Tensor:
    query, key, value = (x.to(torch.bfloat16) for x in (query, key, value))
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) + attn_mask.to(query.dtype)
    attended: Tensor = scores.softmax(-1, dtype=query.dtype) @ value
    return attended
