"""Draws a clip and a mask as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vampprompt import Clip, VampPromptError
from vampprompt.files import atomic

_INCHES = (12, 7)
# More columns than a picture has pixels would only take memory.
_MOST_COLUMNS = 4000


def plot(path: Path, title: str, keep: NDArray[np.bool_], context: Clip) -> None:
    """Write a picture of a clip: waveform, spectrogram, events and mask on one time axis.

    Parameters
    ----------
    path : Path
        Of the picture, in any format that matplotlib writes.
    title : str
        What stands above it.
    keep : ndarray
        bool, ``[codebook, frame]``.
    context : Clip
        The clip.

    Raises
    ------
    VampPromptError
        If matplotlib is missing, or cannot write such a file.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise VampPromptError(
            "--plot needs matplotlib, which is not installed", hint="pip install matplotlib"
        ) from None
    figure = Figure(figsize=_INCHES, layout="constrained")
    wave, spectrum, mask = figure.subplots(3, sharex=True, height_ratios=(1, 2, 2))
    grid = context.grid
    samples = context.samples
    times = np.arange(len(samples)) / grid.sample_rate
    every = max(1, len(samples) // (_MOST_COLUMNS * 10))
    wave.plot(times[::every], samples[::every], linewidth=0.4, color="0.3")
    wave.set_ylabel("level")
    levels = _spectrogram(samples)
    heard = (0, len(samples) / grid.sample_rate, 0, grid.sample_rate / 2000)
    spectrum.imshow(levels, origin="lower", aspect="auto", extent=heard, cmap="magma")
    spectrum.set_ylabel("kHz")
    tokens = (0, grid.duration, grid.n_codebooks - 0.5, -0.5)
    mask.imshow(
        keep, aspect="auto", extent=tokens, cmap="Blues", vmin=0, vmax=1, interpolation="none"
    )
    mask.set_ylabel("codebook")
    mask.set_xlabel("seconds")
    events = [
        ("onset", context.onsets, "tab:green", 0.5, ":"),
        ("beat", context.beats.beats, "tab:orange", 0.8, "-"),
        ("downbeat", context.beats.downbeats, "tab:red", 1.4, "-"),
    ]
    for name, seconds, colour, width, style in events:
        for axes in (wave, mask):
            axes.vlines(
                seconds,
                0,
                1,
                transform=axes.get_xaxis_transform(),
                color=colour,
                linewidth=width,
                linestyle=style,
                label=name,
            )
    wave.set_title(title, fontsize="medium", wrap=True)
    figure.legend(*mask.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    wave.set_xlim(0, grid.duration)
    kind = path.suffix.lstrip(".").lower() or "png"
    with atomic(path) as part:
        try:
            figure.savefig(part, format=kind)
        except ValueError as error:
            raise VampPromptError(f"cannot draw '{path}': {error}") from None


def _spectrogram(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    import librosa

    window = 2048
    hop = max(window // 4, len(samples) // _MOST_COLUMNS)
    padded = librosa.util.fix_length(samples, size=max(len(samples), window))
    magnitudes = np.abs(librosa.stft(padded, n_fft=window, hop_length=hop))
    levels: NDArray[np.float32] = librosa.amplitude_to_db(magnitudes, ref=1.0, top_db=80.0)
    return levels
