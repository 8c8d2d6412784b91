"""What files a model has, in our layout and in VampNet's, and what they tell without loading it."""

from __future__ import annotations

import math
import os
import re
import reprlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from vampprompt.errors import ModelError, did_you_mean, shown
from vampprompt.files import check_readable, read_json, read_text

__all__ = [
    "DEFAULTS",
    "OURS",
    "PARTS",
    "STARTER",
    "VAMPNETS",
    "Listing",
    "Shape",
    "check_defaults",
    "check_file",
    "check_settings",
    "damaged",
    "named_in_utf8",
    "safetensors_shapes",
    "starter_folder",
    "told",
]

STARTER = "starter"
PARTS = ("codec", "coarse", "fine")
CARD = "card.md"
CONFIG = "config.json"
# The weights of the parts come last, in their order.
OURS = (CONFIG, "codec.safetensors", "coarse.safetensors", "fine.safetensors")
VAMPNETS = ("codec.pth", "coarse.pth", "c2f.pth")
FORMAT = 1
# What composing takes from a model where the user says nothing.
DEFAULTS = ("sampler", "fine_sampler")
# What a configuration need not say, and the most that one may.
SAMPLE_RATE, HOP_LENGTH, VOCABULARY, ENCODER_RATES = 44100, 768, 1024, (2, 4, 8, 8)
LARGEST_SETTING = 1 << 17
_LARGEST_HOP, _MOST_STAGES, _LONGEST_TEXT = 1 << 14, 16, 200
_LONGEST_DEFAULT = 2000
# Whole numbers are from 0 to the largest but for these; rates are lists of them.
_RANGES = {"sample_rate": (1000, 768_000), "hop_length": (1, _LARGEST_HOP)}
_RATES = ("encoder_rates", "decoder_rates")
_LARGEST_REALS = {"dropout": 1, "quantizer_dropout": 1, "noise_from": 1e6, "noise_to": 1e6}
_FAMILIES = ("dac", "dac-mrf", "spectral", "phaseless")
_FINETUNE = re.compile(r"loras/([^/]+)/(coarse|c2f)\.pth")
_MOST_FINETUNES = 1000
_LARGEST_CONFIG = 1 << 20
_LARGEST_CARD = 1 << 16
_POINTER = b"version https://git-lfs"
# Of what describes the tensors of a safetensors file, and of any tensor.
_LARGEST_HEADER, MOST_AXES = 4 << 20, 8
_FLOATS = re.compile("F64|F32|F16|BF16|F8_.*")


def starter_folder() -> Path:
    """Return where the bundled checkpoint lies."""
    return Path(__file__).parent / STARTER


@dataclass(frozen=True)
class Shape:
    """How a model's tokens lie over a recording.

    Attributes
    ----------
    n_codebooks : int
        That are composed.
    sample_rate : int
        In hertz.
    hop_length : int
        Samples in a frame.
    vocab_size : int
        Entries of a codebook.

    Examples
    --------
    >>> import vampprompt as vp
    >>> shape = vp.models.shape_of("starter")
    >>> shape.n_codebooks, f"{1000 * shape.hop_length / shape.sample_rate:.1f} ms"
    (9, '17.4 ms')
    """

    n_codebooks: int
    sample_rate: int
    hop_length: int
    vocab_size: int


