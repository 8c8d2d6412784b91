"""What a model's folder or repository offers, without loading it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vampprompt.errors import ModelError

__all__ = ["CARD", "CONFIG", "FINETUNES", "FORMAT", "OURS", "VAMPNETS", "Listing", "read_config"]

CARD = "card.md"
CONFIG = "config.json"
OURS = (CONFIG, "codec.safetensors", "coarse.safetensors", "fine.safetensors")
VAMPNETS = ("codec.pth", "coarse.pth", "c2f.pth")
FINETUNES = "loras"
FORMAT = 1
_LARGEST_CONFIG = 1 << 20
_LARGEST_CARD = 1 << 16


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
        """List a folder.

        Raises
        ------
        ModelError
            If it is in our layout and its config.json cannot be used.
        """
        sizes = {
            file.relative_to(folder).as_posix(): file.stat().st_size
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        config = read_config(folder / CONFIG) if sizes.keys() >= set(OURS) else {}
        return cls(name, sizes, config.get("licence") or licence, folder, config=config)

    @property
    def layout(self) -> tuple[str, ...]:
        """The files that make a model: ours where there is a config.json, or VampNet's."""
        return OURS if CONFIG in self.sizes else VAMPNETS

    @property
    def missing(self) -> list[str]:
        """Those of them that are not there."""
        return [file for file in self.layout if file not in self.sizes]

    @property
    def is_complete(self) -> bool:
        """Whether a model can be loaded from the files."""
        return not self.missing

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
        for file in self.sizes:
            match = re.fullmatch(rf"{FINETUNES}/([^/]+)/(coarse|c2f)\.pth", file)
            if match:
                found.setdefault(match[1], []).append(file)
        return found


def read_config(path: Path) -> dict[str, Any]:
    """Read the config.json of a folder in our layout.

    Raises
    ------
    ModelError
        If the file is not one.
    """
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ModelError(f"{path} is far too large to be a model's configuration")
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else None
        raise ModelError(
            f"{path} is not a model's configuration of format {FORMAT}, but {found!r}",
            hint="give a folder that `vampprompt convert` made, or update vampprompt",
        )
    for part in ("codec", "coarse", "fine"):
        if not isinstance(config.get(part), dict):
            raise ModelError(f"{path} does not describe the {part} model")
    if not isinstance(config.get("licence"), (str, type(None))):
        raise ModelError(f"{path} has a licence that is no text")
    return config
