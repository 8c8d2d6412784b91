"""Weights files: VampNet's ``.pth`` and safetensors, saying what is wrong with one, and folding.

A model is made from a file's weights without memory behind it first, so that each is checked
before anything of its size is allocated.
"""

from __future__ import annotations

import inspect
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vampprompt.errors import ModelError
from vampprompt.language import Registry
from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.layout import LARGEST_SETTING
from vampprompt.models.spectral import SpectralCodec
from vampprompt.models.transformer import VampNet
from vampprompt.protocols import Codec

__all__ = ["Weights", "codecs", "make_codec", "make_model", "read_weights", "remove_weight_norm"]

StateDict: TypeAlias = dict[str, Tensor]
Made = TypeVar("Made", bound=nn.Module)

# Called with the family's own settings. What it returns is an `nn.Module`, too.
codecs: Registry[Callable[..., Any]] = Registry("codec", "vampprompt.codecs", ModelError)
codecs.register("dac", DacCodec)
codecs.register("dac-mrf", DacMrfCodec)
codecs.register("spectral", SpectralCodec)

# What `weights_only` allows, no state dict needs, and a few bytes can have fill the memory.
_ALLOCATES = re.compile(r"(builtins|__builtin__) bytearray|torch(\.\w+)* \w*Tensor")
_AS_PLAIN = "ask its publisher for the state dict alone, or for safetensors"
_AS_PUBLISHED = "give the file as it was published"
# Of what training needs and sampling does not, none is there without the other.
_PAIRS = {"weight_g": "weight_v", "weight_v": "weight_g", "lora_A": "lora_B", "lora_B": "lora_A"}
_MOST_STAGES = 16
# Settings of the original that ask for layers which no released model has.
_CONDITIONS = ("r_cond_dim", "cond_dim", "ctrl_dims")


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

    @property
    def kind(self) -> str:
        """What kind of model they belong to, in words for an error message."""
        if self.is_lora:
            return "low-rank updates (LoRA)"
        if "embedding.special.MASK" in self.state:
            return "a token model"
        if any(name.startswith("quantizer.") for name in self.state):
            return "a codec"
        return "no model known here"

    def updated(self, lora: Weights) -> Weights:
        """Return a model's weights with the low-rank updates of another file, if they are its."""
        if not lora.is_lora:
            raise ModelError(
                f"{lora.path} holds {lora.kind}, not only low-rank updates (LoRA)",
                hint="give a whole model as a fine-tune, under loras/<name>/",
            )
        for name in lora.state:
            if name.rpartition(".")[0] + ".weight" not in self.state:
                raise ModelError(f"{lora.path} updates '{name}', which {self.path} does not have")
        return replace(self, state={**self.state, **lora.state})

    def settings(self, kind: str) -> dict[str, Any]:
        """Return the arguments that a file of that kind in VampNet's format tells."""
        if self.kind != kind:
            raise ModelError(f"{self.path} holds {self.kind}, where {kind} is needed")
        if self.kwargs is None:
            raise ModelError(
                f"{self.path} holds weights, but does not say how the model is built",
                hint=f"{_AS_PUBLISHED}, with its metadata",
            )
        return self.kwargs


