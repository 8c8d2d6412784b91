"""Beats and downbeats by madmom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vampprompt.analysis.madmom_compat import import_madmom, old_names
from vampprompt.analysis.sound import SAMPLE_RATE, SHORTEST_BEAT, prepared, sounding
from vampprompt.audio import Samples
from vampprompt.units import Beats

# How many activations a second madmom's networks give.
_FPS = 100


@dataclass
class MadmomBeats:
    """Tracks beats and bars with madmom's recurrent networks and Bayesian network.

    Parameters
    ----------
    beats_per_bar : tuple of int
        The metres to try; the most probable one is taken.
    note : str
        Why this tracker was chosen, for `describe`.

    Raises
    ------
    AnalysisError
        If madmom is not installed or does not work here.

    References
    ----------
    Sebastian Böck, Florian Krebs and Gerhard Widmer, "Joint beat and downbeat tracking with
    recurrent neural networks", ISMIR 2016.
    """

    beats_per_bar: tuple[int, ...] = (3, 4)
    note: str = field(default="", repr=False)
    name: str = field(default="madmom", init=False)
    version: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        import_madmom("features.downbeats")
        self.version = version("madmom")

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats of one channel of audio; none in silence and in very short clips."""
        samples = prepared(samples, sample_rate)
        if sounding(samples, SHORTEST_BEAT) is None:
            return Beats.none()
        downbeats = import_madmom("features.downbeats")
        signal = import_madmom("audio.signal")
        with old_names():
            network = downbeats.RNNDownBeatProcessor()
            bars = downbeats.DBNDownBeatTrackingProcessor(list(self.beats_per_bar), fps=_FPS)
            bars.map = _map_to_pairs
            activations = network(signal.Signal(samples, SAMPLE_RATE, num_channels=1))
            counted = bars(activations)
        seconds, counts = counted[:, 0].astype(np.float64), counted[:, 1]
        return Beats(seconds, seconds[counts == 1])

    def describe(self) -> str:
        """Return one line that says who tracks, and why."""
        return f"madmom {self.version}" + (f" ({self.note})" if self.note else "")


def _map_to_pairs(
    decode: Callable[[Any], tuple[NDArray[np.int64], float]], tasks: Iterable[Any]
) -> list[NDArray[np.object_]]:
    """Decode every metre into a path and its probability, as one array of two objects.

    madmom makes an array of the plain tuples, and numpy no longer makes ragged ones by itself.
    """
    pairs = []
    for task in tasks:
        pair = np.empty(2, dtype=object)
        pair[0], pair[1] = decode(task)
        pairs.append(pair)
    return pairs
