"""Masks as VampNet's own code has them: the one place that knows the other polarity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def to_vampnet(keep: Tensor) -> Tensor:
    """Return VampNet's mask: int64, 1 where a token is regenerated.

    Parameters
    ----------
    keep : Tensor
        bool, of any shape; True where a token is kept.
    """
    return (~keep.bool()).long()


def from_vampnet(mask: Tensor) -> Tensor:
    """Return keep, bool, from VampNet's mask, in which 0 is what is kept."""
    return mask == 0
