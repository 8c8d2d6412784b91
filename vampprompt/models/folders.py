"""Folders of weights, in VampNet's layout and in our own."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vampprompt.errors import ModelError, did_you_mean
from vampprompt.models.checkpoints import (
    load_codec,
    make_codec,
    make_model,
    original_model,
    with_lora,
)
from vampprompt.models.codecs import CodecModule
from vampprompt.models.listing import CONFIG, FINETUNES, FORMAT, OURS, VAMPNETS, Listing
from vampprompt.models.transformer import VampNet
from vampprompt.models.weights import Weights, read_pth, read_safetensors

__all__ = ["Parts", "read", "write"]


@dataclass(frozen=True)
class Parts:
    """What a folder of weights holds."""

    codec: CodecModule
    coarse: VampNet
    fine: VampNet
    licence: str | None = None


def read(
    folder: Path,
    *,
    finetune: str | None = None,
    lora: Path | None = None,
    shapes_only: bool = False,
) -> Parts:
    """Read a folder in either layout.

    Parameters
    ----------
    folder : Path
        With config.json and safetensors, or with VampNet's codec.pth, coarse.pth and c2f.pth.
    finetune : str, optional
        A name under the folder's ``loras``: whole models, or only low-rank updates.
    lora : Path, optional
        A file of low-rank updates, for the model that has just those layers; where both have,
        for the fine one if the file is called c2f or fine, else for the coarse one.
    shapes_only : bool
        Whether to leave the models without weights, on the device ``meta``.

    Raises
    ------
    ModelError
        If a file is missing, damaged or does not fit the others.
    """
    listing = Listing.of_folder(str(folder), folder)
    if listing.missing:
        raise ModelError(
            f"{folder} has no {listing.missing[0]}",
            hint=f"a model's folder has {', '.join(VAMPNETS)}, or {', '.join(OURS)}",
        )
    if CONFIG in listing.sizes:
        if finetune is not None or lora is not None:
            raise ModelError(
                f"{folder} is a converted model, which takes no fine-tunes",
                hint="name the folder or repository that it was converted from",
            )
        return _checked(folder, _read_ours(folder, listing, shapes_only))
    codec = load_codec(folder / "codec.pth", shapes_only=shapes_only)
    coarse, fine = (
        read_pth(folder / name, shapes_only=shapes_only) for name in ("coarse.pth", "c2f.pth")
    )
    if finetune is not None:
        tuned = _finetune_folder(listing, folder, finetune)
        coarse, fine = _tuned(coarse, tuned / "coarse.pth"), _tuned(fine, tuned / "c2f.pth")
    if lora is not None:
        coarse, fine = _with_updates(coarse, fine, read_pth(lora))
    parts = Parts(codec, original_model(coarse, codec), original_model(fine, codec))
    return _checked(folder, parts)


def write(folder: Path, parts: Parts, name: str, *, half: bool = False) -> None:
    """Write a folder in our layout, whole or not at all.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    parts : Parts
        What to write.
    name : str
        What the model is called.
    half : bool
        Whether to round the weights to half precision.

    Raises
    ------
    ModelError
        If the folder is there already, or cannot be written.
    """
    from safetensors.torch import save_file

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} exists already", hint="name a new folder")
    codec: Any = parts.codec
    config = {
        "format": FORMAT,
        "name": name,
        "licence": parts.licence,
        "codec": codec.config,
        "coarse": parts.coarse.config,
        "fine": parts.fine.config,
    }
    modules = {"codec": codec, "coarse": parts.coarse, "fine": parts.fine}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            unfinished = Path(scratch) / "model"
            unfinished.mkdir()
            for part, module in modules.items():
                dtype = torch.float16 if half else torch.float32
                state = {
                    key: value.to("cpu", dtype).contiguous()
                    for key, value in module.state_dict().items()
                }
                save_file(state, unfinished / f"{part}.safetensors")
            (unfinished / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            shutil.move(unfinished, folder)
    except OSError as error:
        raise ModelError(f"cannot write {folder}: {error.strerror}") from error


def _read_ours(folder: Path, listing: Listing, shapes_only: bool) -> Parts:
    config = listing.config
    weights = {
        part: read_safetensors(folder / f"{part}.safetensors", shapes_only=shapes_only)
        for part in ("codec", "coarse", "fine")
    }
    codec = make_codec(weights["codec"], config["codec"])
    coarse, fine = (make_model(weights[part], config[part], codec) for part in ("coarse", "fine"))
    return Parts(codec, coarse, fine, listing.licence)


def _finetune_folder(listing: Listing, folder: Path, name: str) -> Path:
    known = sorted(listing.finetunes)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
        raise ModelError(f"{folder} has no fine-tune '{name}'", hint=hint)
    return folder / FINETUNES / name


def _tuned(base: Weights, path: Path) -> Weights:
    """Return the fine-tuned weights, or the base's where only the other model is tuned."""
    if not path.is_file():
        return base
    tuned = read_pth(path)
    return with_lora(base, tuned) if tuned.is_lora else tuned


def _with_updates(coarse: Weights, fine: Weights, lora: Weights) -> tuple[Weights, Weights]:
    def layers(weights: Weights) -> set[str]:
        return {name for name in weights.state if ".lora_" in name}

    fits_coarse, fits_fine = (layers(lora) == layers(one) for one in (coarse, fine))
    named_fine = lora.path.stem.startswith(("c2f", "fine"))
    if fits_fine and (named_fine or not fits_coarse):
        return coarse, with_lora(fine, lora)
    return with_lora(coarse, lora), fine


def _checked(folder: Path, parts: Parts) -> Parts:
    """Return the parts if they belong together."""
    codec, coarse, fine = parts.codec, parts.coarse, parts.fine
    if coarse.n_conditioning != 0:
        raise ModelError(
            f"{folder}: the coarse model is a coarse-to-fine one, which is given "
            f"{coarse.n_conditioning} of its {coarse.n_codebooks} codebooks",
            hint="are coarse and c2f (fine) interchanged?",
        )
    if fine.n_conditioning != coarse.n_codebooks:
        raise ModelError(
            f"{folder}: the fine model is given {fine.n_conditioning} codebooks, and the coarse "
            f"one makes {coarse.n_codebooks}",
            hint="keep a model's files together",
        )
    if fine.n_codebooks > codec.n_codebooks:
        raise ModelError(f"{folder}: the codec has fewer codebooks than the fine model")
    return parts
