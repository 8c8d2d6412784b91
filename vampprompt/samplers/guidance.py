"""Classifier-free guidance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vampprompt.errors import SamplerError
from vampprompt.protocols import TokenModel


class Guided:
    """A token model whose predictions are drawn away from those it makes without a prompt [1]_.

    The unconditional prediction sees every codebook that the model predicts wholly masked, and
    the conditioning codebooks as they are. So it is the same at every step, and computed once.

    Parameters
    ----------
    model : TokenModel
        The model to guide.
    scale : float
        Logits are ``unconditional + scale * (conditional - unconditional)``: 1 changes nothing,
        more follows the prompt more closely, 0 ignores it.
    tokens : Tensor
        int64, ``[batch, codebook, frame]``: tokens of the shape, and with the conditioning
        codebooks, of all that this guided model will be asked about.

    Raises
    ------
    SamplerError
        If the scale is negative or not a number.

    References
    ----------
    .. [1] Ho and Salimans, "Classifier-free diffusion guidance", 2022.

    Examples
    --------
    >>> import vampprompt as vp
    >>> model = vp.load("starter").coarse
    >>> tokens = torch.zeros(1, model.n_codebooks, 10, dtype=torch.int64)
    >>> Guided(model, 2.0, tokens).logits(tokens).shape
    torch.Size([1, 4, 10, 1024])
    """

    def __init__(self, model: TokenModel, scale: float, tokens: Tensor) -> None:
        if not 0 <= scale < math.inf:
            raise SamplerError(f"guidance: {scale} is not a number of at least 0")
        self.scale = scale
        self.n_codebooks = model.n_codebooks
        self.n_conditioning = model.n_conditioning
        self.vocab_size = model.vocab_size
        self.mask_token = model.mask_token
        self._model = model
        # Without conditioning codebooks the items of a batch differ in nothing.
        unprompted = (tokens if model.n_conditioning else tokens[:1]).clone()
        unprompted[:, model.n_conditioning :] = model.mask_token
        self._unconditional = model.logits(unprompted)

    def logits(self, tokens: Tensor) -> Tensor:
        """Return the guided logits ``[batch, predicted codebook, frame, vocab]``."""
        return torch.lerp(
            self._unconditional.expand(len(tokens), -1, -1, -1),
            self._model.logits(tokens),
            self.scale,
        )
