"""All that composing needs: a codec, a coarse model and a fine one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, overload

import torch
from torch import Tensor, nn

from vampprompt.errors import ModelError, shown
from vampprompt.files import check_readable, scratch_folder
from vampprompt.models.files import make_codec, make_model, read_weights
from vampprompt.models.hub import LICENCES, find_folder
from vampprompt.models.layout import (
    CONFIG,
    FORMAT,
    OURS,
    PARTS,
    STARTER,
    VAMPNETS,
    Listing,
    check_defaults,
    named_in_utf8,
    starter_folder,
)
from vampprompt.models.windowed import first_weight
from vampprompt.protocols import Codec, TokenModel

__all__ = ["Bundle", "load", "outline", "starter_folder"]

_DTYPES = {str(one).removeprefix("torch."): one for one in (torch.float32, torch.bfloat16)}


class _Identity:
    """The identity of a bundle's weights as they are: worked out anew once they were changed."""

    @overload
    def __get__(self, bundle: None, kind: type[Bundle]) -> _Identity: ...
    @overload
    def __get__(self, bundle: Bundle, kind: type[Bundle]) -> str: ...
    def __get__(self, bundle: Bundle | None, kind: type[Bundle]) -> _Identity | str:
        if bundle is None:
            raise AttributeError  # what a field says that has no default
        identity, marks = vars(bundle)["_identity"]
        if not identity or marks != bundle._marks:
            self.__set__(bundle, _digest(bundle))
            identity, _ = vars(bundle)["_identity"]
        return cast(str, identity)

    def __set__(self, bundle: Bundle, identity: str) -> None:
        vars(bundle)["_identity"] = identity, bundle._marks if identity else []


@dataclass(frozen=True, repr=False)
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
        It is that of float32, which others are rounded from; once the weights are changed in
        place, it is that of what they became.
    finetune, lora : str or None
        What else `load` was given.
    licence : str or None
        Of the weights, where it is known.
    defaults : mapping
        Texts of the ``sampler`` and the ``fine_sampler`` that suit it, or of one, or none:
        what composing takes where the user says nothing.

    Raises
    ------
    ModelError
        If a default is no text, or of something else.

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
    identity: _Identity = _Identity()
    finetune: str | None = None
    lora: str | None = None
    licence: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_defaults(f"the model '{self.name}'", self.defaults)

    def __repr__(self) -> str:
        return f"<Bundle: {shown(self.name, 60)} on {self.device} in {self.reference['dtype']}>"

    @property
    def n_codebooks(self) -> int:
        """Codebooks that are composed: those of the fine model."""
        return self.fine.n_codebooks

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return first_weight(self.coarse).device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the token models."""
        return first_weight(self.coarse).dtype

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

    @property
    def _modules(self) -> dict[str, Any]:
        return {part: getattr(self, part) for part in PARTS}

    @property
    def _tensors(self) -> dict[str, Tensor]:
        """All weights, by part and name; none of models that are not of PyTorch."""
        return {
            f"{part}.{name}": value
            for part, module in self._modules.items()
            if isinstance(module, nn.Module)
            for name, value in module.state_dict().items()
        }

    @property
    def _marks(self) -> list[Any]:
        """What changes with the weights, and takes far less time than a hash of them."""
        return [_mark(value) for value in self._tensors.values() if not value.is_meta]

    def to(self, device: str | torch.device, dtype: torch.dtype | None = None) -> Bundle:
        """Move the models, and return the bundle.

        Parameters
        ----------
        device : str or device
            Where to.
        dtype : dtype, optional
            For the token models, one that `load` takes; the codec stays as it is.

        Raises
        ------
        ModelError
            If there is no such device or precision.
        """
        chosen = resolve_device(device)
        precision = self.dtype if dtype is None else resolve_dtype(dtype, chosen)
        identity, is_exact = self.identity, precision == self.dtype or self.dtype == torch.float32
        for part, model in self._modules.items():
            if isinstance(model, nn.Module):
                model.to(chosen, None if part == "codec" else precision)
        if is_exact:
            # what is rounded from float32 is known by it, and what was rounded once stays so
            object.__setattr__(self, "identity", identity)
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
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        folder, dtype = Path(folder), torch.float16 if half else torch.float32
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(f"{folder} exists already", hint="name a new folder")
        config = {"format": FORMAT, "name": Path(self.name).name, "licence": self.licence}
        config |= {"defaults": dict(self.defaults)} if self.defaults else {}
        config |= {part: module.config for part, module in self._modules.items()}
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with scratch_folder(folder.parent) as scratch, named_in_utf8(scratch) as named:
                for part, module in self._modules.items():
                    state = module.state_dict().items()
                    plain = {key: value.to("cpu", dtype).contiguous() for key, value in state}
                    save_file(plain, named / f"{part}.safetensors")
                text = json.dumps(config, indent=2) + "\n"
                (scratch / CONFIG).write_text(text, encoding="utf-8")
                if folder.exists():
                    folder.rmdir()
                scratch.rename(folder)
        except (OSError, ValueError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or f"{error}"
            is_full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in reason
            reason = "the disk is full" if is_full else reason
            raise ModelError(f"cannot write {folder}: {reason}") from error


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
        Name of a fine-tune of that folder or repository: whole models, or low-rank updates.
        ``none``, here and for `lora`, is as good as None.
    lora : str or Path, optional
        A file with low-rank updates, for the model that has just those layers; where both have,
        for the fine one if the file is called c2f or fine, else for the coarse one.
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
    finetune = None if finetune == "none" else finetune
    lora = None if lora is None or str(lora) == "none" else str(lora)
    return _read(str(name), on_notice, finetune, lora).to(chosen, precision)


def outline(
    name: str | Path = STARTER, *, on_notice: Callable[[str], None] | None = None
) -> Bundle:
    """Load a model without its weights: all that `vampprompt.prepare` needs.

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
    return _read(str(name), on_notice, shapes_only=True)


