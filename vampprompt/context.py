"""What a mask may ask of a clip."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vampprompt.errors import MaskError
from vampprompt.protocols import Beats, BeatTracker, LoudnessMeter, OnsetDetector
from vampprompt.units import FloatArray, Grid, Timeline

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """One clip, as masks see it: its grid of tokens, its sound, what is heard in it, its seed.

    Analyses run when a mask first asks for them, and once.

    Parameters
    ----------
    grid : Grid
        Shape and frame length of the clip's tokens.
    seed : int
        Chance in masks follows from this and from the seed of the mask's own node.
    samples : ndarray, optional
        The clip as one channel, float32 ``[samples]``, at ``grid.sample_rate``.
    beat_tracker, onset_detector, loudness_meter : callable, optional
        What hears beats, onsets and loudness in `samples`; see `vampprompt.protocols`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> context = vp.Context(vp.Grid(n_codebooks=2, n_frames=8))
    >>> vp.parse("periodic(4) & codebook<1").evaluate(context).int()
    tensor([[1, 0, 0, 0, 1, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    """

    grid: Grid
    seed: int = 0
    samples: NDArray[np.float32] | None = None
    beat_tracker: BeatTracker | None = None
    onset_detector: OnsetDetector | None = None
    loudness_meter: LoudnessMeter | None = None
    _memory: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def timeline(self) -> Timeline:
        """Positions and lengths in any unit, as frames."""
        return Timeline(self.grid, lambda: self.beats)

    @cached_property
    def beats(self) -> Beats:
        """Beats and downbeats of the clip, in seconds. Empty where none are heard."""
        tracker = self._need(self.beat_tracker, "a beat tracker")
        return tracker(self._sound, self.grid.sample_rate)

    @cached_property
    def onsets(self) -> FloatArray:
        """Onset times of the clip in seconds, sorted."""
        detector = self._need(self.onset_detector, "an onset detector")
        return detector(self._sound, self.grid.sample_rate)

    @cached_property
    def loudness(self) -> FloatArray:
        """Level of each frame in dB re full scale, ``[frame]``."""
        meter = self._need(self.loudness_meter, "a loudness meter")
        return meter(self._sound, self.grid.hop_length, self.grid.n_frames)

    @property
    def heard(self) -> frozenset[str]:
        """Which of ``beats``, ``onsets`` and ``loudness`` masks have asked for so far."""
        return frozenset({"beats", "onsets", "loudness"} & vars(self).keys())

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what `compute` gives, computed once for the clip and key.

        For masks of third parties that hear something else in the clip.
        """
        if key not in self._memory:
            self._memory[key] = compute()
        return cast(T, self._memory[key])

    @property
    def _sound(self) -> NDArray[np.float32]:
        return self._need(self.samples, "the clip's audio")

    @staticmethod
    def _need(value: T | None, what: str) -> T:
        if value is None:
            raise MaskError(
                f"this mask needs {what}, and the context has none",
                hint="make the context with vampprompt.context_of(audio, codec)",
            )
        return value
