"""From weights files to models, each checked before anything of its size is allocated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vampprompt.errors import ModelError
from vampprompt.models.codecs import CodecModule, codecs
from vampprompt.models.folding import StateDict, fold_lora, fold_weight_norm, remove_weight_norm
from vampprompt.models.transformer import VampNet
from vampprompt.models.weights import Weights, describe, read_pth

__all__ = ["load_codec", "load_model", "make_codec", "make_model", "original_model", "with_lora"]

_LARGEST_SETTING = 1 << 17
_MOST_STAGES = 16
_TOKEN_MODEL_SETTINGS = {
    "n_codebooks",
    "n_conditioning_codebooks",
    "embedding_dim",
    "n_heads",
    "n_layers",
    "vocab_size",
    "latent_dim",
    "dropout",
}
# Settings of the original that ask for layers which no released model has.
_CONDITIONS = ("r_cond_dim", "cond_dim", "ctrl_dims")

Made = TypeVar("Made")


def load_codec(path: str | Path, *, shapes_only: bool = False) -> CodecModule:
    """Read a codec in VampNet's file format, or one without its weights.

    Raises
    ------
    ModelError
        If the file is no such codec; the message says what it is.
    """
    weights = read_pth(Path(path), shapes_only=shapes_only)
    _expect("a codec", weights)
    family = "dac-mrf" if any(".mrf_blocks." in name for name in weights.state) else "dac"
    return make_codec(weights, {"family": family, **_kwargs(weights)})


def load_model(path: str | Path, codec: CodecModule, *, lora: str | Path | None = None) -> VampNet:
    """Read a token model, coarse or fine, in VampNet's file format.

    Parameters
    ----------
    path : str or Path
        The ``.pth`` file; low-rank updates in it are folded into the weights.
    codec : CodecModule
        The codec whose tokens the model was trained on.
    lora : str or Path, optional
        A file with nothing but low-rank updates, which replace those of `path`.

    Raises
    ------
    ModelError
        If a file is no such model, or does not fit the codec.
    """
    weights = read_pth(Path(path))
    if lora is not None:
        weights = with_lora(weights, read_pth(Path(lora)))
    return original_model(weights, codec)


def original_model(weights: Weights, codec: CodecModule) -> VampNet:
    """Make a token model from the content of a file in VampNet's format.

    Raises
    ------
    ModelError
        If it is no such model, or does not fit the codec.
    """
    _expect("a token model", weights)
    kwargs = _kwargs(weights)
    unsupported = [name for name in _CONDITIONS if kwargs.get(name)]
    if unsupported or kwargs.get("noise_mode", "mask") != "mask":
        setting = unsupported[0] if unsupported else "noise_mode"
        raise ModelError(
            f"{weights.path} was made with {setting}={kwargs[setting]!r}, which is not supported",
            hint="use a model that is conditioned on its tokens alone",
        )
    return make_model(
        weights, {name: kwargs[name] for name in kwargs if name in _TOKEN_MODEL_SETTINGS}, codec
    )


def with_lora(weights: Weights, lora: Weights) -> Weights:
    """Return a model's weights with the low-rank updates of another file.

    Raises
    ------
    ModelError
        If the updates are of another model.
    """
    if not lora.is_lora:
        raise ModelError(
            f"{lora.path} holds {describe(lora.state)}, not only low-rank updates (LoRA)",
            hint="give a whole model as a fine-tune, under loras/<name>/",
        )
    for name in lora.state:
        if name.rpartition(".")[0] + ".weight" not in weights.state:
            raise ModelError(f"{lora.path} updates '{name}', which {weights.path} does not have")
    return Weights(weights.path, {**weights.state, **lora.state}, weights.kwargs)


def make_codec(weights: Weights, config: Mapping[str, Any]) -> CodecModule:
    """Make a codec from its weights and its configuration, the family's name among it.

    Raises
    ------
    ModelError
        If they do not fit each other, or the family is unknown.
    """
    settings = dict(config)
    family = settings.pop("family", None)
    if not isinstance(family, str):
        raise ModelError(f"{weights.path}: its configuration names no codec family")
    make = codecs.get(family)
    state = _folded(weights)
    codec: Any = _skeleton(make, settings, weights, state)
    _check_fit(codec, weights, state)
    codec.load_state_dict(state, assign=True)
    has_values = not any(one.is_meta for one in state.values())
    if has_values and _is_unfinished(codec):
        # what is in no file, such as an analysis window, only the constructor can work out
        codec = make(**settings)
        remove_weight_norm(codec)
        codec.load_state_dict(state)
    codec.config = dict(config)
    codec.eval().requires_grad_(False)
    made: CodecModule = codec
    return made


def make_model(weights: Weights, config: Mapping[str, Any], codec: CodecModule) -> VampNet:
    """Make a token model from its weights, its configuration and the codec's codebooks.

    Raises
    ------
    ModelError
        If they do not fit each other.
    """
    state = _folded(weights)
    model = _skeleton(VampNet, config, weights, state)
    _check_fit(model, weights, state)
    model.load_state_dict(state, assign=True)
    try:
        model.bind(codec.codebooks[: model.n_codebooks])
    except ValueError as error:
        raise ModelError(
            f"{weights.path} does not fit the codec: {error}", hint="keep a model's files together"
        ) from error
    return model.eval().requires_grad_(False)


def _expect(what: str, weights: Weights) -> None:
    found = describe(weights.state)
    if found != what:
        raise ModelError(f"{weights.path} holds {found}, where {what} is needed")


def _kwargs(weights: Weights) -> dict[str, Any]:
    if weights.kwargs is None:
        raise ModelError(
            f"{weights.path} holds weights, but does not say how the model is built",
            hint="give the file as it was published, with its metadata",
        )
    return weights.kwargs


def _folded(weights: Weights) -> StateDict:
    try:
        return fold_weight_norm(fold_lora(weights.state))
    except KeyError as error:
        raise ModelError(f"{weights.path} lacks {error}, which belongs to others") from error
    except RuntimeError as error:
        raise ModelError(f"{weights.path} holds weights that do not fit together") from error


def _skeleton(
    make: Callable[..., Made], settings: Mapping[str, Any], weights: Weights, state: StateDict
) -> Made:
    """Make a model without memory behind its weights."""
    for name, value in settings.items():
        _check_setting(weights.path, name, value, len(state))
    try:
        with torch.device("meta"), _ShapesOnly(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")
            made = make(**settings)
            if isinstance(made, nn.Module):
                remove_weight_norm(made)
            return made
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise ModelError(
            f"the configuration of {weights.path} makes no model: {error}",
            hint="give the file as it was published",
        ) from error


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
    largest = n_tensors if is_count else _LARGEST_SETTING
    sensible = len(numbers) <= _MOST_STAGES and all(
        one is None or (isinstance(one, (int, float)) and 0 <= one <= largest) for one in numbers
    )
    if not sensible:
        raise ModelError(f"the configuration of {path} has {name}={value!r:.80}, which is wrong")


def _is_unfinished(module: nn.Module) -> bool:
    """Return whether a module without memory has tensors that its state dict did not bring."""
    plain = [value for part in module.modules() for value in vars(part).values()]
    return any(isinstance(one, Tensor) and one.is_meta for one in [*module.buffers(), *plain])


def _check_fit(module: Any, weights: Weights, state: StateDict) -> None:
    expected: Mapping[str, Tensor] = module.state_dict()
    for name, value in expected.items():
        if name not in state:
            raise ModelError(f"{weights.path} lacks '{name}', which its configuration asks for")
        if state[name].shape != value.shape:
            raise ModelError(
                f"{weights.path}: '{name}' is {list(state[name].shape)}, where the configuration "
                f"asks for {list(value.shape)}"
            )
    extra = next((name for name in state if name not in expected), None)
    if extra is not None:
        raise ModelError(f"{weights.path} has '{extra}', for which its configuration has no place")
