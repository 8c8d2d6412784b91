"""Beats by librosa, and a guess at downbeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from vampprompt.analysis.sound import SAMPLE_RATE, SHORTEST_BEAT, prepared, sounding
from vampprompt.audio import Samples
from vampprompt.units import Beats

_HOP = 512
# Half a second of silence on either side: librosa's tracker otherwise loses what is at the edges.
_MARGIN = 43 * _HOP
_BASS = 200.0


@dataclass
class LibrosaBeats:
    """Tracks beats by dynamic programming over librosa's onset strength, at one tempo.

    librosa hears no bars. Downbeats are a guess: every `beats_per_bar`-th beat, counted from
    the phase in which onsets are strongest, all of them and those of the bass in equal parts.

    Parameters
    ----------
    beats_per_bar : int
        The metre that downbeats are guessed in.
    note : str
        Why this tracker was chosen, for `describe`.

    References
    ----------
    Daniel P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research
    36(1), 2007.
    """

    beats_per_bar: int = 4
    note: str = field(default="", repr=False)
    name: str = field(default="librosa", init=False)
    version: str = field(default_factory=lambda: version("librosa"), init=False, repr=False)

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats of one channel of audio; none in silence and in very short clips."""
        samples = prepared(samples, sample_rate)
        span = sounding(samples, SHORTEST_BEAT)
        if span is None:
            return Beats.none()
        strength, bass = _strengths(samples)
        import librosa

        _, frames = librosa.beat.beat_track(
            onset_envelope=strength, sr=SAMPLE_RATE, hop_length=_HOP, trim=False
        )
        # Strength at a frame is the rise since the one before it: the beat is where it began.
        seconds = ((frames - 1) * _HOP - _MARGIN) / SAMPLE_RATE
        # The tracker goes on counting in the silence around the music.
        half_hop = 0.5 * _HOP / SAMPLE_RATE
        heard = (seconds > span[0] - 2 * half_hop) & (seconds < span[1] - half_hop)
        seconds, frames = seconds[heard].clip(min=0.0), frames[heard]
        phase = self._phase(strength[frames] + bass[frames])
        return Beats(seconds, seconds[phase :: self.beats_per_bar])

    def describe(self) -> str:
        """Return one line that says who tracks, and why."""
        return f"librosa {self.version}, downbeats guessed" + (
            f" ({self.note})" if self.note else ""
        )

    def _phase(self, strength: NDArray[np.float64]) -> int:
        phases = [strength[phase :: self.beats_per_bar] for phase in range(self.beats_per_bar)]
        return int(np.argmax([phase.mean() if len(phase) else 0.0 for phase in phases]))


def _strengths(samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the onset strength of everything and of the bass, each with its peak at 1."""
    import librosa

    strength = partial(
        librosa.onset.onset_strength,
        y=np.pad(samples, _MARGIN),
        sr=SAMPLE_RATE,
        hop_length=_HOP,
    )
    strengths = strength(aggregate=np.median), strength(fmax=_BASS, n_mels=4)
    scaled = []
    for heard in strengths:
        # The step from digital silence into the clip must not dwarf everything after it.
        inside = heard[_MARGIN // _HOP + 3 :].max(initial=0.0)
        scaled.append(np.minimum(heard, inside).astype(np.float64) / (inside or 1.0))
    return scaled[0], scaled[1]
