"""Real recordings to measure by: those of the tests, and game music that Debian packages.

Nothing is trained on them, and the latter are not in the repository. They are such that two beat
trackers, madmom and librosa, agree on the beats of the excerpt (F-measure of 0.9 or more): beats
that cannot be told in the recording say nothing of what is composed from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vampprompt as vp
from vampprompt.audio import mono, resample

SECONDS = 10
_START_SECONDS = 30
"""Of the excerpts of game music: behind its introductions."""

_PACKAGES = {
    "singularity-music": (
        Path("/usr/share/games/singularity/music"),
        ("By-Product.ogg", "Deprecation.ogg", "Nebula.ogg"),
    ),
    "hyperrogue-music": (
        Path("/usr/share/hyperrogue/music"),
        ("hr3-jungle.ogg", "hr-savino-ocean.ogg"),
    ),
    "wesnoth-1.16-music": (
        Path("/usr/share/games/wesnoth/1.16/data/core/music"),
        ("battle.ogg", "breaking_the_chains.ogg", "main_menu.ogg"),
    ),
}
GAME_MUSIC = {
    folder / name: package for package, (folder, names) in _PACKAGES.items() for name in names
}
"""The files, and the package of each."""


def missing() -> list[str]:
    """Name the packages that are not installed."""
    return list(dict.fromkeys(GAME_MUSIC[path] for path in GAME_MUSIC if not path.exists()))


def excerpt(path: Path, sample_rate: int) -> vp.Audio:
    """Read one channel of 10 s, of game music from 30 s on."""
    audio = vp.read(path)
    first = _START_SECONDS * audio.sample_rate if path in GAME_MUSIC else 0
    samples = audio.samples[:, first : first + SECONDS * audio.sample_rate]
    one = resample(mono(samples), audio.sample_rate, sample_rate)
    return vp.Audio(np.ascontiguousarray(one)[None], sample_rate)
