"""What is heard in a clip: beats, onsets, loudness."""

from vampprompt.analysis.beats import auto, describe, tracker, trackers
from vampprompt.analysis.cache import cached
from vampprompt.analysis.librosa_beats import LibrosaBeats
from vampprompt.analysis.librosa_onsets import LibrosaOnsets
from vampprompt.analysis.loudness import frame_loudness
from vampprompt.analysis.madmom_beats import MadmomBeats

onsets = LibrosaOnsets()

__all__ = [
    "LibrosaBeats",
    "LibrosaOnsets",
    "MadmomBeats",
    "auto",
    "cached",
    "describe",
    "frame_loudness",
    "onsets",
    "tracker",
    "trackers",
]


def remembered(analysis, identity, listen):  # type: ignore[no-untyped-def]
    return listen()
