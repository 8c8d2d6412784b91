"""Reading weights files: VampNet's ``.pth`` and safetensors, and saying what is wrong with one."""

from __future__ import annotations

import pickle
import pickletools
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vampprompt.errors import ModelError
from vampprompt.models.folding import StateDict

__all__ = ["Weights", "describe", "read_pth", "read_safetensors"]

# What `weights_only` allows, no state dict needs, and a few bytes can have fill the memory.
_ALLOCATES = re.compile(r"(builtins|__builtin__) bytearray|torch(\.\w+)* \w*Tensor")


@dataclass(frozen=True)
class Weights:
    """What a weights file holds.

    Attributes
    ----------
    path : Path
        The file.
    state : dict
        Tensors by name, float32 on the CPU.
    kwargs : dict or None
        The arguments of the model's constructor, where the file tells them.
    """

    path: Path
    state: StateDict = field(repr=False)
    kwargs: dict[str, Any] | None = None

    @property
    def is_lora(self) -> bool:
        """Whether these are only low-rank updates of another file's weights."""
        return all(".lora_" in name for name in self.state)


def describe(state: StateDict) -> str:
    """Return what kind of model a state dict belongs to, in words for an error message."""
    if all(".lora_" in name for name in state):
        return "low-rank updates (LoRA)"
    if "embedding.special.MASK" in state:
        return "a token model"
    if any(name.startswith("quantizer.") for name in state):
        return "a codec"
    return "no model known here"


def read_pth(path: Path, *, shapes_only: bool = False) -> Weights:
    """Read a file that `torch.save` wrote: a state dict, with or without metadata around it.

    Nothing in the file is ever run: it is unpickled with ``weights_only``.

    Parameters
    ----------
    path : Path
        The file.
    shapes_only : bool
        Whether to read no values: the tensors are then on the device ``meta``.

    Raises
    ------
    ModelError
        If the file is missing, truncated, or anything but tensors and plain metadata.
    """
    _check_archive(path)
    try:
        device = "meta" if shapes_only else "cpu"
        content = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        what = f"Python code ({wanted[1]})" if wanted else "more than tensors"
        raise ModelError(
            f"{path} holds pickled {what}, which could do anything and is not loaded",
            hint="ask its publisher for the state dict alone, or for safetensors",
        ) from error
    except Exception as error:  # there is no end to what a damaged file can raise
        raise _damaged(path, str(error)) from error
    state, kwargs = content, None
    if isinstance(content, dict) and "state_dict" in content:
        state = content["state_dict"]
        metadata = content.get("metadata")
        kwargs = metadata.get("kwargs") if isinstance(metadata, dict) else None
    plain = _plain(path, state, shapes_only)
    return Weights(path, plain, kwargs if isinstance(kwargs, dict) else None)


def read_safetensors(path: Path, *, shapes_only: bool = False) -> Weights:
    """Read a safetensors file, or only the shapes in it; see `read_pth`.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    _check_file(path)
    try:
        if shapes_only:
            with safe_open(path, "pt") as file:
                shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
            state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
        else:
            state = load_file(path)
        return Weights(path, _plain(path, state, shapes_only))
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _check_file(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ModelError(f"{path} {what}", hint="give a weights file")


def _check_archive(path: Path) -> None:
    _check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # as above
        with path.open("rb") as file:
            start = file.read(2)
        if start == b"PK":
            raise _damaged(path, "the file ends early") from error
        raise ModelError(
            f"{path} is not a weights file that torch.save writes since PyTorch 1.6",
            hint="give a .pth file such as VampNet's, or a folder that `vampprompt convert` made",
        ) from error
    names = [entry.filename for entry in entries]
    if any("/.data/extern_modules" in name for name in names):
        raise ModelError(
            f"{path} is a torch.package, which brings its own code and is not loaded",
            hint="ask its publisher for the state dict alone, or for safetensors",
        )
    if not any(name.endswith("/data.pkl") for name in names):
        raise ModelError(f"{path} is a zip archive, but not one that torch.save wrote")
    # torch.save compresses nothing: whatever is compressed is meant to unpack to something huge
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelError(f"{path} is compressed, as torch.save never does, and is not loaded")
    # entries may lie over each other, and two of one name are not the same to every reader
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise _damaged(path, "it says that it holds more than the whole file")
    if len({name.lower() for name in names}) < len(names):
        raise _damaged(path, "it holds two entries of one name")
    _check_pickles(path, [name for name in names if name.lower().endswith("data.pkl")])


def _check_pickles(path: Path, names: list[str]) -> None:
    """Refuse what would take memory before its size can be compared with the file's."""
    try:
        with zipfile.ZipFile(path) as archive:
            opcodes = [one for name in names for one in pickletools.genops(archive.read(name))]
    except Exception as error:  # as above
        raise _damaged(path, str(error)) from error
    called = (str(name) for opcode, name, _ in opcodes if opcode.name == "GLOBAL")
    refused = next(filter(_ALLOCATES.fullmatch, called), None)
    if refused is not None:
        raise ModelError(
            f"{path} makes a {refused.rpartition(' ')[2]}, which no state dict needs",
            hint="ask its publisher for the state dict alone, or for safetensors",
        )


def _damaged(path: Path, reason: str) -> ModelError:
    first_line = reason.strip().partition("\n")[0]
    return ModelError(f"{path} is damaged or cut short: {first_line}", hint="download it again")


def _plain(path: Path, state: object, shapes_only: bool) -> StateDict:
    """Return a state dict as float32, if that is what it is."""
    if not isinstance(state, dict) or not state:
        raise ModelError(f"{path} holds no weights but {type(state).__name__}")
    plain = {}
    n_left = path.stat().st_size
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ModelError(f"{path} holds no state dict: '{name}' is {type(value).__name__}")
        is_empty = value.is_meta and not shapes_only
        if value.layout != torch.strided or is_empty or not value.is_floating_point():
            kind = f"{value.dtype} in layout {value.layout} on {value.device}"
            raise ModelError(f"{path}: '{name}' holds {kind}")
        # views of one small storage could claim to be tensors of any size
        n_left -= value.numel()
        if n_left < 0:
            raise _damaged(path, "its tensors are larger than the file")
        plain[name] = value.detach().float()
        if not shapes_only and not plain[name].isfinite().all():
            raise ModelError(f"{path}: '{name}' holds infinite weights", hint="download it again")
    return plain
