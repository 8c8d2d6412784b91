"""What composing gives, and how it is written to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Audio, check_output, write
from vampprompt.composing.recipe import Recipe, Source, read_content
from vampprompt.errors import AudioError, FileError, VampPromptError, shown
from vampprompt.files import atomic, check_writable

if TYPE_CHECKING:
    from torch import Tensor

    from vampprompt.audio.tags import Tags
    from vampprompt.protocols import Beats


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
    tags : Tags or None
        The input's title, tempo, markers and the like, which `write` keeps where it can.
    beats : Beats or None
        Those of the recording, where the mask asked for them.

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
    tags: Tags | None = None
    beats: Beats | None = None

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

    def write(
        self,
        path: str | Path,
        *,
        force: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> list[Path]:
        """Write the audio, and beside each file the recipe that makes it, as JSON.

        Parameters
        ----------
        path : str or Path
            ``song.wav`` gives ``song.wav`` and ``song.json``; several variations are numbered
            from 1: ``song-1.wav`` and ``song-1.json``. The ending chooses the format.
        force : bool
            Whether the recipe may replace a JSON file that is something else.
        on_notice : callable, optional
            Called with what a file's format could not hold, such as tags.

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
        # Whatever could go wrong with a recipe does so before anything is written.
        self.recipe.to_json(paths[0].parent)
        for one, samples, recipe in zip(paths, self.audio, self.recipe.each(), strict=True):
            beside = recipe_path(one, force=force)
            audio = Audio(samples, self.sample_rate, self.subtype, tags=self.tags)
            with atomic(one, AudioError) as part:
                with part.open("r+b") as file:
                    lost = write(file, audio, one.suffix)
                made = replace(recipe, song=one.name, song_sha256=Source.of(part).sha256)
                with atomic(beside) as text:
                    text.write_text(made.to_json(beside.parent), encoding="utf-8")
            if on_notice is not None:
                for note in lost:
                    on_notice(note)
        return paths


def songs_there(path: str | Path, recipe: Recipe) -> list[Path]:
    """Return the files of a recipe's songs, if all are there, untouched, and made the same way.

    Examples
    --------
    >>> import vampprompt as vp
    >>> song = vp.compose("in.wav", "everything", vp.load("starter"))
    >>> songs_there("out.wav", song.recipe)
    []
    >>> paths = song.write("out.wav")
    >>> [path.name for path in songs_there("out.wav", song.recipe)]
    ['out.wav']
    """
    paths = audio_paths(path, recipe.settings.variations)
    for one, wanted in zip(paths, recipe.each(), strict=True):
        try:
            found = Recipe.read(recipe_path(one))
            if found.song_sha256 != Source.of(one).sha256 or not found.makes_what(wanted):
                return []
        except VampPromptError:
            return []
    return paths


def audio_paths(path: str | Path, variations: Sequence[int]) -> list[Path]:
    """Return the files that hold the variations of a song: one by its name, several numbered.

    Examples
    --------
    >>> [path.name for path in audio_paths("take.wav", [0, 1, 3])]
    ['take-1.wav', 'take-2.wav', 'take-4.wav']
    """
    path = Path(path)
    if len(variations) == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{index + 1}{path.suffix}") for index in variations]


def recipe_path(path: str | Path, *, force: bool = False) -> Path:
    """Return where the recipe of an audio file lies, or would.

    ``song.json`` for ``song.wav``; or ``song.wav.json``, where that is no recipe, or the one of
    another song that is there, and nothing forces it out of the way.

    Examples
    --------
    >>> recipe_path("out.wav").name
    'out.json'
    """
    path = Path(path)
    plain = path.with_suffix(".json")
    return plain if force or _is_for(plain, path) else path.with_name(f"{path.name}.json")


def check_songs(path: str | Path, variations: Sequence[int], *, force: bool = False) -> list[Path]:
    """Find out early whether songs could be written, and return their files.

    Raises
    ------
    FileError
        If one cannot be written, or something that is not its recipe lies where that would.

    Examples
    --------
    >>> [path.name for path in check_songs("out.wav", [0])]
    ['out.wav']
    """
    paths = audio_paths(path, variations)
    for one in paths:
        check_output(one)
        beside = recipe_path(one, force=force)
        check_writable(beside)
        if not (force or _is_for(beside, one)):
            hint = "name another file, or replace it with --force"
            raise FileError(f"'{beside}' is there, and is not the recipe of '{one}'", hint=hint)
    return paths


def _is_for(recipe: Path, path: Path) -> bool:
    """Return whether a recipe is that of a song, or could become it without a loss."""
    if not recipe.exists():
        return True
    try:
        owner = read_content(recipe).get("song", path.name)
    except FileError:
        return False
    return owner == path.name or not path.with_name(str(owner)).exists()
