"""How steady tokens are where the sound is: what changes without need cannot be learned."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vampprompt.audio import Samples
from vampprompt.protocols import Codec

from .compression import scaled

CHORD = (220.0, 277.183, 329.628)
"""A major: A3, C sharp 4 and E4, in Hz."""

_PARTIALS = 20
_SECONDS = 6
_EDGE_SECONDS = 0.5


def repeats(tokens: Tensor) -> Tensor:
    """Give how often a token equals the one before it.

    Parameters
    ----------
    tokens
        ``[..., codebook, frame]``.

    Returns
    -------
    Tensor
        The share, ``[..., codebook]``.
    """
    return (tokens[..., 1:] == tokens[..., :-1]).float().mean(-1)


def steady_chord(sample_rate: int) -> Samples:
    """Synthesise 6 s of a chord that does not change, partials falling as 1 over their number."""
    time = np.arange(_SECONDS * sample_rate) / sample_rate
    waves = [
        np.sin(2 * np.pi * number * pitch * time) / number
        for pitch in CHORD
        for number in range(1, _PARTIALS + 1)
    ]
    chord = np.sum(waves, axis=0)
    return scaled(chord.astype(np.float32))


@torch.no_grad()
def chord_changes(codec: Codec) -> list[float]:
    """Give the share of each codebook's tokens that change from frame to frame of a chord.

    Half a second at either end, where it begins and stops, is left out.
    """
    tokens = codec.encode(torch.from_numpy(steady_chord(codec.sample_rate))[None, None])[0]
    edge = round(_EDGE_SECONDS * codec.sample_rate / codec.hop_length)
    return [round(1 - float(one), 4) for one in repeats(tokens[:, edge:-edge])]