@dataclass(frozen=True)
class Listing:
    """The files of a model.

    Attributes
    ----------
    name : str
        What `vampprompt.load` takes.
    sizes : dict
        Bytes of each file by its path, 0 where they are not known.
    licence : str or None
        Of the weights, where it is known.
    folder : Path or None
        Where they lie, if they are here.
    revision : str or None
        The commit, if they are on the hub.
    config : dict
        What config.json says, if it is here.

    Examples
    --------
    >>> import vampprompt as vp
    >>> sorted(vp.models.available()[0].sizes)[-1]
    'fine.safetensors'
    """

    name: str
    sizes: dict[str, int]
    licence: str | None = None
    folder: Path | None = None
    revision: str | None = None
    config: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_folder(cls, name: str, folder: Path, licence: str | None = None) -> Listing:
        """List a folder; a `ModelError` if it has a config.json of ours that cannot be used.

        Nothing else in it is looked at, however large it is.
        """
        sizes = {}
        try:
            loras, tuned = folder / "loras", []
            if loras.is_dir():
                with os.scandir(loras) as entries:  # a glob would list them all
                    tuned = sorted(one.name for one in islice(entries, _MOST_FINETUNES))
            of_tuned = [loras / one / name for one in tuned for name in VAMPNETS[1:]]
            for file in [*(folder / name for name in (CARD, *OURS, *VAMPNETS)), *of_tuned]:
                if file.is_file():
                    sizes[file.relative_to(folder).as_posix()] = file.stat().st_size
        except OSError as error:
            raise ModelError(f"cannot look into {folder}: {error.strerror}") from error
        config = _read_config(folder / CONFIG) if sizes.keys() >= set(OURS) else {}
        return cls(name, sizes, config.get("licence") or licence, folder, config=config)

    @property
    def layout(self) -> tuple[str, ...]:
        """The files that make a model: ours where there is a config.json, or VampNet's."""
        return OURS if CONFIG in self.sizes else VAMPNETS

    @property
    def missing(self) -> list[str]:
        """Those of them that are not there: without any, a model can be loaded."""
        return [file for file in self.layout if file not in self.sizes]

    @property
    def card(self) -> str | None:
        """The model card in Markdown: data, training, limits, figures; None if there is none."""
        if self.folder is None or not 0 < self.sizes.get(CARD, 0) <= _LARGEST_CARD:
            return None
        text = read_text(self.folder / CARD, ModelError, _LARGEST_CARD)
        # whoever made the folder must not steer the terminal that this is shown on
        return "\n".join(map(shown, text.split("\n")))

    @property
    def finetunes(self) -> dict[str, list[str]]:
        """The files of each fine-tune, by its name."""
        found: dict[str, list[str]] = {}
        for match in filter(None, map(_FINETUNE.fullmatch, self.sizes)):
            found.setdefault(match[1], []).append(match[0])
        return found

    def finetune(self, name: str | None) -> list[str]:
        """Return the files of a fine-tune, none for None; a `ModelError` if there is none such."""
        known = sorted(self.finetunes)
        if name is not None and name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
            raise ModelError(f"{self.name} has no fine-tune '{name}'", hint=hint)
        return [] if name is None else self.finetunes[name]

    @property
    def shape(self) -> Shape | None:
        """What the configuration tells: of a model in our layout with a codec of the package."""
        codec, fine = self.config.get("codec", {}), self.config.get("fine", {})
        if codec.get("family") not in _FAMILIES or "n_codebooks" not in fine:
            return None
        rates = codec.get("encoder_rates", ENCODER_RATES)
        if codec["family"] in ("spectral", "phaseless"):
            rates = [codec.get("hop_length", HOP_LENGTH)]
        sample_rate = codec.get("sample_rate", SAMPLE_RATE)
        vocab_size = fine.get("vocab_size", VOCABULARY)
        shape = Shape(fine["n_codebooks"], sample_rate, math.prod(rates), vocab_size)
        return shape if shape.n_codebooks and vocab_size else None


def check_file(path: Path) -> None:
    """Refuse a model's file that is none, or of which only the pointer was fetched."""
    check_readable(path, ModelError)
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise ModelError(
                f"{path} is a pointer of Git LFS, not the file itself",
                hint="run in its folder: git lfs pull",
            )


