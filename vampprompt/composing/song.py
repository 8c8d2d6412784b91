"""What composing gives, and how it is written to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Audio, check_output, write
from vampprompt.composing.recipe import Recipe, read_content
from vampprompt.errors import FileError, VampPromptError, shown
from vampprompt.files import atomic, check_writable

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, repr=False)
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
        bool, ``[variation, codebook, frame]``: which tokens are the recording's own, having
        been kept in every pass.
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
        """Share of the tokens that are the recording's own, in ``[0, 1]``."""
        return float(self.keep.float().mean())

    def __repr__(self) -> str:
        seconds = self.audio.shape[-1] / self.sample_rate
        return (
            f"<Song: {len(self.audio)} of {seconds:.1f} s, "
            f"keeps {self.kept:.1%}: {shown(self.recipe.settings.mask, 60)}>"
        )

    def write(self, path: str | Path, *, force: bool = False) -> list[Path]:
        """Write the audio, and beside each file the recipe that makes it, as JSON.

        Parameters
        ----------
        path : str or Path
            ``song.wav`` gives ``song.wav`` and ``song.json``; several variations are numbered
            from 1: ``song-1.wav`` and ``song-1.json``. The ending chooses the format.
        force : bool
            Whether to replace what is there and was not written as this song.

        Returns
        -------
        list of Path
            The audio files.

        Raises
        ------
        FileError
            If a file cannot be written, or would take the place of something else. Files are
            written whole or not at all.
        """
        paths = check_songs(path, self.recipe.settings.variations, force=force)
        recipes = self.recipe.each()
        texts = [
            recipe.to_json(one.parent, one.name) for one, recipe in zip(paths, recipes, strict=True)
        ]
        for one, samples, text in zip(paths, self.audio, texts, strict=True):
            # A recipe must never lie beside a song that it does not make.
            recipe_path(one).unlink(missing_ok=True)
            write(one, Audio(samples, self.sample_rate, self.subtype))
            with atomic(recipe_path(one)) as part:
                part.write_text(text, encoding="utf-8")
        return paths


def songs_there(path: str | Path, recipe: Recipe) -> list[Path]:
    """Return the files of a recipe's songs, if all are there with recipes that make the same."""
    paths = audio_paths(path, recipe.settings.variations)
    for one, wanted in zip(paths, recipe.each(), strict=True):
        try:
            if not one.stat().st_size or not Recipe.read(recipe_path(one)).makes_what(wanted):
                return []
        except (OSError, VampPromptError):
            return []
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


def check_songs(path: str | Path, variations: Sequence[int], *, force: bool = False) -> list[Path]:
    """Find out early whether songs could be written, and return their files.

    Raises
    ------
    FileError
        If one cannot be written, or if something else lies where it or its recipe would: a file
        without a recipe, a JSON file that is none, or the recipe of another file.
    """
    paths = audio_paths(path, variations)
    for one in paths:
        check_output(one)
        check_writable(recipe_path(one))
        if not force:
            _check_ours(one)
    return paths


def _check_ours(path: Path) -> None:
    recipe = recipe_path(path)
    hint = "name another file, or replace it with --force"
    if recipe.exists():
        try:
            owner = read_content(recipe).get("song", path.name)
        except FileError:
            raise FileError(f"'{recipe}' is there, and is not a recipe", hint=hint) from None
        if owner != path.name and path.with_name(str(owner)).exists():
            raise FileError(f"'{recipe}' is the recipe of '{owner}'", hint=hint)
    elif path.exists() and path.stat().st_size:
        raise FileError(f"'{path}' is there, and no recipe says how it was made", hint=hint)