def read_weights(path: Path, *, shapes_only: bool = False) -> Weights:
    """Read a safetensors file, or one that `torch.save` wrote: a state dict, or one with metadata.

    Nothing in the file is ever run: it is unpickled with ``weights_only``. With `shapes_only` no
    values are read: the tensors are then on the device ``meta``. A `ModelError` if the file is
    missing, truncated, or anything but tensors and plain metadata.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ModelError(f"{path} {what}", hint="give a weights file")
    if path.suffix == ".safetensors":
        return Weights(path, _plain(path, _safetensors(path, shapes_only), shapes_only))
    state, kwargs = _pth(path, shapes_only), None
    if isinstance(state, dict) and "state_dict" in state:
        metadata, state = state.get("metadata"), state["state_dict"]
        kwargs = metadata.get("kwargs") if isinstance(metadata, dict) else None
    plain = _plain(path, state, shapes_only)
    return Weights(path, plain, kwargs if isinstance(kwargs, dict) else None)


def _safetensors(path: Path, shapes_only: bool) -> Any:
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        if not shapes_only:
            return load_file(path)
        with safe_open(path, "pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _pth(path: Path, shapes_only: bool) -> Any:
    _check_archive(path)
    try:
        device = "meta" if shapes_only else "cpu"
        return torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        what = f"Python code ({wanted[1]})" if wanted else "more than tensors"
        raise ModelError(
            f"{path} holds pickled {what}, which could do anything and is not loaded",
            hint=_AS_PLAIN,
        ) from error
    except Exception as error:  # there is no end to what a damaged file can raise
        raise _damaged(path, str(error)) from error


def _check_archive(path: Path) -> None:
    """Refuse what would take memory before its size can be compared with the file's."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # as above
        with path.open("rb") as file:
            if file.read(2) == b"PK":
                raise _damaged(path, "the file ends early") from error
        raise ModelError(
            f"{path} is not a weights file that torch.save writes since PyTorch 1.6",
            hint="give a .pth file such as VampNet's, or a folder that `vampprompt convert` made",
        ) from error
    names = [entry.filename for entry in entries]
    if any("/.data/extern_modules" in name for name in names):
        raise ModelError(
            f"{path} is a torch.package, which brings its own code and is not loaded",
            hint=_AS_PLAIN,
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
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [archive.read(one) for one in names if one.lower().endswith("data.pkl")]
        opcodes = [one for pickled in pickles for one in pickletools.genops(pickled)]
    except Exception as error:  # as above
        raise _damaged(path, str(error)) from error
    called = (str(name) for opcode, name, _ in opcodes if opcode.name == "GLOBAL")
    refused = next(filter(_ALLOCATES.fullmatch, called), None)
    if refused is not None:
        what = refused.rpartition(" ")[2]
        raise ModelError(f"{path} makes a {what}, which no state dict needs", hint=_AS_PLAIN)


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


def fold(state: Mapping[str, Tensor]) -> StateDict:
    """Return a state dict of plain weights, of what training needs and sampling does not.

    Each `weight_g` and `weight_v` become a `weight`. Each low-rank update [1]_ is added to its
    weight: ``lora_B @ lora_A / rank``, as VampNet trains it (with alpha 1). A `KeyError` if one of
    two is there without the other, or an update without its weight.

    References
    ----------
    .. [1] Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
    """
    folded, updates = {}, {}
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        if kind not in _PAIRS:
            folded[name] = value
            continue
        other = state[f"{layer}.{_PAIRS[kind]}"]
        if kind == "weight_v":
            folded[f"{layer}.weight"] = value * (other / torch.norm_except_dim(value, 2, 0))
        elif kind == "lora_A":
            updates[f"{layer}.weight"] = other @ value / len(value)
    return folded | {name: folded[name] + update for name, update in updates.items()}


def remove_weight_norm(module: nn.Module) -> None:
    """Make the weights of all layers plain, so that none is worked out at each call."""
    for layer in module.modules():
        if hasattr(layer, "weight_g"):
            nn.utils.remove_weight_norm(layer)


def make_codec(weights: Weights, config: Mapping[str, Any] | None = None) -> Codec:
    """Make a codec from its weights and its configuration, the family's name among it.

    Without one from what a file in VampNet's format tells. A `ModelError` if they do not fit each
    other, or the family is unknown.
    """
    if config is None:
        kwargs = weights.settings("a codec")
        family = "dac-mrf" if any(".mrf_blocks." in name for name in weights.state) else "dac"
        config = {"family": family, **kwargs}
    settings = dict(config)
    family = settings.pop("family", None)
    if not isinstance(family, str):
        raise ModelError(f"{weights.path}: its configuration names no codec family")
    make = codecs.get(family)
    codec = _filled(make, settings, weights)
    state = codec.state_dict()
    plain = [value for part in codec.modules() for value in vars(part).values()]
    unfinished = any(isinstance(one, Tensor) and one.is_meta for one in [*codec.buffers(), *plain])
    if unfinished and not any(one.is_meta for one in state.values()):
        # what is in no file, such as an analysis window, only the constructor can work out
        codec = make(**settings)
        remove_weight_norm(codec)
        codec.load_state_dict(state)
    codec.config = dict(config)
    made: Codec = codec.eval().requires_grad_(False)
    return made


def make_model(weights: Weights, codec: Codec, config: Mapping[str, Any] | None = None) -> VampNet:
    """Make a token model from its weights, its configuration and the codec's codebooks.

    Without a configuration from what a file in VampNet's format tells. A `ModelError` if they do
    not fit each other.
    """
    if config is None:
        kwargs = weights.settings("a token model")
        unsupported = [name for name in _CONDITIONS if kwargs.get(name)]
        if unsupported or kwargs.get("noise_mode", "mask") != "mask":
            name = unsupported[0] if unsupported else "noise_mode"
            raise ModelError(
                f"{weights.path} was made with {name}={kwargs[name]!r}, which is not supported",
                hint="use a model that is conditioned on its tokens alone",
            )
        known = inspect.signature(VampNet).parameters.keys() - {"latents"}
        config = {name: kwargs[name] for name in kwargs if name in known}
    model = _filled(VampNet, config, weights)
    try:
        model.bind(codec.codebooks[: model.n_codebooks])
    except ValueError as error:
        raise ModelError(
            f"{weights.path} does not fit the codec: {error}", hint="keep a model's files together"
        ) from error
    return model.eval().requires_grad_(False)


def _filled(make: Callable[..., Made], settings: Mapping[str, Any], weights: Weights) -> Made:
    """Make a model of plain weights, without memory until all of them are known to fit."""
    path = weights.path
    try:
        state = fold(weights.state)
    except KeyError as error:
        raise ModelError(f"{path} lacks {error}, which belongs to others") from error
    except RuntimeError as error:
        raise ModelError(f"{path} holds weights that do not fit together") from error
    for name, value in settings.items():
        _check_setting(path, name, value, len(state))
    try:
        with torch.device("meta"), _ShapesOnly(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")
            module = make(**settings)
            remove_weight_norm(module)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise ModelError(
            f"the configuration of {path} makes no model: {error}", hint=_AS_PUBLISHED
        ) from error
    expected = module.state_dict()
    for name, value in expected.items():
        if name not in state:
            raise ModelError(f"{path} lacks '{name}', which its configuration asks for")
        if state[name].shape != value.shape:
            raise ModelError(
                f"{path}: '{name}' is {list(state[name].shape)}, where the configuration "
                f"asks for {list(value.shape)}"
            )
    extra = next((name for name in state if name not in expected), None)
    if extra is not None:
        raise ModelError(f"{path} has '{extra}', for which its configuration has no place")
    module.load_state_dict(state, assign=True)
    return module


class _ShapesOnly(TorchFunctionMode):
    """Skips what only decides the values of tensors that have no memory.

    PyTorch would work out in Python what becomes of them, and load its compiler for that, which
    takes longer than everything else about loading a small model.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        if func is torch.norm_except_dim:
            weight, _, dim = args
            return torch.empty([n if axis == dim else 1 for axis, n in enumerate(weight.shape)])
        if func is torch._weight_norm:
            return torch.empty(args[0].shape)
        return func(*args, **kwargs)


def _check_setting(path: Path, name: str, value: object, n_tensors: int) -> None:
    """Refuse a setting that could only be meant to exhaust memory or time."""
    numbers = value if isinstance(value, (list, tuple)) else [value]
    is_count = name.startswith("n_") or name.endswith("_layers")
    largest = n_tensors if is_count else LARGEST_SETTING
    sensible = len(numbers) <= _MOST_STAGES and all(
        one is None or (isinstance(one, (int, float)) and 0 <= one <= largest) for one in numbers
    )
    if not sensible:
        raise ModelError(f"the configuration of {path} has {name}={value!r:.80}, which is wrong")
