"""Weights files: VampNet's ``.pth`` and safetensors, saying what is wrong with one, and folding.

A model is made from a file's weights without memory behind it first, so that each is checked
before anything of its size is allocated.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vampprompt.errors import ModelError
from vampprompt.language import Registry
from vampprompt.models.dac import DacCodec, DacMrfCodec, quiet
from vampprompt.models.layout import (
    check_file,
    check_settings,
    damaged,
    named_in_utf8,
    safetensors_shapes,
    told,
)
from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.pickled import StoredTensor, read_pickled, read_stored
from vampprompt.models.spectral import SpectralCodec
from vampprompt.models.transformer import VampNet
from vampprompt.protocols import Codec

__all__ = ["Weights", "codecs", "make_codec", "make_model", "read_weights", "remove_weight_norm"]

StateDict: TypeAlias = dict[str, Tensor]
Made = TypeVar("Made", bound=nn.Module)

codecs: Registry[Callable[..., Any]] = Registry("codec", "vampprompt.codecs", ModelError, nn.Module)
"""Codecs by the family that a model's configuration names, those of packages included.

Each is called with the family's own settings, and returns an `nn.Module`.

>>> list(codecs)
['dac', 'dac-mrf', 'phaseless', 'spectral']
"""
codecs.register("dac", DacCodec)
codecs.register("dac-mrf", DacMrfCodec)
codecs.register("spectral", SpectralCodec)
codecs.register("phaseless", PhaselessCodec)

_AS_PUBLISHED = "give the file as it was published"
# Of what training needs and sampling does not, none is there without the other.
_PAIRS = {"weight_g": "weight_v", "weight_v": "weight_g", "lora_A": "lora_B", "lora_B": "lora_A"}
_FLOATS = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
_FLOATS |= {getattr(torch, name) for name in dir(torch) if name.startswith("float8_")}
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

    Nothing in the file is ever run, and what it describes has a bound. With `shapes_only` no
    values are read: the tensors are then on the device ``meta``. A `ModelError` if the file is
    missing, truncated, or anything but tensors and plain metadata.
    """
    check_file(path)
    if path.suffix == ".safetensors":
        return Weights(path, _plain(path, _safetensors(path, shapes_only), shapes_only))
    content, kwargs = read_pickled(path), None
    if isinstance(content, dict) and "state_dict" in content:
        metadata, content = content.get("metadata"), content["state_dict"]
        kwargs = metadata.get("kwargs") if isinstance(metadata, dict) else None
    if not isinstance(content, dict) or not content:
        raise ModelError(f"{path} holds no weights but {type(content).__name__}")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, StoredTensor):
            kind = type(value).__name__
            raise ModelError(f"{path} holds no state dict: {reprlib.repr(name)} is {kind}")
    if not isinstance(kwargs, dict):
        kwargs = None
    elif not all(isinstance(name, str) for name in kwargs):
        raise ModelError(f"{path} tells of an argument whose name is no text")
    if shapes_only:
        with told(path):
            state = {
                name: torch.empty(one.size, dtype=one.storage.dtype, device="meta")
                for name, one in content.items()
            }
    else:
        state = read_stored(path, content)
    return Weights(path, _plain(path, state, shapes_only), kwargs)


def _safetensors(path: Path, shapes_only: bool) -> StateDict:
    from safetensors.torch import load_file

    shapes = safetensors_shapes(path)
    with told(path), named_in_utf8(path) as name:
        if not shapes_only:
            return load_file(name)
        return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def _plain(path: Path, state: StateDict, shapes_only: bool) -> StateDict:
    """Return a state dict as float32, if it is one of finite floating point numbers."""
    if not state:
        raise ModelError(f"{path} holds no weights")
    plain = {}
    n_left = path.stat().st_size
    for name, value in state.items():
        if value.dtype not in _FLOATS:
            raise ModelError(f"{path}: '{name}' holds {value.dtype}, which no weights are")
        # views of one small storage could claim to be tensors of any size
        n_left -= value.numel()
        if n_left < 0:
            raise damaged(path, "its tensors are larger than the file")
        with told(path):
            plain[name] = value.detach().float()
            if not shapes_only and not plain[name].isfinite().all():
                what = f"{path}: '{name}' holds infinite weights"
                raise ModelError(what, hint="download it again")
    return plain


def fold(state: Mapping[str, Tensor]) -> StateDict:
    """Return a state dict of plain weights, of what training needs and sampling does not.

    Each `weight_g` and `weight_v` become a `weight`. Each low-rank update [1]_ is added to its
    weight: ``lora_B @ lora_A / rank``, as VampNet trains it (with alpha 1). A `KeyError` if one of
    two is there without the other, or an update without its weight; a `ValueError` if their
    shapes do not fit each other, so that nothing becomes larger than what is there.

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
            per_channel = [*value.shape[:1], *[1] * (value.dim() - 1)]
            _require(value.dim() > 0 and list(other.shape) == per_channel, name, value)
            folded[f"{layer}.weight"] = value * (other / torch.norm_except_dim(value, 2, 0))
        elif kind == "lora_A":
            _require(value.dim() == other.dim() == 2 and len(value) > 0, name, value)
            _require(other.shape[1] == len(value), name, value)
            updates[f"{layer}.weight"] = value, other
    for name, (down, up) in updates.items():
        _require([*folded[name].shape] == [len(up), down.shape[1]], name, folded[name])
        folded[name] = folded[name] + up @ down / len(down)
    return folded


def _require(fits: bool, name: str, value: Tensor) -> None:
    if not fits:
        raise ValueError(f"'{name}' is {list(value.shape)}, which does not fit its update or norm")


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
        config = {**kwargs, "family": family}
    check_settings(weights.path, "codec", config)
    settings = dict(config)
    make = codecs.get(settings.pop("family"))
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
    known = inspect.signature(VampNet).parameters.keys() - {"latents"}
    if config is None:
        kwargs = weights.settings("a token model")
        unsupported = [name for name in _CONDITIONS if kwargs.get(name)]
        if unsupported or kwargs.get("noise_mode", "mask") != "mask":
            name = unsupported[0] if unsupported else "noise_mode"
            value = reprlib.repr(kwargs[name])
            raise ModelError(
                f"{weights.path} was made with {name}={value}, which is not supported",
                hint="use a model that is conditioned on its tokens alone",
            )
        config = {name: kwargs[name] for name in kwargs if name in known}
    unknown = next((name for name in config if name not in known), None)
    if unknown is not None:
        raise ModelError(f"the configuration of {weights.path} has {unknown}, which no model takes")
    check_settings(weights.path, "token model", config)
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
    except ValueError as error:
        raise ModelError(f"{path} holds weights that do not fit together: {error}") from error
    for name, value in settings.items():
        # each codebook or layer has a tensor of its own, and takes time to make
        is_count = name.startswith("n_") or name.endswith("_layers")
        if is_count and isinstance(value, (int, float)) and value > len(state):
            raise ModelError(f"the configuration of {path} has {name}={value}, which is wrong")
    try:
        with torch.device("meta"), _ShapesOnly(), quiet():
            module = make(**settings)
            remove_weight_norm(module)
    except Exception as error:  # what a codec of another package makes of its settings, too
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
    made = state.keys() - weights.state.keys()
    if not all(state[name].is_meta or state[name].isfinite().all() for name in made):
        raise ModelError(f"{path} holds weights that make infinite ones", hint=_AS_PUBLISHED)
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
