"""The rendered clips as arrays, and random excerpts of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor


def gather(folder: Path, target: Path) -> None:
    """Gather the clips in `folder` in one array file, int16 ``[clip, samples]``."""
    paths = sorted(folder.glob("*.flac"))
    samples = soundfile.info(paths[0]).frames
    unfinished = target.with_suffix(".part")
    array = np.lib.format.open_memmap(
        unfinished, mode="w+", dtype=np.int16, shape=(len(paths), samples)
    )
    for row, path in zip(array, paths, strict=True):
        row[:] = soundfile.read(path, dtype="int16")[0]
    array.flush()
    unfinished.rename(target)


def open_clips(path: Path) -> NDArray[np.int16]:
    """Open an array file without reading it."""
    clips: NDArray[np.int16] = np.load(path, mmap_mode="r")
    return clips


def to_audio(samples: NDArray[np.int16]) -> Tensor:
    """Give int16 samples as float32 audio in ``[-1, 1]``."""
    return torch.from_numpy(samples.astype(np.float32) / 32768)
