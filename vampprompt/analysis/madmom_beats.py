"""Beats and downbeats by madmom, and what madmom 0.16.1 needs of a newer Python and numpy."""

from __future__ import annotations

import collections
import collections.abc
import importlib
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vampprompt.analysis.loudness import SAMPLE_RATE, SHORTEST_BEAT, sounding
from vampprompt.audio import Samples
from vampprompt.errors import AnalysisError
from vampprompt.units import Beats

INSTALL = (
    "pip install 'cython<3' numpy 'setuptools<80' wheel && "
    "CYTHON_FORCE_REGEN=1 pip install --no-build-isolation madmom==0.16.1"
)

# Names that were there when madmom was written.
_ABSTRACT = ("Callable", "Iterable", "Mapping", "MutableSequence", "Sequence")
_GONE: list[tuple[ModuleType, str, object]] = [
    *((collections, name, getattr(collections.abc, name)) for name in _ABSTRACT),
    *((np, kind.__name__, kind) for kind in (bool, complex, float, int, object)),
]
_lock = threading.RLock()
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
        samples, span = sounding(samples, sample_rate, SHORTEST_BEAT)
        if span is None:
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


@contextmanager
def old_names() -> Iterator[None]:
    """Put names that Python and numpy have dropped back for a while, without any warnings.

    madmom looks them up when it is imported and again while it runs. Nobody else gets to
    depend on them: they go again.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        added = [gone for gone in _GONE if gone[1] not in vars(gone[0])]
        for module, name, value in added:
            setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, _ in added:
                delattr(module, name)


def import_madmom(module: str) -> ModuleType:
    """Import one of madmom's modules, ``"features.downbeats"``.

    Raises
    ------
    AnalysisError
        If madmom is missing or does not work here, with the command that installs it.
    """
    with old_names():
        try:
            return importlib.import_module(f"madmom.{module}")
        # Binary modules built against another numpy fail in many ways.
        except Exception as error:
            reason = f"does not work here: {error}"
            if isinstance(error, ModuleNotFoundError):
                absent = (error.name or "").partition(".")[0] == "madmom"
                reason = "is not installed" if absent else f"does not work without {error.name}"
            raise AnalysisError(f"madmom {reason}", hint=INSTALL) from error
