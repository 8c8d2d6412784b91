"""Where models are, and where they could be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vampprompt.errors import ModelError

__all__ = ["device_of", "dtype_of", "resolve_device", "resolve_dtype"]

_DTYPES = {str(one).removeprefix("torch."): one for one in (torch.float32, torch.bfloat16)}


def device_of(model: object) -> torch.device:
    """Return where a model's weights are; the CPU for what has none."""
    first = _first_weight(model)
    return torch.device("cpu") if first is None else first.device


def dtype_of(model: object) -> torch.dtype:
    """Return the precision of a model's weights; float32 for what has none."""
    first = _first_weight(model)
    return torch.float32 if first is None else first.dtype


def _first_weight(model: object) -> Tensor | None:
    return next(model.parameters(), None) if isinstance(model, nn.Module) else None


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device of a name, ``auto`` being the fastest there is.

    Raises
    ------
    ModelError
        If there is no such device here.
    """
    if device == "auto":
        here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        device = next((name for name, is_here in here.items() if is_here), "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"there is no device '{device}' here", hint="use auto or cpu") from error
    return chosen


def resolve_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    """Return the precision of a name, ``auto`` being bfloat16 on a CUDA device that has it.

    Raises
    ------
    ModelError
        If it is none that token models run in.
    """
    if dtype == "auto":
        is_fast = device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        return torch.bfloat16 if is_fast else torch.float32
    name = str(dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise ModelError(
            f"there is no precision '{name}' here", hint=f"use auto, {' or '.join(_DTYPES)}"
        )
    return _DTYPES[name]
