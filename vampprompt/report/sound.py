"""Audio that a page can hold and a browser can play."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from vampprompt.audio import Audio, write
from vampprompt.errors import AudioError
from vampprompt.report.pictures import data_uri

# MP3 is small and plays everywhere, but has at most two channels and 48 kHz.
KINDS = {".mp3": "audio/mpeg", ".flac": "audio/flac", ".wav": "audio/wav"}
# In bytes. Some browsers open no data URI above 32 MiB, and base64 makes 4 bytes of 3.
MOST_BYTES = 24 * 2**20


def embedded(audio: Audio) -> str | None:
    """Return audio as a data URI, or None if it would be too long for browsers to open.

    It is MP3, or FLAC or WAV where a format cannot hold so many channels or such a rate.
    """
    with TemporaryDirectory() as folder:
        for ending, kind in KINDS.items():
            file = Path(folder, f"sound{ending}")
            try:
                write(file, audio)
            except AudioError:
                continue
            content = file.read_bytes()
            return data_uri(kind, content) if len(content) <= MOST_BYTES else None
    return None
