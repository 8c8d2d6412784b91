"""All that composing needs: a codec, a coarse model and a fine one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from vampprompt.errors import ModelError, did_you_mean
from vampprompt.models import folders, hub
from vampprompt.models.codecs import CodecModule
from vampprompt.models.devices import device_of, dtype_of, resolve_device, resolve_dtype
from vampprompt.models.transformer import VampNet
from vampprompt.protocols import Codec, TokenModel

__all__ = ["STARTER", "Bundle", "find_folder", "load", "outline", "starter_folder"]

STARTER = "starter"


@dataclass(frozen=True)
class Bundle:
    """A codec and the token models that were trained on its tokens.

    Attributes
    ----------
    codec : Codec
        Audio to tokens and back.
    coarse : TokenModel
        Makes the first codebooks.
    fine : TokenModel
        Makes the others from them.
    name : str
        What `load` was given.
    identity : str
        Short hash of all weights: the same weights have the same in whichever file they lie.
    finetune, lora : str or None
        What else `load` was given.
    licence : str or None
        Of the weights, where it is known.

    Examples
    --------
    >>> import vampprompt as vp
    >>> bundle = vp.load("starter")
    >>> bundle.codec.sample_rate, bundle.n_codebooks, bundle.coarse.n_codebooks
    (44100, 9, 4)
    """

    codec: Codec
    coarse: TokenModel
    fine: TokenModel
    name: str
    identity: str
    finetune: str | None = None
    lora: str | None = None
    licence: str | None = None

    @property
    def n_codebooks(self) -> int:
        """Codebooks that are composed: those of the fine model."""
        return self.fine.n_codebooks

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return device_of(self.coarse)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the token models."""
        return dtype_of(self.coarse)

    @property
    def reference(self) -> dict[str, str | None]:
        """What a recipe says of the model: arguments of `load` that matter, and its identity."""
        return {
            "name": self.name,
            "identity": self.identity,
            "finetune": self.finetune,
            "lora": self.lora,
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    def to(self, device: str | torch.device, dtype: torch.dtype | None = None) -> Bundle:
        """Move the models, and return the bundle.

        Parameters
        ----------
        device : str or device
            Where to.
        dtype : dtype, optional
            For the token models, such as ``torch.bfloat16``; the codec stays as it is.
        """
        for model in (self.coarse, self.fine):
            if isinstance(model, nn.Module):
                model.to(device, dtype)
        if isinstance(self.codec, nn.Module):
            self.codec.to(device)
        return self

    def save(self, folder: str | Path, *, half: bool = False) -> None:
        """Write the models in our layout, config.json and safetensors, whole or not at all.

        Parameters
        ----------
        folder : str or Path
            Must not exist, or be empty.
        half : bool
            Whether to round the weights to half precision.

        Raises
        ------
        ModelError
            If the folder is there already, or cannot be written.
        """
        parts = folders.Parts(
            cast(CodecModule, self.codec),
            cast(VampNet, self.coarse),
            cast(VampNet, self.fine),
            self.licence,
        )
        folders.write(Path(folder), parts, Path(self.name).name, half=half)


def load(
    name: str | Path = STARTER,
    *,
    finetune: str | None = None,
    lora: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: str | torch.dtype = "auto",
    on_notice: Callable[[str], None] | None = None,
) -> Bundle:
    """Load a model.

    Parameters
    ----------
    name : str or Path
        ``starter``, which comes with the package; a folder with VampNet's files or with
        converted ones; or a repository on the Hugging Face hub such as ``hugggof/vampnet``,
        downloaded once.
    finetune : str, optional
        Name of a fine-tune of that folder or repository.
    lora : str or Path, optional
        A file with low-rank updates of the coarse or the fine model.
    device : str or device
        Where to put the models; ``auto`` for the fastest device there is.
    dtype : str or dtype
        What the token models compute in: ``float32``; ``bfloat16``, which is faster where the
        device has it, and rounds more; or ``auto`` for bfloat16 on a CUDA device and float32
        elsewhere. The codec always computes in float32.
    on_notice : callable, optional
        Called with the weights' licence before a download.

    Raises
    ------
    ModelError
        If there is no such model, device or precision, or its files cannot be used.

    Examples
    --------
    >>> load("starter").name
    'starter'
    """
    chosen = resolve_device(device)
    precision = resolve_dtype(dtype, chosen)
    folder = find_folder(str(name), finetune=finetune, on_notice=on_notice)
    parts = folders.read(folder, finetune=finetune, lora=None if lora is None else Path(lora))
    bundle = Bundle(
        parts.codec,
        parts.coarse,
        parts.fine,
        str(name),
        _identity(parts),
        finetune,
        None if lora is None else str(lora),
        parts.licence or hub.LICENCES.get(str(name)),
    )
    return bundle.to(chosen, precision)


def outline(
    name: str | Path = STARTER, *, on_notice: Callable[[str], None] | None = None
) -> Bundle:
    """Load a model without its weights: all that `vampprompt.context_of` needs.

    Parameters
    ----------
    name : str or Path
        As for `load`.
    on_notice : callable, optional
        As for `load`.

    Raises
    ------
    ModelError
        If there is no such model, or its files cannot be used.

    Examples
    --------
    >>> outline("starter").codec.hop_length
    768
    """
    parts = folders.read(find_folder(str(name), on_notice=on_notice), shapes_only=True)
    licence = parts.licence or hub.LICENCES.get(str(name))
    return Bundle(parts.codec, parts.coarse, parts.fine, str(name), identity="", licence=licence)


def starter_folder() -> Path:
    """Return where the bundled checkpoint lies."""
    return Path(__file__).parent / STARTER


def find_folder(
    name: str,
    *,
    finetune: str | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Path:
    """Return the folder of a model's files, downloading them if need be; as `load` does.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    path = Path(name)
    if name == STARTER:
        return starter_folder()
    if name and path.is_dir():
        return path
    if path.is_file():
        raise ModelError(f"{name} is a file", hint=f"give its folder: --model {path.parent}")
    if hub.is_repository(name):
        return hub.fetch(name, finetune=finetune, on_notice=on_notice)
    raise ModelError(
        f"there is no model '{name}'",
        hint=did_you_mean(name, [STARTER])
        or f"give '{STARTER}', a folder, or a repository such as {hub.VAMPNET}",
    )


def _identity(parts: folders.Parts) -> str:
    modules: dict[str, Any] = {"codec": parts.codec, "coarse": parts.coarse, "fine": parts.fine}
    tensors = {
        f"{part}.{name}": value
        for part, module in modules.items()
        for name, value in module.state_dict().items()
    }

    def digest(name: str) -> bytes:
        value: Tensor = tensors[name].contiguous()
        hashed = hashlib.sha256(f"{name} {list(value.shape)} {value.dtype}\n".encode())
        hashed.update(cast(Any, value.numpy()))
        return hashed.digest()

    with ThreadPoolExecutor() as pool:
        digests = pool.map(digest, sorted(tensors))
        return hashlib.sha256(b"".join(digests)).hexdigest()[:16]
