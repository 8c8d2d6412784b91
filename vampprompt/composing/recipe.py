"""Recipes: all that is needed to make the same output again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vampprompt.audio import Audio, read
from vampprompt.composing.settings import Settings
from vampprompt.errors import FileError, VampPromptError, shown
from vampprompt.files import check_readable, read_json
from vampprompt.models.layout import STARTER

if TYPE_CHECKING:
    from vampprompt.models import Bundle

FORMAT = 1
_MODEL = ("name", "identity", "finetune", "lora", "dtype")
_LIBRARIES = ("vampprompt", "torch", "numpy", "librosa")
_MOST = 2**24


@dataclass(frozen=True)
class Source:
    """A file that a song is made from: the recording, or what a mask reads.

    Attributes
    ----------
    path : str
        Where it was; beside a recipe on disk, relative to the recipe's folder.
    sha256 : str
        Of the file's bytes; empty for a recording.
    samples : str
        Identity of a recording's samples, see `Audio.identity`: what was heard.

    Examples
    --------
    >>> Source.of("in.wav").path
    'in.wav'
    """

    path: str
    sha256: str = ""
    samples: str = ""

    @classmethod
    def of(cls, path: str | Path) -> Source:
        """Describe a file by its bytes."""
        with check_readable(path).open("rb") as file:
            return cls(str(path), hashlib.file_digest(file, "sha256").hexdigest())

    @classmethod
    def heard(cls, audio: Audio) -> Source | None:
        """Describe the file of a recording, if its samples are still those read from it."""
        if not audio.is_as_read:
            return None
        # Which is what `is_as_read` has just worked out anew.
        return cls(str(audio.path), samples=audio.source_identity or "")

    def check(self) -> None:
        """Find out whether the file is still the same.

        Raises
        ------
        VampPromptError
            If it is gone, or another.
        """
        now = Source.heard(read(self.path)) if self.samples else Source.of(self.path)
        if now != self:
            raise VampPromptError(
                f"'{self.path}' has changed since the recipe was written",
                hint="put the old file back, or give the new one",
            )


@dataclass(frozen=True, repr=False)
class Recipe:
    """What a song was made from and how.

    What the settings say can be had as text, too: ``recipe.mask``, ``recipe.sampler``.

    Attributes
    ----------
    settings : Settings
        Mask, samplers, seed, and all else that `compose` was told.
    model : dict
        ``name``, ``finetune``, ``lora`` and ``dtype`` to load it by, and the ``identity`` of its
        weights.
    source : Source or None
        None for audio that came from memory.
    files : tuple of Source
        Those that masks, samplers and beat tracker read.
    versions : dict
        Of vampprompt, of the libraries that decide numbers, and of the beat tracker that took
        part.
    song, song_sha256 : str or None
        Name and hash of the file that was made by it; beside a recipe on disk.

    Examples
    --------
    >>> import vampprompt as vp
    >>> paths = vp.compose("in.wav", "everything", vp.load("starter"), seed=7).write("out.wav")
    >>> recipe = vp.Recipe.read("out.json")
    >>> recipe.mask, recipe.seed, recipe.source.path
    ('everything', 7, 'in.wav')
    """

    settings: Settings
    model: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    files: tuple[Source, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    song: str | None = field(default=None, compare=False)
    song_sha256: str | None = field(default=None, compare=False)

    @classmethod
    def of(cls, settings: Settings, bundle: Bundle, source: Source | None) -> Recipe:
        """Return the recipe of what is made with these, here and now.

        It says which samplers that is, also where the settings leave them to the model.
        """
        settings = settings.of(bundle)
        versions = {name: version(name) for name in _LIBRARIES}
        files = tuple(map(Source.of, settings.files))
        return cls(settings, bundle.reference, source, files, versions)

    def __repr__(self) -> str:
        return f"<Recipe: {shown(self.settings.mask, 60)}, seed {self.settings.seed}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in {one.name for one in fields(Settings)}:
            raise AttributeError(f"a recipe has no '{name}'")
        return self.settings.written()[name]

    def each(self) -> list[Recipe]:
        """Return a recipe for each of its variations alone."""
        alone = (replace(self.settings, variations=(one,)) for one in self.settings.variations)
        return [replace(self, settings=settings) for settings in alone]

    def makes_what(self, other: Recipe) -> bool:
        """Return whether it makes the same song as another, whatever the files are called.

        A beat tracker counts only where both ask for one: that of a song is told if it took part.
        """
        mine, others = self.settings.written(), other.settings.written()
        if not (mine["beats"] and others["beats"]):
            mine["beats"] = others["beats"]
        return (mine, *self._contents) == (others, *other._contents)

    @property
    def _contents(self) -> tuple[object, ...]:
        contents = [one and (one.sha256, one.samples) for one in (self.source, *self.files)]
        return contents, self.model["identity"], self.model.get("dtype")

    def to_json(self, folder: str | Path = ".") -> str:
        """Return the recipe as JSON, with all paths relative to a folder.

        Parameters
        ----------
        folder : str or Path
            Where the JSON is going to be.
        """

        def beside(path: str) -> str:
            return _relative(Path(path), Path(folder))

        def entry(file: Source) -> dict[str, str]:
            found = {"path": beside(file.path), "sha256": file.sha256, "samples": file.samples}
            return {name: value for name, value in found.items() if value}

        model = dict(self.model)
        for name in ("name", "lora"):
            # The starter's name is no path, even beside a folder that is called so.
            if model.get(name) not in (None, STARTER) and Path(model[name]).exists():
                model[name] = f"./{beside(model[name])}"
        content = {
            "vampprompt recipe": FORMAT,
            **({"song": self.song, "song_sha256": self.song_sha256} if self.song else {}),
            **self.settings.with_files(beside).written(),
            "model": model,
            "source": None if self.source is None else entry(self.source),
            "files": [entry(one) for one in self.files],
            "versions": self.versions,
        }
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe; the paths in it are given back relative to the working folder.

        Raises
        ------
        VampPromptError
            If the file is missing, no recipe, or of a newer format, or holds what makes no sense.
        """
        path = Path(path)
        content = read_content(path)
        try:
            return cls._from(content, path.parent)
        except VampPromptError as error:
            error.message = f"{path}: {error.message}"
            raise

    @classmethod
    def from_json(cls, text: str, folder: str | Path = ".") -> Recipe:
        """Read a recipe from the text that `to_json` gives for a folder.

        Raises
        ------
        VampPromptError
            As `read` does.
        """
        try:
            return cls._from(_checked(json.loads(text), "the text"), Path(folder))
        except (ValueError, RecursionError) as error:
            raise VampPromptError(f"this is not a recipe: {error}") from error

    @classmethod
    def _from(cls, content: dict[str, Any], folder: Path) -> Recipe:
        known = {one.name for one in fields(Settings)}
        made = {name: content.get(name) for name in ("song", "song_sha256")}
        others = {"vampprompt recipe", *made, "model", "source", "files", "versions"}
        unknown = sorted(content.keys() - known - others)
        if unknown:
            raise VampPromptError(f"unknown entry '{unknown[0]}' in the recipe")
        model, files = content.get("model", {}), content.get("files", [])
        if not isinstance(model, dict) or not {"name", "identity"} <= model.keys():
            raise VampPromptError("the recipe does not say which model it needs")
        for name, value in model.items():
            if name not in _MODEL or not (
                isinstance(value, str) or (value is None and name in ("finetune", "lora"))
            ):
                raise VampPromptError(f"'{name}' of the model in the recipe is {value!r:.80}")

        def here(path: str) -> str:
            return os.path.relpath(folder / path)

        for name in ("name", "lora"):
            if str(model.get(name)).startswith("./"):
                model[name] = here(model[name])
        versions = content.get("versions", {})
        if not _are_texts(versions):
            raise VampPromptError(f"'versions' in the recipe is {versions!r:.80}")
        if "mask" not in content:
            raise VampPromptError("the recipe lacks an entry: 'mask'")
        settings = Settings(**{name: content[name] for name in known & content.keys()})
        if "files" in content:  # older recipes leave the paths of masks as they are
            settings = settings.with_files(here)
        if not isinstance(files, list):
            raise VampPromptError(f"'files' in the recipe is {files!r:.80}")
        entries = [_source(one, here) for one in files]
        origin = content.get("source")
        source = None if origin is None else _source(origin, here)
        if not all(one is None or isinstance(one, str) for one in made.values()):
            raise VampPromptError(f"'song' in the recipe is {made['song']!r:.80}")
        return cls(settings, model, source, tuple(entries), versions, **made)


def read_content(path: Path) -> dict[str, Any]:
    """Return what the JSON file of a recipe says.

    Raises
    ------
    FileError
        If the file is missing, no recipe, or of a newer format.
    """
    try:
        content = read_json(path, most=_MOST)
    except FileError as error:
        error.message = f"cannot read the recipe: {error.message}"
        raise
    return _checked(content, f"'{path}'")


def _checked(content: Any, what: str) -> dict[str, Any]:
    if not isinstance(content, dict) or "vampprompt recipe" not in content:
        hint = "give the .json file that compose wrote beside its output"
        raise FileError(f"{what} is not a recipe", hint=hint)
    number = content["vampprompt recipe"]
    if number != FORMAT or isinstance(number, bool):
        raise FileError(
            f"{what} is a recipe of format {number!r:.20}, and this version reads {FORMAT}",
            hint="update vampprompt",
        )
    return content


def _source(entry: Any, here: Any) -> Source:
    if not _are_texts(entry) or not {"path"} < entry.keys() <= {"path", "sha256", "samples"}:
        raise VampPromptError(f"the recipe does not say which file it needs: {entry!r:.80}")
    return Source(**entry | {"path": here(entry["path"])})


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive, or a null in a path
        return str(path)
