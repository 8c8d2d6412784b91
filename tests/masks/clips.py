"""Small clips for the tests of masks: every analysis is given, none is heard."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vampprompt import clip
from vampprompt.audio import Audio
from vampprompt.units import Beats, Grid

DATA = Path(__file__).parent.parent / "data" / "masks"


@dataclass(frozen=True)
class Clip:
    n_codebooks: int = 5
    n_frames: int = 90
    seed: int = 0
    # The tempo changes, a beat lies in the first frame, and the last bar is cut off.
    beats: tuple[float, ...] = (0.004, 0.21, 0.416, 0.64, 0.9, 1.2, 1.43)
    downbeats: tuple[float, ...] = (0.21, 0.9)
    onsets: tuple[float, ...] = (0.0, 0.11, 0.213, 0.5, 0.52, 1.1, 1.5)
    loudness: tuple[float, ...] = field(default=())

    @property
    def levels(self) -> list[float]:
        if self.loudness:
            return list(self.loudness)
        return [-60 + 50 * abs(np.sin(frame / 7)) for frame in range(self.n_frames)]

    @property
    def context(self) -> clip.Clip:
        return clip.Clip(
            Grid(self.n_codebooks, self.n_frames),
            seed=self.seed,
            # Nothing listens to it.
            audio=Audio(np.zeros((1, 1), dtype=np.float32), 44100),
            lufs=-np.inf,
            beat_tracker=Told(self),
            onset_detector=lambda samples, sample_rate: np.array(self.onsets),
            loudness_meter=lambda samples, hop_length, n_frames: np.array(self.levels),
        )


class Told:
    name = "told"

    def __init__(self, clip: Clip) -> None:
        self.clip = clip

    def __call__(self, samples: np.ndarray, sample_rate: int) -> Beats:
        return Beats(np.array(self.clip.beats), np.array(self.clip.downbeats))


def rows(keep) -> list[str]:
    """Draw a mask, a row of # and . for each codebook."""
    return ["".join("#" if token else "." for token in row) for row in keep.tolist()]
