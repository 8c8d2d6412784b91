"""The one table of the kinds of files that hold sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vampprompt.errors import AudioError

_ANY = range(1, 2**31)
_MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Format:
    """How a kind of file is written.

    Attributes
    ----------
    container : str
        In the writer's words.
    subtype : str or None
        How it stores samples, if there is but one way.
    channels : int
        How many it can have.
    rates : sequence of int
        The rates that it can have, in Hz, sorted.
    by_ffmpeg : bool
        Whether FFmpeg writes it, libsndfile otherwise.
    """

    container: str
    subtype: str | None = None
    channels: int = 1024
    rates: Sequence[int] = _ANY
    by_ffmpeg: bool = False


_AIFF = Format("AIFF")
# libsndfile brings the process down when it is asked for more than Vorbis has.
_VORBIS = Format("OGG", "VORBIS", 255, range(1, 200_001))
WRITTEN = {
    ".wav": Format("WAV"),
    ".flac": Format("FLAC", channels=8, rates=range(1, 655_351)),
    ".ogg": _VORBIS,
    ".oga": _VORBIS,
    ".opus": Format("OGG", "OPUS", 255, (8000, 12000, 16000, 24000, 48000)),
    ".mp3": Format("MP3", "MPEG_LAYER_III", 2, _MPEG),
    ".m4a": Format("ipod", "aac", 6, (7350, *_MPEG, 64000, 88200, 96000), by_ffmpeg=True),
    ".aiff": _AIFF,
    ".aif": _AIFF,
    ".caf": Format("CAF"),
    ".w64": Format("W64"),
    ".au": Format("AU"),
}
"""How files are written, by their ending.

>>> WRITTEN[".mp3"].channels
2
"""
ENDINGS = tuple(WRITTEN)
"""The endings of the files that can be written.

>>> ".flac" in ENDINGS
True
"""
# What is read besides: other audio, and the sound of video. Not .ts: most of those are programs.
READABLE = (
    *ENDINGS,
    *(".3ga", ".aac", ".ac3", ".aifc", ".amr", ".ape", ".dsf", ".m4b", ".m4r", ".mka", ".mp2"),
    *(".mpc", ".mpga", ".rf64", ".snd", ".spx", ".tta", ".voc", ".wave", ".weba", ".wma", ".wv"),
    *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
    *(".ogv", ".webm", ".wmv"),
)
"""The endings of the files that can be read.

>>> ".mp4" in READABLE
True
"""


def format_of(ending: str, name: str) -> Format:
    """Return how files of an ending, ``".wav"``, are written.

    Raises
    ------
    AudioError
        If none are, that speaks of `name`.
    """
    if ending.lower() not in WRITTEN:
        hint = f"known: {' '.join(ENDINGS)}"
        raise AudioError(f"{name} ends in no audio format that can be written", hint=hint)
    return WRITTEN[ending.lower()]


def why_left_out(path: Path) -> str | None:
    """Return why a file that lies in a folder is taken for no recording; None if it is one.

    Examples
    --------
    >>> why_left_out(Path("cover.jpg")), why_left_out(Path("in.wav"))
    ("no audio by its ending '.jpg'", None)
    """
    if path.name.startswith("._"):
        return "what macOS notes of another file"
    if path.name.startswith("."):
        return "hidden"
    if path.suffix.lower() not in READABLE:
        return f"no audio by its ending '{path.suffix}'" if path.suffix else "no ending"
    return None
