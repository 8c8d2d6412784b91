"""Pictures of a mask: in a terminal, as an image of tokens, and drawn with what is heard."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from vampprompt import Clip, Grid, VampPromptError
from vampprompt.errors import shown
from vampprompt.files import atomic
from vampprompt.masks import Part
from vampprompt.units import Beats

# From nothing kept to all kept, in the frames that one character stands for.
SHADES = "·░▒▓█"
PLAIN_SHADES = ".-+*#"
MARGIN = 7
SHARE = 8
# A character that stands for more frames than this says little, and more lines are never read.
_MOST_FRAMES = 8
_MOST_LINES = 40
_INCHES = (12, 7)
# More columns than a picture has pixels would only take memory.
_MOST_COLUMNS = 4000
_LONGEST_TITLE = 200


def draw(
    console: Console,
    keep: NDArray[np.bool_],
    grid: Grid,
    beats: Beats,
    onsets: NDArray[np.float64],
    span: tuple[int, int] | None = None,
) -> None:
    """Print a mask, ``[codebook, frame]``, as wide as the console, with events in seconds.

    What is too long for one line is folded: where a bar begins, if bars were heard. Codebooks
    that are kept alike then share a line.

    Parameters
    ----------
    console : Console
        Where to print.
    keep : ndarray
        The mask.
    grid : Grid
        Its codebooks and frames.
    beats, onsets : Beats and ndarray
        What was heard, in seconds.
    span : tuple of int, optional
        The frames to print, from one up to another; by default all.
    """
    first, last = span or (0, grid.n_frames)
    width = max(1, min(last - first, console.width - MARGIN - SHARE))
    longest = max(width * _MOST_FRAMES, -(-(last - first) // _MOST_LINES))
    lines = [(first, last)]
    if last - first > longest:
        lines = _folded(first, last, longest, grid.frames_at(beats.downbeats))
    books = [[book] for book in range(len(keep))]
    if len(lines) > 1:
        alike: dict[bytes, list[int]] = {}
        for book, row in enumerate(keep[:, first:last]):
            alike.setdefault(row.tobytes(), []).append(book)
        books = list(alike.values())
    shades = SHADES if console.encoding.startswith("utf") else PLAIN_SHADES
    for start, stop in lines:
        # One scale for all: the last line is shorter if less is left.
        columns = width if len(lines) == 1 else max(1, round((stop - start) / longest * width))
        edges = start + np.arange(columns) * (stop - start) // columns
        _draw_events(console, grid, edges, stop, beats, onsets)
        widths = np.diff(np.append(edges, stop))
        kept = np.add.reduceat(keep[:, :stop], edges, axis=1, dtype=np.int64) / widths
        for some in books:
            shares = kept[some[0]]
            # Whatever is kept shows, and only what is whole looks whole.
            steps = np.where(shares == 1, 4, np.ceil(shares * 3)).astype(int)
            line = Text(f"{_named(some):>{MARGIN - 1}} ", style="dim")
            line.append("".join(shades[step] for step in steps), style="not dim cyan")
            line.append(f"{keep[some[0], start:stop].mean():>{SHARE}.1%}", style="not dim")
            console.print(line)
        if stop < last:
            console.print()


def _folded(
    first: int, last: int, longest: int, downbeats: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Cut a stretch of frames into lines: at the last downbeat that is far enough along."""
    starts = [first]
    while last - starts[-1] > longest:
        stop = starts[-1] + longest
        bars = downbeats[(downbeats > stop - longest / 2) & (downbeats <= stop)]
        starts.append(int(bars[-1]) if len(bars) else stop)
    return list(zip(starts, [*starts[1:], last], strict=True))


def _named(books: list[int]) -> str:
    """Return the numbers of codebooks, ``0-2,5``, or how many where that is too long."""
    parts: list[list[int]] = []
    for book in books:
        if parts and book == parts[-1][-1] + 1:
            parts[-1].append(book)
        else:
            parts.append([book])
    text = ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)
    return text if len(text) < MARGIN else f"{len(books)} of"


def _draw_events(
    console: Console,
    grid: Grid,
    edges: NDArray[np.int64],
    stop: int,
    beats: Beats,
    onsets: NDArray[np.float64],
) -> None:
    def marked(row: list[str], times: NDArray[np.float64], sign: str) -> list[str]:
        frames = grid.frames_at(times)
        frames = frames[(frames >= edges[0]) & (frames < stop)]
        for column in np.searchsorted(edges, frames, side="right") - 1:
            row[column] = sign
        return row

    blank = [" "] * len(edges)
    beat_row = marked(marked([*blank], beats.beats, "|"), beats.downbeats, "1")
    frame = 1 / float(grid.frame_rate)
    rows = {
        "time": _ruler(int(edges[0]) * frame, stop * frame, len(edges)),
        "beats": beat_row,
        "onsets": marked([*blank], onsets, "'"),
    }
    for name, row in rows.items():
        console.print(Text(f"{name:>{MARGIN - 1}} {''.join(row)}".rstrip(), style="dim"))


def _ruler(start: float, stop: float, columns: int) -> list[str]:
    # A mark about every ten characters, at a round number of seconds.
    least = (stop - start) / columns * 10
    sizes = (size * 10**power for power in range(-3, 6) for size in (1, 2, 5))
    step = next((size for size in sizes if size >= least), least)
    row = [" "] * columns
    for number in range(int(np.ceil(start / step)), int(stop / step) + 1):
        time = number * step
        column = int((time - start) / (stop - start) * columns)
        text = f"{time:g}s" if time < 60 else f"{int(time // 60)}:{time % 60:02g}"
        if column + len(text) <= columns:
            row[column : column + len(text)] = text
    return row


def tree(parts: Sequence[Part]) -> list[str]:
    """Return a line for each part of a mask: what it keeps by itself, and its text."""
    return [f"{part.kept:>7.1%}  {'  ' * part.depth}{part.mask}" for part in parts]


def write_image(path: Path, keep: NDArray[np.bool_]) -> None:
    """Write a mask as the PNG that ``image("mask.png")`` reads: a pixel a token, white is kept.

    Raises
    ------
    VampPromptError
        If it cannot be written, or would be of another format.
    """
    from PIL import Image

    if path.suffix.lower() != ".png":
        raise VampPromptError(f"an image of a mask is a .png, not '{path}'")
    with atomic(path) as part:
        Image.fromarray(keep.astype(np.uint8) * np.uint8(255)).save(part, format="PNG")


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
    # A name may look like a formula.
    plain = shown(title, _LONGEST_TITLE).replace("$", r"\$")
    wave.set_title(plain, fontsize="medium", wrap=True)
    figure.legend(*mask.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    wave.set_xlim(0, grid.duration)
    kind = path.suffix.lstrip(".").lower() or "png"
    with atomic(path) as part:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of letters that the font lacks
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