def _read(
    name: str,
    on_notice: Callable[[str], None] | None,
    finetune: str | None = None,
    lora: str | None = None,
    shapes_only: bool = False,
) -> Bundle:
    """Read a model in either layout; with `shapes_only` its tensors are on the device ``meta``."""
    folder = find_folder(name, finetune=finetune, on_notice=on_notice)
    listing = Listing.of_folder(str(folder), folder, LICENCES.get(name))
    if listing.missing:
        missing = folder / listing.missing[0]
        if os.path.lexists(missing):
            check_readable(missing, ModelError)
        raise ModelError(
            f"{folder} has no {listing.missing[0]}",
            hint=f"a model's folder has {', '.join(VAMPNETS)}, or {', '.join(OURS)}",
        )
    if listing.layout == OURS and (finetune, lora) != (None, None):
        raise ModelError(
            f"{folder} is a converted model, which takes no fine-tunes",
            hint="name the folder or repository that it was converted from",
        )
    weights = {
        part: read_weights(folder / file, shapes_only=shapes_only)
        for part, file in zip(PARTS, listing.layout[-len(PARTS) :], strict=True)
    }
    for file in listing.finetune(finetune):
        part, tuned = PARTS[VAMPNETS.index(Path(file).name)], read_weights(folder / file)
        weights[part] = weights[part].updated(tuned) if tuned.is_lora else tuned
    if lora is not None:
        updates = read_weights(Path(lora))
        # whose updated layers are just those; the coarse one where neither's or both's are
        fits = [
            updates.state.keys() == {name for name in weights[part].state if ".lora_" in name}
            for part in PARTS[1:]
        ]
        is_fine = fits[1] and (updates.path.stem.startswith(("c2f", "fine")) or not fits[0])
        part = "fine" if is_fine else "coarse"
        weights[part] = weights[part].updated(updates)
    config = listing.config
    codec = make_codec(weights["codec"], config.get("codec"))
    coarse, fine = (make_model(weights[one], codec, config.get(one)) for one in PARTS[1:])
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
    defaults = config.get("defaults", {})
    return Bundle(codec, coarse, fine, name, "", finetune, lora, listing.licence, defaults)


_WHOLE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}


def _mark(value: Tensor) -> tuple[float, ...]:
    """Return what changes with a tensor: its place, its version, and the sums of its values.

    Changes through ``.data`` have no version. A sum of bits tells of any one of them, and a sum
    of numbers of those that a sum of bits does not, such as turning all signs over.
    """
    whole = _WHOLE[value.element_size()]
    bits = value.view(whole).sum(dtype=whole).item()
    total = value.sum().item() if value.is_floating_point() else 0
    version = 0 if value.is_inference() else value._version
    return value.data_ptr(), version, bits, total


def _digest(bundle: Bundle) -> str:
    tensors = bundle._tensors
    if any(value.is_meta for value in tensors.values()):
        return ""  # of an outline

    def digest(name: str) -> bytes:
        value = tensors[name]
        hashed = hashlib.sha256(f"{name} {list(value.shape)} {value.dtype}\n".encode())
        hashed.update(cast(Any, value.cpu().reshape(-1).view(torch.uint8).numpy()))
        return hashed.digest()

    with ThreadPoolExecutor() as pool:
        digests = pool.map(digest, sorted(tensors))
        return hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device of a name, ``auto`` being the fastest there is."""
    if device == "auto":
        here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        device = next((name for name, is_here in here.items() if is_here), "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"there is no device '{device}' here", hint="use auto or cpu") from error
    return chosen


def resolve_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    """Return the precision of a name, ``auto`` being bfloat16 on a CUDA device that has it."""
    if dtype == "auto":
        is_fast = device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        return torch.bfloat16 if is_fast else torch.float32
    name = str(dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise ModelError(
            f"there is no precision '{name}' here", hint=f"use auto, {' or '.join(_DTYPES)}"
        )
    return _DTYPES[name]
