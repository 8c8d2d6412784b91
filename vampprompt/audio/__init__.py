"""Recordings: what one is, its level, and how it is read and written.

Everybody may call this room; it knows errors and files only. `recording` holds the samples and
`levels` their loudness; `formats` is the one table of what is read and written, by libsndfile
where that can (`reading`, `writing`) and else by FFmpeg (`ffmpeg`); `tags` carries titles, tempo
and markers from file to file, and `memory` says beforehand what would not fit.
"""

from vampprompt.audio.formats import ENDINGS, READABLE, WRITTEN, why_left_out
from vampprompt.audio.levels import MODEL_LUFS, limit, loudness, normalise
from vampprompt.audio.memory import check_memory
from vampprompt.audio.reading import read
from vampprompt.audio.recording import (
    Audio,
    Samples,
    fit,
    mono,
    peak,
    resample,
    resampled_length,
)
from vampprompt.audio.writing import check_output, write

__all__ = [
    "ENDINGS",
    "MODEL_LUFS",
    "READABLE",
    "WRITTEN",
    "Audio",
    "Samples",
    "check_memory",
    "check_output",
    "fit",
    "limit",
    "loudness",
    "mono",
    "normalise",
    "peak",
    "read",
    "resample",
    "resampled_length",
    "why_left_out",
    "write",
]
