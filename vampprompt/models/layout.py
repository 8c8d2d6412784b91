"""What files a model has, in our layout and in VampNet's, and what they tell without loading it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vampprompt.errors import ModelError, did_you_mean

__all__ = ["OURS", "PARTS", "STARTER", "VAMPNETS", "Listing", "Shape", "starter_folder"]

STARTER = "starter"
PARTS = ("codec", "coarse", "fine")
CARD = "card.md"
CONFIG = "config.json"
# The weights of the parts come last, in their order.
OURS = (CONFIG, "codec.safetensors", "coarse.safetensors", "fine.safetensors")
VAMPNETS = ("codec.pth", "coarse.pth", "c2f.pth")
FORMAT = 1
# What a configuration need not say, and the most that one may.
SAMPLE_RATE, HOP_LENGTH, VOCABULARY, ENCODER_RATES = 44100, 768, 1024, (2, 4, 8, 8)
LARGEST_SETTING = 1 << 17
_FINETUNE = re.compile(r"loras/([^/]+)/(coarse|c2f)\.pth")
_LARGEST_CONFIG = 1 << 20
_LARGEST_CARD = 1 << 16


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
    """

    name: str
    sizes: dict[str, int]
    licence: str | None = None
    folder: Path | None = None
    revision: str | None = None
    config: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_folder(cls, name: str, folder: Path, licence: str | None = None) -> Listing:
        """List a folder; a `ModelError` if it has a config.json of ours that cannot be used."""
        sizes = {
            file.relative_to(folder).as_posix(): file.stat().st_size
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
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
        text = (self.folder / CARD).read_text(encoding="utf-8", errors="replace")
        # whoever made the folder must not steer the terminal that this is shown on
        return "".join(sign for sign in text if sign.isprintable() or sign == "\n")

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
        rates: Any = None
        if codec.get("family") == "spectral":
            rates = [codec.get("hop_length", HOP_LENGTH)]
        elif codec.get("family") in ("dac", "dac-mrf"):
            rates = codec.get("encoder_rates", ENCODER_RATES)
        n_codebooks, vocab_size = fine.get("n_codebooks"), fine.get("vocab_size", VOCABULARY)
        sample_rate = codec.get("sample_rate", SAMPLE_RATE)
        if not isinstance(rates, (list, tuple)):
            return None
        for number in (n_codebooks, vocab_size, sample_rate, *rates):
            if not isinstance(number, int) or not 0 < number <= LARGEST_SETTING:
                return None
        return Shape(n_codebooks, sample_rate, math.prod(rates), vocab_size)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ModelError(f"{path} is far too large to be a model's configuration")
        config: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"{path} is not a model's configuration of format {FORMAT}, but {found!r}",
            hint="give a folder that `vampprompt convert` made, or update vampprompt",
        )
    for part in PARTS:
        if not isinstance(config.get(part), dict):
            raise ModelError(f"{path} does not describe the {part} model")
    if not isinstance(config.get("licence"), (str, type(None))):
        raise ModelError(f"{path} has a licence that is no text")
    return dict(config)
