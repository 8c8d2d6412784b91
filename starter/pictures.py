"""Spectrograms of what goes in and what comes out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import librosa
import numpy as np
from PIL import Image

import vampprompt as vp
from vampprompt.audio import Samples
from vampprompt.units import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROMPTS = {
    "input": None,
    "everything (reconstruction)": "everything",
    "beat & codebook<3": "beat & codebook<3",
    "periodic(7)": "periodic(7)",
}
"""What the panels show."""

_BANDS = 80
_TICKS = [250, 1000, 4000, 16000]
_RANGE_DB = 70.0
_COLOURS = 48


def draw(bundle: vp.Bundle, audio: vp.Audio, beats: FloatArray, target: Path, seed: int) -> None:
    """Draw the mel spectrograms of a clip, its reconstruction and two compositions from it.

    Parameters
    ----------
    bundle
        The models.
    audio
        One channel.
    beats
        Where to mark beats, in seconds.
    target
        The PNG file.
    seed
        Of the composing.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), dpi=80, layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for panel, (title, prompt) in zip(panels.flat, PROMPTS.items(), strict=True):
        samples = audio.samples
        if prompt is not None:
            samples = vp.compose(audio, prompt, bundle, seed=seed, cache=False).audio[0]
        _spectrogram(panel, samples[0], audio.sample_rate)
        panel.vlines(beats, 0.96, 1, transform=panel.get_xaxis_transform(), color="white")
        panel.set_title(title)
    for panel in panels[1]:
        panel.set_xlabel("seconds")
    pitches = librosa.mel_frequencies(_BANDS + 2, fmax=audio.sample_rate / 2)[1:-1]
    panels[0, 0].set_yticks(np.interp(_TICKS, pitches, np.arange(_BANDS) + 0.5), _TICKS)
    for panel in panels[:, 0]:
        panel.set_ylabel("Hz")
    _save(figure, target)


def _spectrogram(panel: Axes, samples: Samples, sample_rate: int) -> None:
    power = librosa.feature.melspectrogram(
        y=samples, sr=sample_rate, n_fft=2048, hop_length=1024, n_mels=_BANDS
    )
    # the same colours mean the same level in every panel: all are as loud as the input
    levels = librosa.power_to_db(power, ref=100.0, top_db=None)
    seconds = len(samples) / sample_rate
    panel.imshow(
        levels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, _BANDS),
        vmin=-_RANGE_DB,
        vmax=0,
        cmap="magma",
        interpolation="nearest",
    )


def _save(figure: Figure, target: Path) -> None:
    """Write a figure in few colours, which makes a fraction of the file."""
    drawn = io.BytesIO()
    figure.savefig(drawn)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(target, optimize=True)
