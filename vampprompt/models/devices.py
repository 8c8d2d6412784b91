"""Where models are, and where they could be."""

from __future__ import annotations

import torch
from torch import nn

from vampprompt.errors import ModelError

__all__ = ["device_of", "resolve_device"]


def device_of(model: object) -> torch.device:
    """Return where a model's weights are; the CPU for what has none."""
    weights = model.parameters() if isinstance(model, nn.Module) else iter(())
    first = next(weights, None)
    return torch.device("cpu") if first is None else first.device


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
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"there is no device '{device}' here", hint="use auto or cpu") from error
    return chosen
