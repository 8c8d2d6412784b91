"""Draws a mask in a terminal: codebooks by frames, with beats and onsets over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from vampprompt.masks import Part
from vampprompt.units import Beats, Grid

# From nothing kept to all kept, in the frames that one character stands for.
SHADES = "·░▒▓█"
PLAIN_SHADES = ".-+*#"
MARGIN = 7
SHARE = 8


def draw(
    console: Console,
    keep: NDArray[np.bool_],
    grid: Grid,
    beats: Beats,
    onsets: NDArray[np.float64],
) -> None:
    """Print a mask, ``[codebook, frame]``, as wide as the console, with events in seconds."""
    columns = max(1, min(grid.n_frames, console.width - MARGIN - SHARE))
    edges = np.arange(columns) * grid.n_frames // columns
    widths = np.diff(np.append(edges, grid.n_frames))
    kept = np.add.reduceat(keep, edges, axis=1, dtype=np.int64) / widths
    shades = SHADES if console.encoding.startswith("utf") else PLAIN_SHADES

    def marks(times: NDArray[np.float64], sign: str) -> list[str]:
        row = [" "] * columns
        frames = grid.frames_at(times)
        frames = frames[(frames >= 0) & (frames < grid.n_frames)]
        for column in np.searchsorted(edges, frames, side="right") - 1:
            row[column] = sign
        return row

    beat_row = marks(beats.beats, "|")
    for column, sign in enumerate(marks(beats.downbeats, "1")):
        beat_row[column] = sign if sign != " " else beat_row[column]
    rows = [("time", _ruler(grid, columns)), ("beats", "".join(beat_row))]
    rows.append(("onsets", "".join(marks(onsets, "'"))))
    for name, row in rows:
        console.print(Text(f"{name:>{MARGIN - 1}} {row}".rstrip(), style="dim"))
    for codebook, shares in enumerate(kept):
        # Whatever is kept shows, and only what is whole looks whole.
        steps = np.where(shares == 1, 4, np.ceil(shares * 3)).astype(int)
        line = Text(f"{codebook:>{MARGIN - 1}} ", style="dim")
        line.append("".join(shades[step] for step in steps), style="not dim cyan")
        line.append(f"{keep[codebook].mean():>{SHARE}.1%}", style="not dim")
        console.print(line)


def tree(parts: Sequence[Part]) -> list[str]:
    """Return a line for each part of a mask: what it keeps by itself, and its text."""
    return [f"{part.kept:>7.1%}  {'  ' * part.depth}{part.mask}" for part in parts]


def _ruler(grid: Grid, columns: int) -> str:
    # A mark about every ten characters, at a round number of seconds.
    least = grid.duration / columns * 10
    step = next(
        (
            size * 10**power
            for power in range(-3, 6)
            for size in (1, 2, 5)
            if size * 10**power >= least
        ),
        least,
    )
    row = [" "] * columns
    for number in range(int(grid.duration / step) + 1):
        column, text = int(number * step / grid.duration * columns), f"{number * step:g}s"
        if column + len(text) <= columns:
            row[column : column + len(text)] = text
    return "".join(row)
