"""What a mask has to know of a model's tokens, told by its configuration without PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vampprompt.models.hub import find_folder
from vampprompt.models.layout import (
    ENCODER_RATES,
    HOP_LENGTH,
    LARGEST_SETTING,
    SAMPLE_RATE,
    VOCABULARY,
    Listing,
)

__all__ = ["TokenGrid", "grid_of"]


@dataclass(frozen=True)
class TokenGrid:
    """How a model's tokens lie over a recording.

    Attributes
    ----------
    n_codebooks : int
        That are composed.
    sample_rate : int
        In hertz.
    hop_length : int
        Samples in a frame.
    vocab_size : int
        Entries of a codebook.
    """

    n_codebooks: int
    sample_rate: int
    hop_length: int
    vocab_size: int


def grid_of(name: str, *, on_notice: Callable[[str], None] | None = None) -> TokenGrid:
    """Return how a model's tokens lie over a recording.

    From the configuration alone where that tells it: of a model in our layout whose codec is one
    of the package's. Of others from an `vampprompt.models.outline`, which takes PyTorch.

    Parameters
    ----------
    name : str
        As for `vampprompt.load`.
    on_notice : callable, optional
        As for `vampprompt.load`.

    Raises
    ------
    ModelError
        If there is no such model, or its files cannot be used.

    Examples
    --------
    >>> grid_of("starter")
    TokenGrid(n_codebooks=9, sample_rate=44100, hop_length=768, vocab_size=1024)
    """
    config = Listing.of_folder(name, find_folder(name, on_notice=on_notice)).config
    codec, fine = config.get("codec", {}), config.get("fine", {})
    told = (
        fine.get("n_codebooks"),
        codec.get("sample_rate", SAMPLE_RATE),
        _hop_length(codec),
        fine.get("vocab_size", VOCABULARY),
    )
    if all(isinstance(one, int) and 0 < one <= LARGEST_SETTING for one in told):
        return TokenGrid(*told)
    from vampprompt.models.bundle import outline

    model = outline(name, on_notice=on_notice)
    made = model.codec
    return TokenGrid(model.n_codebooks, made.sample_rate, made.hop_length, model.fine.vocab_size)


def _hop_length(codec: dict[str, Any]) -> Any:
    """Return what a codec of the package has, None for another one and for what makes none."""
    if codec.get("family") == "spectral":
        return codec.get("hop_length", HOP_LENGTH)
    rates = codec.get("encoder_rates", ENCODER_RATES)
    is_known = codec.get("family") in ("dac", "dac-mrf") and isinstance(rates, (list, tuple))
    return math.prod(rates) if is_known and all(isinstance(one, int) for one in rates) else None
