"""What composing gives, and how it is written to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Audio, write
from vampprompt.composing.recipe import Recipe
from vampprompt.files import atomic

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Song:
    """What `compose` made.

    Attributes
    ----------
    audio : ndarray
        float32, ``[variation, channel, samples]``, at the rate of the input.
    sample_rate : int
        In Hz.
    tokens : Tensor
        int64, ``[variation, channel, codebook, frame]``.
    keep : Tensor
        bool, ``[variation, codebook, frame]``: what the last pass kept.
    frame_rate : float
        Frames per second.
    recipe : Recipe
        Makes the same song again.
    seconds : float
        How long composing took.
    notes : tuple of str
        What the user should know: a silent input, a tracker that stood in for another.
    subtype : str or None
        How the input's file stored a sample; see `Audio`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> song = vp.compose("in.wav", "everything", vp.load("starter"))
    >>> song.audio.shape, song.tokens.shape, song.keep.shape
    ((1, 1, 44100), torch.Size([1, 1, 9, 58]), torch.Size([1, 9, 58]))
    >>> [path.name for path in song.write("out.wav")]
    ['out.wav']
    """

    audio: NDArray[np.float32]
    sample_rate: int
    tokens: Tensor
    keep: Tensor
    frame_rate: float
    recipe: Recipe
    seconds: float
    notes: tuple[str, ...] = ()
    subtype: str | None = None

    @property
    def kept(self) -> float:
        """Share of the tokens that were kept, in ``[0, 1]``."""
        return float(self.keep.float().mean())

    def write(self, path: str | Path) -> list[Path]:
        """Write the audio, and the recipe beside it as JSON.

        Parameters
        ----------
        path : str or Path
            ``song.wav`` gives ``song.wav`` and ``song.json``; several variations are numbered
            from 1: ``song-1.wav``, ``song-2.wav``. The ending chooses the format.

        Returns
        -------
        list of Path
            The audio files.

        Raises
        ------
        AudioError
            If a file cannot be written. Files are written whole or not at all.
        """
        paths = audio_paths(path, self.recipe.settings.variations)
        for one, samples in zip(paths, self.audio, strict=True):
            write(one, Audio(samples, self.sample_rate, self.subtype))
        with atomic(recipe_path(path)) as part:
            part.write_text(self.recipe.to_json(Path(path).parent), encoding="utf-8")
        return paths


def audio_paths(path: str | Path, variations: Sequence[int]) -> list[Path]:
    """Return the files that hold the variations of a song: one by its name, several numbered."""
    path = Path(path)
    if len(variations) == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{index + 1}{path.suffix}") for index in variations]


def recipe_path(path: str | Path) -> Path:
    """Return the recipe that belongs to an audio file."""
    return Path(path).with_suffix(".json")
