"""Beats and downbeats by madmom, and what madmom 0.16.1 needs of a newer Python and numpy."""

from __future__ import annotations

import collections
import collections.abc
import importlib.util
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vampprompt.analysis.by_librosa import Metres
from vampprompt.analysis.cache import remembered
from vampprompt.analysis.loudness import SAMPLE_RATE, SHORTEST_BEAT, memory_for, sounding
from vampprompt.audio import Samples
from vampprompt.errors import AnalysisError
from vampprompt.language import Positive, Term
from vampprompt.units import Beats, FloatArray

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
# As measured, what madmom takes for a sample of audio at the most.
_BYTES = 190


@dataclass(frozen=True, repr=False)
class MadmomBeats(Term):
    """Tracks beats and bars with madmom's recurrent networks and Bayesian network.

    Parameters
    ----------
    beats_per_bar : tuple of int
        The metres to try; the most probable one is taken.
    transition : int
        How surely the tempo stays as it is: the Bayesian network's ``transition_lambda``.

    Raises
    ------
    AnalysisError
        If madmom is not installed or does not work here.

    References
    ----------
    Sebastian Böck, Florian Krebs and Gerhard Widmer, "Joint beat and downbeat tracking with
    recurrent neural networks", ISMIR 2016.

    Examples
    --------
    Where madmom is not installed, the error says how to install it.

    >>> try:
    ...     print(MadmomBeats(transition=50))
    ... except AnalysisError as error:
    ...     print(error)
    madmom...
    """

    name = "madmom"
    error = AnalysisError

    beats_per_bar: Metres = (3, 4)
    transition: Positive = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if importlib.util.find_spec("madmom") is None:
            raise AnalysisError("madmom is not installed", hint=INSTALL)

        def works() -> FloatArray:
            import_madmom("features.downbeats")
            return np.zeros(0)

        # Importing it takes as long as hearing a short clip: what worked once does so again.
        here = f"works in {sys.prefix}, Python {sys.version}, numpy {np.__version__}"
        remembered(self, here, works)

    @property
    def version(self) -> str:
        """That of madmom."""
        return metadata.version("madmom")

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats of one channel of audio; none in silence and in very short clips."""
        samples, span = sounding(samples, sample_rate, SHORTEST_BEAT)
        if span is None:
            return Beats.none()
        downbeats = import_madmom("features.downbeats")
        signal = import_madmom("audio.signal")
        with memory_for("beats", samples, _BYTES), old_names():
            network = downbeats.RNNDownBeatProcessor()
            bars = downbeats.DBNDownBeatTrackingProcessor(
                list(self.beats_per_bar), transition_lambda=self.transition, fps=_FPS
            )
            bars.map = _map_to_pairs
            activations = network(signal.Signal(samples, SAMPLE_RATE, num_channels=1))
            counted = bars(activations)
        seconds, counts = counted[:, 0].astype(np.float64), counted[:, 1]
        return Beats(seconds, seconds[counts == 1])


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
    """Put names that Python and numpy have dropped back for a while, without warnings of madmom.

    madmom looks them up when it is imported and again while it runs. Nobody else gets to
    depend on them: they go again. Only warnings about its own code and the old library that tells
    it its version are left out, for `warnings.catch_warnings` would lose the filters of other
    threads.
    """
    with _lock:
        warnings.filterwarnings("ignore", module="madmom|pkg_resources")
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
        If madmom does not work here, with the command that installs it.
    """
    with old_names():
        try:
            return importlib.import_module(f"madmom.{module}")
        # Binary modules built against another numpy fail in many ways.
        except Exception as error:
            raise AnalysisError(f"madmom does not work here: {error}", hint=INSTALL) from error
