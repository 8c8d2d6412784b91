"""Beat trackers by name."""

from __future__ import annotations

from collections.abc import Callable

from vampprompt.analysis.librosa_beats import LibrosaBeats
from vampprompt.analysis.madmom_beats import MadmomBeats
from vampprompt.errors import AnalysisError
from vampprompt.language import Registry
from vampprompt.protocols import BeatTracker


def auto() -> LibrosaBeats | MadmomBeats:
    """Return madmom's tracker if madmom works here, librosa's otherwise.

    docs/beats.md shows how they compare.
    """
    try:
        return MadmomBeats()
    except AnalysisError as error:
        return LibrosaBeats(note=error.message)


trackers: Registry[Callable[[], BeatTracker]] = Registry(
    "beat tracker", "vampprompt.beat_trackers", AnalysisError
)
trackers.register("librosa", LibrosaBeats)
trackers.register("madmom", MadmomBeats)
trackers.register("auto", auto)


def tracker(name: str) -> BeatTracker:
    """Return the beat tracker of that name.

    Raises
    ------
    AnalysisError
        If there is none, with the nearest known name; or if it cannot work here.
    """
    return trackers.get(name)()


def describe(tracker: object) -> str:
    """Return one line that says who tracks, and why, as far as the tracker tells."""
    tell = getattr(tracker, "describe", None)
    return str(tell() if callable(tell) else getattr(tracker, "name", tracker))
