"""Recipes: all that is needed to make the same output again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from vampprompt.errors import VampPromptError

FORMAT = 1


@dataclass(frozen=True)
class Source:
    """The recording that a recipe starts from.

    Attributes
    ----------
    path : str
        Where it was; beside a recipe on disk, relative to the recipe's folder.
    sha256 : str
        Of the file's bytes: a recipe is about this very recording.
    """

    path: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Describe a file."""
        with path.open("rb") as file:
            return cls(str(path), hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True)
class Recipe:
    """What a song was made from and how.

    Attributes
    ----------
    mask : str
        In the mask language.
    sampler, fine_sampler : str
        As ``--sampler`` takes them; for the coarse and the fine codebooks.
    seed : int
        The user's seed.
    variations : list of int
        Indices of the variations made.
    passes, stretch : int
        Feedback passes and the factor of the time stretch.
    pitch : float
        Pitch shift of the input in semitones.
    keep_audio : bool
        Whether original samples were crossfaded back in.
    beats : str
        Name of the beat tracker that was used.
    model : dict
        ``name``, ``finetune``, ``lora`` and ``dtype`` to load it by, and the ``identity`` of its
        weights.
    source : Source or None
        None for audio that came from memory.
    versions : dict
        Of vampprompt and of the libraries that decide numbers.

    Examples
    --------
    >>> import vampprompt as vp
    >>> paths = vp.compose("in.wav", "everything", vp.load("starter"), seed=7).write("out.wav")
    >>> recipe = vp.Recipe.read("out.json")
    >>> recipe.mask, recipe.seed, recipe.source.path
    ('everything', 7, 'in.wav')
    """

    mask: str
    sampler: str
    fine_sampler: str
    seed: int = 0
    variations: list[int] = field(default_factory=lambda: [0])
    passes: int = 1
    stretch: int = 1
    pitch: float = 0.0
    keep_audio: bool = False
    beats: str = "auto"
    model: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self, folder: Path) -> str:
        """Return the recipe as JSON, with the source's path relative to a folder."""
        content = asdict(self)
        if self.source is not None:
            content["source"]["path"] = _relative(Path(self.source.path), folder)
        return json.dumps({"vampprompt recipe": FORMAT, **content}, indent=2) + "\n"

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe; its source's path is given back relative to the working folder.

        Raises
        ------
        VampPromptError
            If the file is missing, no recipe, or of a newer format.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version = content.pop("vampprompt recipe")
        except OSError as error:
            raise VampPromptError(f"cannot read the recipe {path}: {error.strerror}") from error
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            hint = "give the .json file that compose wrote beside its output"
            raise VampPromptError(f"{path} is not a recipe", hint=hint) from error
        if version != FORMAT:
            raise VampPromptError(
                f"{path} is a recipe of format {version}, and this version reads {FORMAT}",
                hint="update vampprompt",
            )
        return cls._from(content, path)

    @classmethod
    def _from(cls, content: dict[str, Any], path: Path) -> Recipe:
        known = {one.name: one for one in fields(cls)}
        unknown = sorted(content.keys() - known.keys())
        if unknown:
            raise VampPromptError(f"{path}: unknown entry '{unknown[0]}' in the recipe")
        try:
            source = content.pop("source", None)
            if source is not None:
                where = path.parent / source["path"]
                source = Source(os.path.relpath(where), str(source["sha256"]))
            recipe = cls(source=source, **content)
        except (TypeError, KeyError) as error:
            raise VampPromptError(f"{path}: the recipe lacks an entry: {error}") from error
        for name, kind in _KINDS.items():
            value = getattr(recipe, name)
            if not _is(kind, value):
                raise VampPromptError(f"{path}: '{name}' in the recipe is {value!r:.80}")
        if not all(_is(int, one) for one in recipe.variations):
            raise VampPromptError(f"{path}: 'variations' in the recipe are not whole numbers")
        for name in {*recipe.model, "name", "identity"}:
            value = recipe.model.get(name)
            optional = name in ("finetune", "lora")
            if name not in _MODEL or not (_is(str, value) or (optional and value is None)):
                raise VampPromptError(
                    f"{path}: '{name}' of the model in the recipe is {value!r:.80}"
                )
        return recipe


_KINDS: dict[str, type | tuple[type, ...]] = {
    "mask": str,
    "sampler": str,
    "fine_sampler": str,
    "seed": int,
    "variations": list,
    "passes": int,
    "stretch": int,
    "pitch": (int, float),
    "keep_audio": bool,
    "beats": str,
    "model": dict,
    "versions": dict,
}
_MODEL = ("name", "identity", "finetune", "lora", "dtype")


def _is(kind: type | tuple[type, ...], value: object) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())
