"""What the parts of the toolkit expect of each other.

Axis order and polarity are stated here, once:

- ``tokens``: int64, ``[batch, codebook, frame]``; codebook 0 is the coarsest.
- ``keep``: bool, ``[codebook, frame]`` or ``[batch, codebook, frame]``; ``True`` means that the
  token is kept, ``False`` that it is regenerated.
- ``audio``: float32, ``[batch, 1, samples]``, in ``[-1, 1]``.
- ``samples``: float32, ``[samples]``, one channel, as analyses take them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vampprompt.units import Beats

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = [
    "BeatTracker",
    "Beats",
    "Codec",
    "LoudnessMeter",
    "OnsetDetector",
    "Sampler",
    "Step",
    "TokenModel",
]


@runtime_checkable
class TokenModel(Protocol):
    """Predicts masked tokens from the others.

    The first `n_conditioning` of its `n_codebooks` are given, never predicted.

    Examples
    --------
    >>> import vampprompt as vp
    >>> isinstance(vp.load("starter").coarse, TokenModel)
    True
    """

    n_codebooks: int
    n_conditioning: int
    vocab_size: int
    mask_token: int

    def logits(self, tokens: Tensor) -> Tensor:
        """Return logits ``[batch, n_codebooks - n_conditioning, frame, vocab]``, float32.

        `tokens` is ``[batch, n_codebooks, frame]`` with `mask_token` where a token is unknown.
        """
        ...


@dataclass(frozen=True)
class Step:
    """One finished step of a sampler, as ``on_step`` receives it.

    Attributes
    ----------
    index, total : int
        The step, counted from 0, and how many there are.
    tokens : Tensor
        ``[batch, codebook, frame]``, with the model's mask token where one is still masked.
    masked : Tensor
        bool, ``[batch, codebook, frame]``: what the next step will sample again.
    confidence : Tensor or None
        float, ``[batch, codebook, frame]``: the scores that decided; +inf for tokens that this
        step did not sample. None for samplers whose order does not depend on scores.
    n_conditioning : int
        The first codebooks, which the model was given, and of which none is ever masked.

    Examples
    --------
    >>> import vampprompt as vp
    >>> def told(stage, step):
    ...     if stage == "coarse":
    ...         print(step.index, tuple(step.tokens.shape), int(step.masked.sum()))
    >>> how = {"sampler": "confidence(steps=3)", "on_step": told}
    >>> song = vp.compose("in.wav", "nothing", vp.load("starter"), **how)
    0 (1, 4, 58) 200
    1 (1, 4, 58) 115
    2 (1, 4, 58) 0
    """

    index: int
    total: int
    tokens: Tensor
    masked: Tensor
    confidence: Tensor | None
    n_conditioning: int = 0


@runtime_checkable
class Sampler(Protocol):
    """Fills the tokens that are not kept.

    Examples
    --------
    >>> import vampprompt as vp
    >>> class Zeros:
    ...     def __call__(self, model, tokens, keep, generators, on_step=None):
    ...         return tokens.masked_fill(~keep, 0)
    >>> isinstance(Zeros(), Sampler)
    True
    >>> song = vp.compose("in.wav", "nothing", vp.load("starter"), sampler=Zeros())
    >>> int(song.tokens.max())
    0
    """

    def __call__(
        self,
        model: TokenModel,
        tokens: Tensor,
        keep: Tensor,
        generators: Sequence[Generator],
        on_step: Callable[[Step], None] | None = None,
    ) -> Tensor:
        """Return tokens ``[batch, codebook, frame]``, those kept untouched, none masked.

        `keep` is bool, ``[batch, codebook, frame]``; conditioning codebooks count as kept.
        One generator for each batch item: an item's result does not depend on the others.
        """
        ...


@runtime_checkable
class Codec(Protocol):
    """Turns audio into tokens and back; as a rule an `nn.Module`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> codec = vp.load("starter").codec
    >>> isinstance(codec, Codec), codec.n_codebooks, codec.hop_length
    (True, 9, 768)
    """

    sample_rate: int
    hop_length: int
    n_codebooks: int

    @property
    def codebooks(self) -> Tensor:
        """Rows of the codebooks, ``[codebook, entry, dim]``, which token models are bound to."""
        ...

    @property
    def context_frames(self) -> int | None:
        """Frames on either side that a window needs to come out as in the whole clip.

        None where only the whole clip will do.
        """
        ...

    def encode(self, audio: Tensor) -> Tensor:
        """Return the tokens of audio ``[batch, 1, samples]``, right-padded to a whole hop."""
        ...

    def decode(self, tokens: Tensor) -> Tensor:
        """Return audio ``[batch, 1, frames * hop_length]``."""
        ...


@runtime_checkable
class BeatTracker(Protocol):
    """Hears beats and downbeats.

    Examples
    --------
    >>> class Twice:
    ...     name = "twice"
    ...     def __call__(self, samples, sample_rate):
    ...         return Beats(np.array([0.25, 0.75]), np.array([0.25]))
    >>> isinstance(Twice(), BeatTracker)
    True
    >>> import vampprompt as vp
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), beat_tracker=Twice())
    >>> clip.beats
    <Beats: 2 beats, 1 downbeats>
    """

    name: str

    def __call__(self, samples: NDArray[np.float32], sample_rate: int) -> Beats:
        """Return the beats of one channel of audio, in seconds; empty where none are heard."""
        ...


class OnsetDetector(Protocol):
    """Hears onsets.

    Examples
    --------
    >>> import vampprompt as vp
    >>> def half_way(samples, sample_rate):
    ...     return np.array([len(samples) / 2 / sample_rate])
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), onset_detector=half_way)
    >>> clip.onsets
    array([0.5])
    """

    def __call__(self, samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
        """Return onset times in seconds, sorted."""
        ...


class LoudnessMeter(Protocol):
    """Measures level over time.

    Examples
    --------
    >>> import vampprompt as vp
    >>> meter = vp.analysis.frame_loudness
    >>> clip = vp.Clip(vp.Grid(1, 57), audio=vp.read("in.wav"), loudness_meter=meter)
    >>> clip.loudness.shape
    (57,)
    """

    def __call__(
        self, samples: NDArray[np.float32], hop_length: int, n_frames: int
    ) -> NDArray[np.float64]:
        """Return the level of each codec frame in dB re full scale, ``[frame]``."""
        ...
