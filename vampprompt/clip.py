"""One recording as masks see it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from vampprompt.audio import MODEL_LUFS, Audio, Samples, mono, normalise, resample, resampled_length
from vampprompt.errors import MaskError
from vampprompt.protocols import Beats, BeatTracker, LoudnessMeter, OnsetDetector
from vampprompt.units import FloatArray, Grid, Timeline

T = TypeVar("T")

# Given an analysis, what identifies the sound, and how to analyse it: what was or is heard.
Recall: TypeAlias = Callable[[Any, str, Callable[[], Any]], Any]


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """A recording made ready for a codec: its grid of tokens, its sound, what is heard in it.

    Sound and analyses are worked out when something first asks for them, and once.

    Parameters
    ----------
    grid : Grid
        Shape and frame length of the clip's tokens.
    seed : int
        Chance in masks follows from this and from the seed of the mask's own node.
    audio : Audio, optional
        The recording.
    lufs : float
        The loudness at which it is heard; ``-inf`` for its own.
    beat_tracker, onset_detector, loudness_meter : callable, optional
        What hears beats, onsets and loudness in `samples`; see `vampprompt.protocols`.
    recall : callable, optional
        Remembers what was heard; see `vampprompt.analysis.remembered`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> clip = vp.Clip(vp.Grid(n_codebooks=2, n_frames=8))
    >>> vp.parse("periodic(4) & codebook<1").evaluate(clip).int()
    tensor([[1, 0, 0, 0, 1, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    """

    grid: Grid
    seed: int = 0
    audio: Audio | None = None
    lufs: float = MODEL_LUFS
    beat_tracker: BeatTracker | None = None
    onset_detector: OnsetDetector | None = None
    loudness_meter: LoudnessMeter | None = None
    recall: Recall | None = None
    _memory: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<Clip: {self.grid.n_codebooks} codebooks, {self.grid.n_frames} frames>"

    @property
    def n_samples(self) -> int:
        """Length of the recording at the codec's rate."""
        audio = self._recording
        return resampled_length(audio.n_samples, audio.sample_rate, self.grid.sample_rate)

    @property
    def channels(self) -> Samples:
        """The sound, float32 ``[channel, samples]``, at the codec's rate and level."""
        return self._prepared[0]

    @property
    def gain(self) -> float:
        """Factor that was applied to the recording's level."""
        return self._prepared[1]

    @cached_property
    def samples(self) -> Samples:
        """The sound as one channel, ``[samples]``, as analyses take it."""
        return mono(self.channels)

    @cached_property
    def timeline(self) -> Timeline:
        """Positions and lengths in any unit, as frames."""
        return Timeline(self.grid, lambda: self.beats)

    @cached_property
    def beats(self) -> Beats:
        """Beats and downbeats of the clip, in seconds. Empty where none are heard."""
        return cast(Beats, self._heard(self.beat_tracker, "a beat tracker"))

    @cached_property
    def onsets(self) -> FloatArray:
        """Onset times of the clip in seconds, sorted."""
        return cast(FloatArray, self._heard(self.onset_detector, "an onset detector"))

    @cached_property
    def loudness(self) -> FloatArray:
        """Level of each frame in dB re full scale, ``[frame]``."""
        meter = _needed(self.loudness_meter, "a loudness meter")
        return meter(self.samples, self.grid.hop_length, self.grid.n_frames)

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

    def _heard(self, analysis: Any, what: str) -> Any:
        analysis = _needed(analysis, what)
        identity = f"{self._identity} {self.grid.sample_rate} {self.lufs}"

        def listen() -> Any:
            return analysis(self.samples, self.grid.sample_rate)

        return self.recall(analysis, identity, listen) if self.recall else listen()

    @cached_property
    def _identity(self) -> str:
        return self._recording.identity

    @property
    def _recording(self) -> Audio:
        return _needed(self.audio, "the clip's audio")

    @cached_property
    def _prepared(self) -> tuple[Samples, float]:
        audio = self._recording
        samples = resample(audio.samples, audio.sample_rate, self.grid.sample_rate)
        if not np.isfinite(self.lufs):
            return samples, 1.0
        return normalise(samples, self.grid.sample_rate, self.lufs)


def _needed(value: T | None, what: str) -> T:
    if value is None:
        raise MaskError(
            f"this mask needs {what}, and the clip has none",
            hint="make the clip with vampprompt.prepare(audio, bundle)",
        )
    return value
