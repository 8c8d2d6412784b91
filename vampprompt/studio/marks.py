"""What a DAW writes on a track: beats, downbeats, and where the mask keeps what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vampprompt.clip import Clip
from vampprompt.composing import prepare
from vampprompt.errors import VampPromptError
from vampprompt.masks import Mask
from vampprompt.studio.desk import Composed

# More would hide the track, and take a host long to draw.
MOST = 500


@dataclass(frozen=True)
class Mark:
    """A place of a track with a name.

    Attributes
    ----------
    kind : str
        ``beat``, ``downbeat`` or ``kept``.
    start, duration : float
        In seconds.
    text : str
        What stands there.
    more : str or None
        What is to be said besides.
    """

    kind: str
    start: float
    duration: float
    text: str
    more: str | None = None


def marks_of(made: Composed) -> list[Mark]:
    """Return the beats of a recording, and each stretch that a part of the mask keeps.

    The parts are what ``|`` joins. Where no beats can be heard there are none.
    """
    settings = made.song.recipe.settings
    clip = prepare(made.audio, made.bundle, beats=settings.beats, seed=settings.seed)
    parts = settings.mask.children if settings.mask.name == "|" else [settings.mask]
    kept = [mark for part in parts for mark in _kept(part, clip)]
    return [*_beats(clip), *kept]


def _beats(clip: Clip) -> Iterator[Mark]:
    try:
        beats = clip.beats
    except VampPromptError:  # a tracker that cannot work here: the song is none the worse
        return
    for time in beats.beats[:MOST]:
        is_first = bool(np.isclose(beats.downbeats, time).any())
        kind = "downbeat" if is_first else "beat"
        yield Mark(kind, float(time), 0.0, kind)


def _kept(part: Mask, clip: Clip) -> Iterator[Mark]:
    keep = part.array(clip)
    n_codebooks, rate = len(keep), float(clip.grid.frame_rate)
    edges = np.flatnonzero(np.diff(keep.any(axis=0), prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    many = f"{len(starts)} places between" if len(starts) > MOST else None
    if many:
        starts, stops = starts[:1], stops[-1:]
    for start, stop in zip(starts, stops, strict=True):
        depth = int(keep[:, start:stop].any(axis=1).sum())
        more = f"{many or 'kept'}: {depth} of {n_codebooks} codebooks"
        yield Mark("kept", start / rate, (stop - start) / rate, str(part), more)
