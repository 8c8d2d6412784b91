"""Recipes: all that is needed to make the same output again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vampprompt.composing.settings import Settings
from vampprompt.errors import VampPromptError

if TYPE_CHECKING:
    from vampprompt.models import Bundle

FORMAT = 1
_MODEL = ("name", "identity", "finetune", "lora", "dtype")


@dataclass(frozen=True)
class Source:
    """A file that a song is made from: the recording, or what a mask reads.

    Attributes
    ----------
    path : str
        Where it was; beside a recipe on disk, relative to the recipe's folder.
    sha256 : str
        Of the file's bytes: a recipe is about this very file.

    Examples
    --------
    >>> Source.of(Path("in.wav")).path
    'in.wav'
    """

    path: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Describe a file."""
        try:
            with path.open("rb") as file:
                return cls(str(path), hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise VampPromptError(f"cannot read '{path}': {error.strerror}") from error

    def check(self) -> None:
        """Find out whether the file is still the same.

        Raises
        ------
        VampPromptError
            If it is gone, or another.
        """
        if Source.of(Path(self.path)) != self:
            raise VampPromptError(
                f"'{self.path}' has changed since the recipe was written",
                hint="put the old file back, or give the new one",
            )


@dataclass(frozen=True)
class Recipe:
    """What a song was made from and how.

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
        Those that the mask or the beat tracker reads.
    versions : dict
        Of vampprompt and of the libraries that decide numbers.

    Examples
    --------
    >>> import vampprompt as vp
    >>> paths = vp.compose("in.wav", "everything", vp.load("starter"), seed=7).write("out.wav")
    >>> recipe = vp.Recipe.read("out.json")
    >>> recipe.settings.mask, recipe.settings.seed, recipe.source.path
    (Everything(), 7, 'in.wav')
    """

    settings: Settings
    model: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    files: tuple[Source, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, bundle: Bundle, source: Source | None) -> Recipe:
        """Return the recipe of what is made with these, here and now."""
        files = tuple(Source.of(Path(path)) for path in settings.files)
        versions = {name: version(name) for name in ("vampprompt", "torch", "numpy", "librosa")}
        return cls(settings, bundle.reference, source, files, versions)

    @property
    def essence(self) -> tuple[object, ...]:
        """What decides the song, whatever the files are called and whoever makes it."""
        contents = [one and one.sha256 for one in (self.source, *self.files)]
        return self.settings.written(), contents, self.model["identity"], self.model.get("dtype")

    def to_json(self, folder: Path) -> str:
        """Return the recipe as JSON, with the paths of files relative to a folder."""

        def entry(file: Source) -> dict[str, str]:
            return {"path": _relative(Path(file.path), folder), "sha256": file.sha256}

        content = self.settings.written() | {
            "model": self.model,
            "source": None if self.source is None else entry(self.source),
            "files": [entry(one) for one in self.files],
            "versions": self.versions,
        }
        return json.dumps({"vampprompt recipe": FORMAT, **content}, indent=2) + "\n"

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe; its source's path is given back relative to the working folder.

        Raises
        ------
        VampPromptError
            If the file is missing, no recipe, or of a newer format, or holds what makes no sense.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            number = content.pop("vampprompt recipe")
        except OSError as error:
            raise VampPromptError(f"cannot read the recipe {path}: {error.strerror}") from error
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            hint = "give the .json file that compose wrote beside its output"
            raise VampPromptError(f"{path} is not a recipe", hint=hint) from error
        if number != FORMAT:
            raise VampPromptError(
                f"{path} is a recipe of format {number}, and this version reads {FORMAT}",
                hint="update vampprompt",
            )
        try:
            return cls._from(content, path.parent)
        except VampPromptError as error:
            error.message = f"{path}: {error.message}"
            raise

    @classmethod
    def _from(cls, content: dict[str, Any], folder: Path) -> Recipe:
        known = {one.name for one in fields(Settings)}
        unknown = sorted(content.keys() - known - {"model", "source", "files", "versions"})
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
        versions = content.get("versions", {})
        _check_texts("versions", versions)
        if "mask" not in content:
            raise VampPromptError("the recipe lacks an entry: 'mask'")
        settings = {name: content[name] for name in known & content.keys()}
        if not isinstance(files, list):
            raise VampPromptError(f"'files' in the recipe is {files!r:.80}")
        source, *read = (_file(one, folder) for one in (content.get("source"), *files))
        return cls(Settings(**settings), model, source, tuple(filter(None, read)), versions)


def _file(entry: Any, folder: Path) -> Source | None:
    """Return a file that a recipe in a folder names."""
    if entry is None:
        return None
    _check_texts("source", entry)
    if entry.keys() != {"path", "sha256"}:
        raise VampPromptError("the recipe does not say which file it needs")
    return Source(os.path.relpath(folder / entry["path"]), entry["sha256"])


def _check_texts(name: str, value: object) -> None:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise VampPromptError(f"'{name}' in the recipe is {value!r:.80}")


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())
