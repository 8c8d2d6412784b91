"""Draws the pictures of the manual anew, all of them or those named: `make docs-pictures`.

What a picture shows stands in the page that shows it: a mask in the text that stands for the
picture, a song in a recipe's program, which ends with one called ``song``.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import vampprompt as vp
from docs.examples import (
    BEATS,
    DOCS,
    MASK,
    PAGES,
    PICTURE,
    SAMPLER,
    STEPS,
    prepare,
    run_recipe,
    source_of,
)
from vampprompt.analysis import onsets
from vampprompt.protocols import Step
from vampprompt.samplers.trace import Trace, settling_steps

KEPT = ListedColormap(["#eceff1", "#1565c0"])
COLOURS = 64
WIDTH, DPI = 8.0, 100


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VAMPPROMPT_CACHE"] = str(Path(folder, "cache"))
        os.chdir(folder)
        prepare(Path(folder))
        for page in PAGES:
            for text, name in PICTURE.findall(page.read_text(encoding="utf-8")):
                if not names or name in names:
                    path = DOCS / "pictures" / f"{name}.png"
                    save(draw(text, page), path, source_of(text, page))
                    print(name, flush=True)


def draw(text: str, page: Path) -> Figure:
    """Draw the picture that a page has this text for."""
    kinds: list[tuple[re.Pattern[str], Callable[..., Figure]]] = [
        (MASK, draw_mask),
        (SAMPLER, draw_order),
        (STEPS, draw_steps),
    ]
    for pattern, drawn in kinds:
        if match := pattern.fullmatch(text):
            return drawn(*match.groups())
    return draw_recipe(page)


def draw_mask(expression: str) -> Figure:
    """Draw what a mask keeps of the loop."""
    audio, bundle = vp.read("in.wav"), vp.load("starter")
    context = vp.prepare(audio, bundle)
    keep = vp.parse(expression).evaluate(context).numpy()
    figure, (sound, tokens) = rows(2.2, (2, 1.2))
    draw_sound(sound, audio, keep)
    draw_tokens(tokens, keep, audio.duration)
    events = [(context.beats.downbeats, "-", 1.2), (context.beats.beats, "-", 0.6)]
    for times, style, width in [*events, (onsets(audio.samples[0], audio.sample_rate), ":", 0.5)]:
        for time in times:
            sound.axvline(time, color="white", linestyle=style, linewidth=width, ymin=0.9)
    return figure


def draw_recipe(page: Path) -> Figure:
    """Run the programs of a recipe, and draw what the song was made from beside it."""
    made_from, song = run_recipe(page)
    made = vp.Audio(song.audio[0], song.sample_rate)
    keep = song.keep[0].numpy()
    figure, (before, tokens, after) = rows(3.4, (2, 1.2, 2))
    before.set_title("recording", loc="left", fontsize="small")
    draw_sound(before, made_from, keep)
    draw_tokens(tokens, keep, made.duration)
    after.set_title("song", loc="left", fontsize="small")
    draw_sound(after, made)
    after.set_xlim(0, made.duration)
    return figure


def traced(sampler: str, mask: str = "nothing") -> tuple[Trace, NDArray[np.bool_]]:
    """Have a sampler fill the coarse codebooks of the loop, and return what it did."""
    trace = Trace()

    def on_step(stage: str, step: Step) -> None:
        if stage == "coarse":
            trace(step)

    song = vp.compose("in.wav", mask, vp.load("starter"), sampler=sampler, on_step=on_step)
    return trace, song.keep[0, : trace.tokens[0].shape[1]].numpy()


def draw_order(sampler: str) -> Figure:
    """Draw in which step of a sampler each token settled."""
    trace, keep = traced(sampler)
    settled = np.ma.masked_where(keep, settling_steps(trace) + 1)
    figure, (axes,) = rows(1.5, (1,))
    image = axes.imshow(
        settled, aspect="auto", cmap="viridis", extent=extent(settled), interpolation="none"
    )
    axes.set(ylabel="codebook", xlabel="frame")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    figure.colorbar(image, label="step", pad=0.01)
    return figure


def draw_steps(sampler: str, count: str) -> Figure:
    """Draw what is settled after each step, with a prompt of beats."""
    trace, keep = traced(sampler, BEATS)
    figure, grid = rows(0.45 * int(count) + 0.5, (1,) * int(count))
    # White is still masked, grey is settled, blue was kept.
    shades = ListedColormap(["white", "#90a4ae", "#1565c0"])
    for number, (axes, masked) in enumerate(zip(grid, trace.masked, strict=True), 1):
        state = np.where(masked[0], 0, np.where(keep, 2, 1))
        axes.imshow(
            state,
            aspect="auto",
            cmap=shades,
            vmin=0,
            vmax=2,
            extent=extent(state),
            interpolation="none",
        )
        axes.set_ylabel(number, rotation=0, va="center", labelpad=10)
        axes.set_yticks([])
    grid[-1].set_xlabel("frame")
    return figure


def rows(height: float, ratios: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    grid = figure.subplots(len(ratios), sharex=True, height_ratios=ratios, squeeze=False)
    for axes in grid[:, 0]:
        axes.tick_params(labelsize="small")
    return figure, list(grid[:, 0])


def extent(cells: NDArray[Any]) -> tuple[float, float, float, float]:
    return 0, cells.shape[1], len(cells) - 0.5, -0.5


def draw_sound(axes: Axes, audio: vp.Audio, keep: NDArray[np.bool_] | None = None) -> None:
    """Draw a spectrogram, darker in the frames of which less is kept."""
    import librosa

    mel = librosa.feature.melspectrogram(
        y=audio.samples.mean(axis=0), sr=audio.sample_rate, n_fft=2048, hop_length=512, n_mels=96
    )
    levels = librosa.power_to_db(mel, ref=np.max, top_db=70)
    if keep is not None:
        at = np.arange(levels.shape[1]) * keep.shape[1] // levels.shape[1]
        levels = -70 + (levels + 70) * (0.4 + 0.6 * keep.mean(axis=0)[at] ** 0.5)
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=-70,
        vmax=0,
        extent=(0, audio.duration, 0, 96),
    )
    hertz = [200, 1000, 5000]
    tops = librosa.mel_frequencies(96, fmax=audio.sample_rate / 2)
    axes.set_yticks(np.searchsorted(tops, hertz), ["200 Hz", "1 kHz", "5 kHz"])


def draw_tokens(axes: Axes, keep: NDArray[np.bool_], seconds: float) -> None:
    place = (0, seconds, len(keep) - 0.5, -0.5)
    # Drawn without smoothing, frames narrower than a pixel would come and go.
    shown = keep.astype(np.float32)
    axes.imshow(shown, aspect="auto", cmap=KEPT, vmin=0, vmax=1, extent=place, interpolation="auto")
    axes.set_ylabel("codebook", fontsize="small")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.set_xlabel("seconds", fontsize="small")


def save(figure: Figure, path: Path, source: str) -> None:
    """Write a small PNG that says what it is drawn from, so that a test can tell when it is old."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    about = PngInfo()
    about.add_itxt("Source", source)
    image = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(path, optimize=True, pnginfo=about)


if __name__ == "__main__":
    main(sys.argv[1:])
