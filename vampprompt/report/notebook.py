"""What a notebook shows of songs and masks, and of composing while it goes on."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vampprompt.audio import Audio, read
from vampprompt.composing import Song, Source
from vampprompt.errors import VampPromptError, shown
from vampprompt.masks import Mask
from vampprompt.report import media
from vampprompt.report.page import ACCENT

if TYPE_CHECKING:
    from vampprompt.composing.compose import OnProgress

__all__ = ["mask_html", "progress", "song_html"]


def song_html(song: Song) -> str:
    """Return players for the recording and each variation, each above what is kept of it.

    The recording is left out where its file has changed since, or there never was one. Beats are
    marked where the mask asked for them.

    Parameters
    ----------
    song : Song
        As `vampprompt.compose` returns it.

    Examples
    --------
    >>> import vampprompt as vp
    >>> song = vp.compose("in.wav", "periodic(7)", vp.load("starter"), variations=2)
    >>> song_html(song).count("<audio")
    3
    """
    settings = song.recipe.settings
    audio, keep = _recording(song.recipe.source), song.keep.numpy().astype(np.float32)
    length = song.keep.shape[-1] / song.frame_rate
    marks = "".join(
        f'<i style="position:absolute;top:0;bottom:0;left:{100 * beat / length:.3f}%;'
        'border-left:1px solid gray"></i>'
        for beat in (song.beats.beats * settings.stretch if song.beats else ())
    )
    rows = [
        (f"variation {index + 1}", Audio(samples, song.sample_rate), one)
        for index, samples, one in zip(settings.variations, song.audio, keep, strict=True)
    ]
    if audio is not None:
        # What stretching put in between is kept nowhere, and has no place in the recording.
        rows.insert(0, ("recording", audio, keep.mean(axis=0)[:, :: settings.stretch]))
    head = (
        f"<b>{_plain(settings.mask)}</b> keeps {song.kept:.1%} of the tokens, seed {settings.seed}"
    )
    notes = "".join(f"<br>{_plain(note)}" for note in song.notes)
    return f"<div>{head}{notes}{''.join(_row(*row, marks) for row in rows)}</div>"


def mask_html(mask: Mask) -> str:
    """Return a mask's text, which is all that there is of it without a recording.

    Parameters
    ----------
    mask : Mask
        Any.

    Examples
    --------
    >>> import vampprompt as vp
    >>> mask_html(vp.parse("beat & codebook<3"))
    '<code>beat &amp; codebook&lt;3</code>'
    """
    return f"<code>{_plain(mask)}</code>"


def progress() -> OnProgress:
    """Return what shows how composing goes: ``compose(..., on_progress=progress())``.

    A bar for each stage in a notebook or on a terminal, by tqdm; elsewhere a line for each stage
    that is done, on standard error.

    Examples
    --------
    >>> import vampprompt as vp
    >>> watch = progress()
    >>> song = vp.compose("in.wav", "beat", vp.load("starter"), on_progress=watch)
    """
    return _lines() if not (_in_notebook() or sys.stderr.isatty()) else _bars()


def _bars() -> OnProgress:
    import warnings

    with warnings.catch_warnings():
        # Without widgets tqdm draws with signs, and warns.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    bars: dict[str, Any] = {}

    def advance(stage: str, done: int, total: int) -> None:
        bar = bars.get(stage)
        if bar is not None and (bar.total != total or done < bar.n):
            # It was left behind by an interrupt.
            bar.close()
            bar = None
        if bar is None:
            # One that begins with what is done already gives no speed that nobody measured.
            bar = bars[stage] = tqdm(total=total, desc=stage, initial=done)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()
            del bars[stage]

    return advance


def _lines() -> OnProgress:
    def advance(stage: str, done: int, total: int) -> None:
        if done == total:
            sys.stderr.write(f"{stage}: {total} done\n")

    return advance


def _in_notebook() -> bool:
    found: Callable[[], Any] | None = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return hasattr(found and found(), "kernel")


def _recording(source: Source | None) -> Audio | None:
    """Return the recording that a song was made of, if it is there still."""
    if source is None:
        return None
    try:
        source.check()
        return read(source.path)
    except VampPromptError:
        return None


def _row(name: str, audio: Audio, kept: Any, marks: str) -> str:
    sound = media.sound(audio)
    player = (
        f'<audio controls preload="metadata" src="{sound}" style="width:100%"></audio>'
        if sound
        else "too long to be heard here"
    )
    picture = media.tokens(kept, ACCENT)
    return (
        f'<div style="margin-top:0.5em"><small>{_plain(name)}</small>{player}'
        f'<div style="position:relative"><img alt="tokens that are kept" src="{picture}" '
        'style="width:100%;height:4em;image-rendering:pixelated;border:1px solid gray">'
        f"{marks}</div></div>"
    )


def _plain(text: object) -> str:
    return html.escape(shown(text))
