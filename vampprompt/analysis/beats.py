"""Beat trackers by name, and those that hear nothing: a steady tempo, and a file of beats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from vampprompt.analysis.by_librosa import LibrosaBeats
from vampprompt.analysis.by_madmom import MadmomBeats
from vampprompt.audio import Samples
from vampprompt.errors import AnalysisError
from vampprompt.language import FilePath, Grammar, Positive, Registry, Term, read
from vampprompt.protocols import BeatTracker
from vampprompt.units import Beats, Quantity

# In beats a minute. What is faster would fill frames, not keep some of them.
_FASTEST = 1000
# In bytes: an hour of beats takes a hundredth of it.
_LARGEST_FILE = 2**22
_START = Quantity.parse("0s")


def _tempo(value: Any) -> Quantity:
    tempo = Quantity.of(value)
    if tempo.unit != "tempo" or not 0 < tempo.number <= _FASTEST:
        raise AnalysisError(f"'{tempo}' is not a tempo", hint=f"write 120bpm, up to {_FASTEST}bpm")
    return tempo


def _time(value: Any) -> Quantity:
    time = Quantity.of(value)
    if time.seconds is None or time.number < 0:
        raise AnalysisError(f"'{time}' is not a time of the clip", hint="write 0.31s or 310ms")
    return time


@dataclass(frozen=True, repr=False)
class SteadyBeats(Term):
    """Counts beats of one tempo, whatever is heard: ``steady(120bpm, first=0.31s)``.

    Parameters
    ----------
    tempo : quantity
        In beats a minute.
    first : quantity
        When the first beat is, which begins a bar.
    bar : int
        How many beats a bar has.
    """

    name = "steady"
    error = AnalysisError

    tempo: Annotated[Quantity, _tempo]
    first: Annotated[Quantity, _time] = _START
    bar: Positive = 4

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats from the first one to the end of the clip."""
        duration, first = len(samples) / sample_rate, float(self.first.seconds or 0)
        period = float(60 / self.tempo.number)
        beats = first + period * np.arange(max(0, np.ceil((duration - first) / period)))
        return Beats(beats, beats[:: self.bar])


@dataclass(frozen=True, repr=False)
class FileBeats(Term):
    """Takes beats from a text file: ``file("song.beats")``.

    Each line has the time of a beat in seconds and, if bars are known, behind it the beat's
    number in its bar, from 1. What follows a ``#`` is not read.

    Parameters
    ----------
    path : str
        The file.
    """

    name = "file"
    error = AnalysisError

    path: FilePath

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return those beats of the file that are in the clip.

        Raises
        ------
        AnalysisError
            If the file is missing, or is no list of beats.
        """
        try:
            if not Path(self.path).is_file():
                raise FileNotFoundError("there is no such file")
            if Path(self.path).stat().st_size > _LARGEST_FILE:
                raise ValueError("it is too large")
            lines = Path(self.path).read_text(encoding="utf-8-sig").split("\n")
            lines = [line for line in lines if line.partition("#")[0].strip()]
            rows = np.loadtxt(lines, ndmin=2) if lines else np.zeros((0, 1))
            if not np.isfinite(rows).all():
                raise ValueError("not all of its numbers are finite")
        except (OSError, ValueError) as error:
            hint = 'write in each line a time in seconds and, if known, the beat: "1.48 3"'
            raise AnalysisError(f"no beats in '{self.path}': {error}", hint=hint) from error
        rows = rows[np.argsort(rows[:, 0])]
        rows = rows[(rows[:, 0] >= 0) & (rows[:, 0] < len(samples) / sample_rate)]
        return Beats(rows[:, 0], rows[(rows[:, 1:2] == 1).any(axis=1), 0])


def auto() -> LibrosaBeats | MadmomBeats:
    """Return madmom's tracker if madmom works here, librosa's otherwise.

    docs/beats.md shows how they compare.

    Examples
    --------
    >>> auto().name in ("madmom", "librosa")
    True
    """
    try:
        return MadmomBeats()
    except AnalysisError as error:
        chosen = LibrosaBeats()
        chosen.__dict__.update(note=error.message)
        return chosen


trackers: Registry[Any] = Registry(
    "beat tracker", "vampprompt.beat_trackers", AnalysisError, takes=2
)
"""Beat trackers by name, those of installed packages included.

>>> list(trackers)
['auto', 'file', 'librosa', 'madmom', 'steady']
"""
for _kind in (LibrosaBeats, MadmomBeats, SteadyBeats, FileBeats):
    trackers.register(_kind.name, _kind)
trackers.register("auto", auto)


def tracker(text: str) -> BeatTracker:
    """Return the beat tracker that a text names: ``librosa``, ``steady(120bpm, first=0.31s)``.

    Raises
    ------
    AnalysisError
        If there is none, with the nearest known name; or if it cannot work here.

    Examples
    --------
    >>> beats = tracker("steady(120bpm, bar=3)")(np.zeros(44100 * 2, np.float32), 44100)
    >>> beats.beats, beats.downbeats
    (array([0. , 0.5, 1. , 1.5]), array([0. , 1.5]))
    """
    found: BeatTracker = read(text, Grammar(trackers, "madmom", plain=True))
    return found


def describe(tracker: object) -> str:
    """Return one line that says who tracks, and why, as far as the tracker tells.

    Examples
    --------
    >>> describe(tracker("steady(120bpm)"))
    'steady(120bpm)'
    """
    who = str(tracker if isinstance(tracker, Term) else getattr(tracker, "name", tracker))
    forms = {"version": " {}", "remark": ", {}", "note": " ({})"}
    told = [(form, getattr(tracker, name, None)) for name, form in forms.items()]
    return who + "".join(form.format(said) for form, said in told if said)
