"""Fills in the page."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from vampprompt.audio import Audio, atomic, check_writable
from vampprompt.errors import VampPromptError
from vampprompt.report import pictures
from vampprompt.report.log import Log
from vampprompt.report.sound import embedded

if TYPE_CHECKING:
    from vampprompt.composing import Song

ENDINGS = (".html", ".htm")
# Of kept tokens, in light and in dark: the accent of style.css.
ACCENT = (234, 88, 12)
_MOST_TICKS = 10
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True)
class Track:
    """What the page shows of the input or of a variation.

    Attributes
    ----------
    name : str
        What it is called.
    key : str
        The key that switches to it; empty if there is none left.
    audio : Audio
        How it sounds.
    keep : ndarray
        Share kept of each token, ``[codebook, frame]``, in ``[0, 1]``.
    """

    name: str
    key: str
    audio: Audio
    keep: NDArray[np.float32]


def check_output(path: str | Path) -> None:
    """Find out early whether `write` could write there.

    Raises
    ------
    VampPromptError
        If the name is not that of a page, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise VampPromptError(
            f"a report is a page, and '{path}' does not end in .html", hint="name it out.html"
        )
    check_writable(path)


def write(path: str | Path, song: Song, audio: Audio, log: Log | None = None) -> None:
    """Write a page to hear and see a song beside the recording that it was made from.

    It is one file that needs no network: sound, pictures and recipe are in it. A track whose
    sound takes more than 24 MiB as MP3, which is some 20 minutes in stereo, has pictures only.

    Parameters
    ----------
    path : str or Path
        A file that ends in ``.html``. It appears whole or not at all.
    song : Song
        As `compose` returns it.
    audio : Audio
        The recording, ``[channel, samples]``.
    log : Log, optional
        What was recorded while composing; without it the page has no steps and fewer timings.

    Raises
    ------
    VampPromptError
        If the file cannot be written.

    Examples
    --------
    >>> import vampprompt as vp
    >>> audio = vp.read("in.wav")
    >>> song = vp.compose(audio, "everything", vp.load("starter"))
    >>> write("out.html", song, audio)
    """
    check_output(path)
    log = log or Log()
    tracks = _tracks(song, audio)
    peak = max(float(np.abs(track.audio.samples).max()) for track in tracks)
    levels = [pictures.mel_levels(track.audio.samples, track.audio.sample_rate) for track in tracks]
    loudest = max(float(one.max()) for one in levels)
    seconds = max(track.audio.duration for track in tracks)
    shown = [
        {
            "name": track.name,
            "key": track.key,
            "seconds": track.audio.duration,
            "width": track.audio.duration / seconds,
            "kept": float(track.keep.mean()),
            "keep_width": track.keep.shape[1] / song.frame_rate / track.audio.duration,
            "sound": embedded(track.audio),
            "waveform": pictures.waveform(track.audio.samples, peak),
            "spectrogram": pictures.spectrogram(level, loudest),
            "tokens": pictures.tokens(track.keep, ACCENT),
        }
        for track, level in zip(tracks, levels, strict=True)
    ]
    here = files(__package__)
    script = (here / "player.js").read_text(encoding="utf-8")
    # Only this very script may run, whatever a file's name might smuggle in.
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page.filters["clock"] = clock
    template = page.from_string((here / "page.html").read_text(encoding="utf-8"))
    html = template.render(
        title=audio.path.name if audio.path else "a recording from memory",
        song=song,
        recipe=song.recipe.to_json(Path(path).parent),
        tracks=shown,
        seconds=seconds,
        ticks=ticks(seconds),
        codebooks=song.keep.float().mean(dim=(0, 2)).tolist(),
        log=log,
        rest=song.seconds - sum(log.seconds.values()),
        accent=f"rgb{ACCENT}",
        style=(here / "style.css").read_text(encoding="utf-8"),
        script=script,
        digest=digest,
        wave_box=f"0 {-pictures.WAVE_HEIGHT} {pictures.MOST_COLUMNS} {2 * pictures.WAVE_HEIGHT}",
    )
    with atomic(path) as part:
        # A file's name may hold bytes that are no text.
        part.write_bytes(html.encode("utf-8", "replace"))


def _tracks(song: Song, audio: Audio) -> list[Track]:
    keep = song.keep.numpy().astype(np.float32)
    # What stretching put in between is kept nowhere, and has no place in the input.
    prompt = keep.mean(axis=0)[:, :: song.recipe.settings.stretch]
    tracks = [Track("Input", "0", audio, prompt)]
    for place, index in enumerate(song.recipe.settings.variations):
        tracks.append(
            Track(
                f"Variation {index + 1}",
                str(place + 1) if place < 9 else "",
                Audio(song.audio[place], song.sample_rate),
                keep[place],
            )
        )
    return tracks


def ticks(seconds: float) -> list[float]:
    """Return round times, at most ten, from 0 to the end of a clip."""
    step = next((tick for tick in _TICKS if seconds / tick <= _MOST_TICKS), seconds)
    return [round(number * step, 3) for number in range(int(seconds / step) + 1)]


def clock(seconds: float) -> str:
    """Return a time as a person reads it: ``2.5 s`` or, from a minute on, ``1:05``."""
    if seconds < 60:
        return f"{round(seconds, 1):g} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"
