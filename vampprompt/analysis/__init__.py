"""What is heard in a clip: beats, onsets, loudness.

Whoever wraps a recording for masks (`vampprompt.clip`, composing) calls these, and asks for them
through `remembered`, so that a clip is analysed once. Trackers are terms of the language, read by
`tracker`. This room knows audio and units, and nothing of masks, samplers and models. Importing it
imports no library that listens: each does when it is first asked.
"""

from vampprompt.analysis.beats import auto, describe, tracker, trackers
from vampprompt.analysis.by_librosa import LibrosaBeats, LibrosaOnsets
from vampprompt.analysis.by_madmom import MadmomBeats
from vampprompt.analysis.cache import location, remembered
from vampprompt.analysis.loudness import frame_loudness

onsets = LibrosaOnsets()
"""The detector of onsets that composing uses: samples ``[samples]`` and a rate in Hz to seconds.

>>> import numpy as np
>>> onsets(np.zeros(44100, np.float32), 44100)
array([], dtype=float64)
"""

__all__ = [
    "LibrosaBeats",
    "LibrosaOnsets",
    "MadmomBeats",
    "auto",
    "describe",
    "frame_loudness",
    "location",
    "onsets",
    "remembered",
    "tracker",
    "trackers",
]
