"""The sampler of VampNet's paper: the tokens that the model is surest of settle first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vampprompt.samplers.core import Candidates, MaskedSampler
from vampprompt.samplers.settings import real


@dataclass(frozen=True, kw_only=True)
class Confidence(MaskedSampler):
    """Settle the tokens whose sampled value is likeliest, with some noise [1]_ [2]_.

    The score of a token is the log of its sampled probability, plus Gumbel noise scaled by
    ``mask_temperature * (1 - progress)``. The other settings are those of `MaskedSampler`.

    Parameters
    ----------
    mask_temperature : float
        0 settles strictly the likeliest; more lets chance order the tokens, ever less so
        towards the last step.

    References
    ----------
    .. [1] Chang et al., "MaskGIT: masked generative image transformer", 2022.
    .. [2] Garcia et al., "VampNet: music generation via masked acoustic token modeling", 2023.

    Examples
    --------
    >>> str(Confidence(steps=12, temperature=0.8))
    'confidence(steps=12, temperature=0.8)'
    """

    name: ClassVar[str] = "confidence"

    mask_temperature: float = 10.5

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = "a number of at least 0"
        value = real("mask_temperature", self.mask_temperature, lambda t: t >= 0, expected)
        self._normalise("mask_temperature", value)

    def scores(self, candidates: Candidates) -> Tensor:
        """Return log probability plus scaled Gumbel noise, ``[batch, candidate]``."""
        gumbel = -(-candidates.noise.log()).log()
        scale = self.mask_temperature * (1 - candidates.progress)
        return candidates.log_probability + scale * gumbel