def damaged(path: Path, reason: object) -> ModelError:
    """Return the error for a file that says something impossible."""
    first_line = str(reason).strip().partition("\n")[0] or type(reason).__name__
    return ModelError(f"{path} is damaged or cut short: {first_line}", hint="download it again")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Name the file whose reading failed."""
    try:
        yield
    except ModelError:
        raise
    except MemoryError as error:
        raise ModelError(f"{path} does not fit into memory") from error
    except Exception as error:  # there is no end to what a damaged file can raise
        raise damaged(path, error) from error


@contextmanager
def named_in_utf8(path: Path) -> Iterator[Path]:
    """Give a path by which the safetensors library, too, finds a file or folder."""
    if os.fsencode(path).decode(errors="ignore") == os.fspath(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "link"
        link.symlink_to(path.absolute())
        yield link


def safetensors_shapes(path: Path) -> dict[str, list[int]]:
    """Return the shapes of a safetensors file's weights, looking at none of them.

    Raises
    ------
    ModelError
        If it is damaged, or not one of floating point numbers.
    """
    from safetensors import safe_open

    check_file(path)
    with told(path):
        with path.open("rb") as start:
            if int.from_bytes(start.read(8), "little") > _LARGEST_HEADER:
                raise ValueError("it describes far more than any model has")
        with named_in_utf8(path) as name, safe_open(name, "np") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            for name, one in found.items():
                if not _FLOATS.fullmatch(one.get_dtype()):
                    kind = one.get_dtype()
                    raise ModelError(f"{path}: '{name}' holds {kind}, which no weights are")
                if len(one.get_shape()) > MOST_AXES:
                    raise ValueError(f"'{name}' has {len(one.get_shape())} axes")
            return {name: list(one.get_shape()) for name, one in found.items()}


def check_settings(where: Path, part: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings of a part that are of the wrong kind, or could only exhaust memory.

    Raises
    ------
    ModelError
        That names the first such setting.
    """
    family = settings.get("family") if part == "codec" else None
    if part == "codec" and not isinstance(family, str):
        raise ModelError(f"{where}: its configuration names no codec family")
    is_ours = part != "codec" or family in _FAMILIES
    for name, value in settings.items():
        if not (_fits(name, value, is_ours) or (name == "family" and family is value)):
            value = reprlib.repr(value)
            raise ModelError(f"the configuration of {where} has {name}={value}, which is wrong")


def check_defaults(where: object, defaults: object) -> None:
    """Refuse a model's defaults that are no texts, or of what no model has a default for.

    What the texts say is for those to find out who know samplers.

    Raises
    ------
    ModelError
        That names the first such default.
    """
    if not isinstance(defaults, Mapping):
        raise ModelError(
            f"{where} has the defaults {reprlib.repr(defaults)}",
            hint='write {"sampler": "confidence(steps=24)"}',
        )
    for name, text in defaults.items():
        if name not in DEFAULTS:
            known = f"there are: {', '.join(DEFAULTS)}"
            raise ModelError(
                f"{where} has a default '{name}', which no model has",
                hint=did_you_mean(f"{name}", DEFAULTS) or known,
            )
        if not isinstance(text, str) or len(text) > _LONGEST_DEFAULT:
            raise ModelError(
                f"{where} has the default {name}={reprlib.repr(text)}, which is no text of one",
                hint="write it as --sampler takes it: confidence(steps=24)",
            )


def _fits(name: str, value: Any, is_ours: bool) -> bool:
    if name in _RATES:
        if not isinstance(value, (list, tuple)) or len(value) > _MOST_STAGES:
            return False
        return all(_is_whole(one, 1, _LARGEST_HOP) for one in value) and (
            math.prod(value) <= _LARGEST_HOP
        )
    if name in _LARGEST_REALS:
        return isinstance(value, (int, float)) and 0 <= value <= _LARGEST_REALS[name]
    if is_ours or name in _RANGES:
        is_left_out = value is None and name == "latent_dim"
        return is_left_out or _is_whole(value, *_RANGES.get(name, (0, LARGEST_SETTING)))
    # what only the package that brings the family knows more of
    values = value if isinstance(value, (list, tuple)) else [value]
    return len(values) <= _MOST_STAGES and all(
        one is None
        or (isinstance(one, str) and len(one) <= _LONGEST_TEXT)
        or (isinstance(one, (int, float)) and abs(one) <= LARGEST_SETTING)
        for one in values
    )


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _read_config(path: Path) -> dict[str, Any]:
    check_file(path)
    config = read_json(path, ModelError, _LARGEST_CONFIG)
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT or type(found) is not int:
        raise ModelError(
            f"{path} is not a model's configuration of format {FORMAT}, but {reprlib.repr(found)}",
            hint="give a folder that `vampprompt convert` made, or update vampprompt",
        )
    if not isinstance(config.get("licence"), (str, type(None))):
        raise ModelError(f"{path} has a licence that is no text")
    for part in PARTS:
        if not isinstance(config.get(part), dict):
            raise ModelError(f"{path} does not describe the {part} model")
        check_settings(path, part, config[part])
    check_defaults(path, config.get("defaults", {}))
    return dict(config)
