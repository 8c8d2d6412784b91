"""The loop that the demo composes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from .composition import compose_loop
from .render import SAMPLE_RATE, SOUND_BANKS, synthesise, to_midi, write_beats
from .styles import STYLES

SEED = 2_000_000
"""Outside the seeds of the training clips and of the held-out ones."""

TEMPO = 112.0


def make_loop(folder: Path) -> None:
    """Write ``loop.wav``, four bars of 4/4, and ``loop.beats`` to `folder`.

    The bars are played three times and the second pass is kept, so that what rings on from the
    end is heard at the start.
    """
    style = next(style for style in STYLES if style.name == "house")
    piece = compose_loop(SEED, style, TEMPO, n_bars=12)
    samples = synthesise(to_midi(piece), SOUND_BANKS[1], room=0.3, level=0.2)
    length = round(piece.duration / 3 * SAMPLE_RATE)
    samples = samples[length : 2 * length]
    samples = samples * (10 ** (-18 / 20) / np.sqrt(np.mean(samples**2)))
    samples *= min(1.0, 0.95 / np.abs(samples).max())
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "loop.wav", samples, SAMPLE_RATE, subtype="PCM_16")
    beats = piece.beats()
    write_beats(folder / "loop.beats", beats[: len(beats) // 3])
