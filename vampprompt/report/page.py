"""Fills in the page."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from vampprompt.audio import Audio
from vampprompt.composing import Song
from vampprompt.errors import VampPromptError, shown
from vampprompt.files import atomic, check_writable
from vampprompt.report import media
from vampprompt.report.log import Log

ENDINGS = (".html", ".htm")
# Of kept tokens, in light and in dark: the accent of style.css.
ACCENT = (234, 88, 12)
_MOST_TICKS = 10
_NOT_PLAIN = re.compile(r"[^\n\t -~]+")
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def check_output(path: str | Path) -> None:
    """Find out early whether `write` could write there.

    Raises
    ------
    VampPromptError
        If the name is not that of a page, or the file cannot be written.

    Examples
    --------
    >>> try:
    ...     check_output("out.pdf")
    ... except VampPromptError as error:
    ...     print(error.hint)
    name it out.html
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
    seconds = max(track["seconds"] for track in tracks)
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
        tracks=tracks,
        seconds=seconds,
        ticks=ticks(seconds),
        codebooks=song.keep.float().mean(dim=(0, 2)).tolist(),
        log=log,
        rest=song.seconds - sum(log.seconds.values()),
        accent=f"rgb{ACCENT}",
        style=(here / "style.css").read_text(encoding="utf-8"),
        script=script,
        digest=digest,
        wave_box=f"0 {-media.WAVE_HEIGHT} {media.MOST_COLUMNS} {2 * media.WAVE_HEIGHT}",
    )
    # Names and texts of files may hold what is no text, or turns the direction of writing.
    html = _NOT_PLAIN.sub(lambda signs: shown(signs[0]), html)
    with atomic(path) as part:
        part.write_bytes(html.encode())


def _tracks(song: Song, audio: Audio) -> list[dict[str, Any]]:
    """Return what the page shows of the input and of each variation, drawn to one scale."""
    keep = song.keep.numpy().astype(np.float32)
    # What stretching put in between is kept nowhere, and has no place in the input.
    prompt = keep.mean(axis=0)[:, :: song.recipe.settings.stretch]
    names = ["Input", *(f"Variation {index + 1}" for index in song.recipe.settings.variations)]
    heard = [audio, *(Audio(samples, song.sample_rate) for samples in song.audio)]
    peak = max(float(np.abs(track.samples).max()) for track in heard)
    levels = [media.mel_levels(track.samples, track.sample_rate) for track in heard]
    loudest = max(float(level.max()) for level in levels)
    return [
        {
            "name": name,
            "key": str(place) if place < 10 else "",
            "seconds": track.duration,
            "kept": float(kept.mean()),
            "keep_width": kept.shape[1] / song.frame_rate / track.duration,
            "sound": media.sound(track),
            "waveform": media.waveform(track.samples, peak),
            "spectrogram": media.spectrogram(level, loudest),
            "tokens": media.tokens(kept, ACCENT),
        }
        for place, (name, track, level, kept) in enumerate(
            zip(names, heard, levels, [prompt, *keep], strict=True)
        )
    ]


def ticks(seconds: float) -> list[float]:
    """Return round times, at most ten, from 0 to the end of a clip."""
    step = next((tick for tick in _TICKS if seconds / tick <= _MOST_TICKS), seconds)
    return [round(number * step, 3) for number in range(int(seconds / step) + 1)]


def clock(seconds: float) -> str:
    """Return a time as a person reads it: ``2.5 s`` or, from a minute on, ``1:05``."""
    if seconds < 60:
        return f"{round(seconds, 1):g} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02}"
