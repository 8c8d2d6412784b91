"""Folding what training needs and sampling does not into plain weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

__all__ = ["StateDict", "fold_lora", "fold_weight_norm", "remove_weight_norm"]

StateDict: TypeAlias = dict[str, Tensor]

_A, _B = ".lora_A", ".lora_B"


def fold_weight_norm(state: Mapping[str, Tensor]) -> StateDict:
    """Return a state dict in which each `weight_g` and `weight_v` have become a `weight`.

    Raises
    ------
    KeyError
        If one of the two is there without the other.
    """
    folded = {}
    for name, value in state.items():
        if name.endswith(".weight_v"):
            gain = state[name.removesuffix("v") + "g"]
            folded[name.removesuffix("_v")] = value * (gain / torch.norm_except_dim(value, 2, 0))
        elif name.endswith(".weight_g"):
            state[name.removesuffix("g") + "v"]
        else:
            folded[name] = value
    return folded


def fold_lora(state: Mapping[str, Tensor]) -> StateDict:
    """Return a state dict in which each low-rank update is added to its weight [1]_.

    The update is ``lora_B @ lora_A / rank``, as VampNet trains it (with alpha 1).

    Raises
    ------
    KeyError
        If an update lacks one of its halves or the weight to add it to.

    References
    ----------
    .. [1] Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
    """
    folded = {name: value for name, value in state.items() if not name.endswith((_A, _B))}
    for name in state:
        if name.endswith((_A, _B)):
            layer = name.rpartition(".")[0]
            down, up = state[layer + _A], state[layer + _B]
            if name.endswith(_A):
                folded[layer + ".weight"] = folded[layer + ".weight"] + up @ down / len(down)
    return folded


def remove_weight_norm(module: nn.Module) -> None:
    """Make the weights of all layers plain, so that none is worked out at each call."""
    for layer in module.modules():
        if hasattr(layer, "weight_g"):
            nn.utils.remove_weight_norm(layer)
