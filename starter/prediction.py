"""How well the token models predict tokens of clips that they were not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vampprompt.models.transformer import VampNet

from .tokens import (
    TokenSettings,
    draw_windows,
    masked_prediction,
    unigram_entropy,
)

SHARES = (0.25, 0.5, 0.75, 1.0)


@torch.no_grad()
def token_figures(
    model: VampNet,
    settings: TokenSettings,
    tokens: NDArray[np.int16],
    held_out: NDArray[np.int16],
) -> dict[str, Any]:
    """Give cross-entropy and accuracy by the share masked, and the unigram's cross-entropy.

    Parameters
    ----------
    model
        Coarse or fine.
    settings
        Those that it was trained with.
    tokens, held_out
        Of the training clips, and of those to measure by, ``[clip, codebook, frame]``.
    """
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    windows = draw_windows(held_out, settings, 2 * len(held_out), rng)
    figures: dict[str, Any] = {}
    for share in SHARES:
        pairs = [
            masked_prediction(model, batch, torch.full((len(batch),), share))
            for batch in torch.split(windows, 8)
        ]
        entropy, accuracy = (
            float(torch.stack(column).mean()) for column in zip(*pairs, strict=True)
        )
        figures[f"{share:.0%}"] = {"entropy": round(entropy, 3), "accuracy": round(accuracy, 4)}
    unigram = unigram_entropy(tokens, held_out)[model.n_conditioning : model.n_codebooks]
    figures["unigram"] = round(float(unigram.mean()), 3)
    return figures
