"""What `torch.save` writes, read without running any of it.

A pickle is a program for a small machine that can call whatever it likes. Here its steps are gone
through one by one, those alone are done that state dicts and plain settings need, and each makes
at most one small value: nothing is called, and the number of steps bounds memory and time.
"""

from __future__ import annotations

import io
import math
import pickletools
import sys
import zipfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vampprompt.errors import ModelError
from vampprompt.models.layout import MOST_AXES, damaged, told

__all__ = ["StoredTensor", "read_pickled", "read_stored"]

# Far more than there is in any model's file beside the weights themselves.
_MOST_BYTES, _MOST_STEPS, _LARGEST = 16 << 20, 1 << 20, 1 << 48
_AS_PLAIN = "ask its publisher for the state dict alone, or for safetensors"
_STORAGES = {
    "torch DoubleStorage": torch.float64,
    "torch FloatStorage": torch.float32,
    "torch HalfStorage": torch.float16,
    "torch BFloat16Storage": torch.bfloat16,
    "torch LongStorage": torch.int64,
    "torch IntStorage": torch.int32,
    "torch ShortStorage": torch.int16,
    "torch CharStorage": torch.int8,
    "torch ByteStorage": torch.uint8,
    "torch BoolStorage": torch.bool,
    "torch ComplexFloatStorage": torch.complex64,
    "torch ComplexDoubleStorage": torch.complex128,
}
_DICT = "collections OrderedDict"
_TENSOR, _PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
_KNOWN = {_DICT, _TENSOR, _PARAMETER, *_STORAGES}
_PLAIN = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class _Named:
    """A class or a function, which only its name is known of."""

    name: str


@dataclass(frozen=True)
class _Storage:
    dtype: torch.dtype
    record: str
    length: int


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies, in elements of a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __repr__(self) -> str:
        return "a tensor"


class _Sparing(io.FileIO):
    """A file of which no part is read at once that is too large to be an archive's directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_BYTES:
            raise ValueError("its directory is too large")
        return super().read(size) or b""


def read_pickled(path: Path) -> Any:
    """Return what a file of `torch.save` holds, with a `StoredTensor` in place of each tensor.

    A `ModelError` if the file is none, or holds more than dictionaries, lists, tuples, numbers,
    texts and tensors.
    """
    names = _checked_names(path)
    with told(path), zipfile.ZipFile(path) as archive:
        name = next(name for name in names if name.endswith("/data.pkl"))
        folder = name.removesuffix("data.pkl")
        order = archive.read(f"{folder}byteorder") if f"{folder}byteorder" in names else b""
        if order and order.decode() != sys.byteorder:
            raise ValueError("its numbers are in another machine's order")
        return _Machine(path, folder).run(archive.read(name))


def read_stored(path: Path, places: dict[str, StoredTensor]) -> dict[str, Tensor]:
    """Return the tensors that lie there, by name."""
    read: dict[_Storage, Tensor] = {}
    with told(path), zipfile.ZipFile(path) as archive:
        for storage in {one.storage for one in places.values()}:
            if archive.getinfo(storage.record).file_size != storage.length * storage.dtype.itemsize:
                raise ValueError(f"{storage.record} is not as long as it says")
            content = bytearray(archive.read(storage.record))
            read[storage] = torch.empty(0, dtype=storage.dtype)
            if content:
                read[storage] = torch.frombuffer(content, dtype=storage.dtype)
        return {
            name: read[one.storage].as_strided(one.size, one.stride, one.offset)
            for name, one in places.items()
        }


def _checked_names(path: Path) -> list[str]:
    """Return the names in an archive; refuse what would take more memory than the file's size."""
    try:
        sparing = _Sparing(path)
        with sparing, zipfile.ZipFile(sparing) as archive:
            entries = archive.infolist()
    except Exception as error:  # as above
        with path.open("rb") as file:
            if file.read(2) == b"PK":
                raise damaged(path, "the file ends early") from error
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
    # torch.save compresses nothing: whatever is compressed is meant to unpack to something huge
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelError(f"{path} is compressed, as torch.save never does, and is not loaded")
    # entries may lie over each other, and two of one name are not the same to every reader
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise damaged(path, "it says that it holds more than the whole file")
    if len({name.lower() for name in names}) < len(names):
        raise damaged(path, "it holds two entries of one name")
    pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ModelError(f"{path} is a zip archive, but not one that torch.save wrote")
    if pickles[0].file_size > _MOST_BYTES:
        raise ModelError(f"{path} describes far more than any model has", hint=_AS_PLAIN)
    return names


class _Machine:
    """The stack and the memory of a pickle."""

    def __init__(self, path: Path, folder: str) -> None:
        self.path = path
        self.folder = folder
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, pickled: bytes) -> Any:
        """Go through all steps, and return what they make."""
        for step, argument, _ in islice(pickletools.genops(pickled), _MOST_STEPS):
            if step.name == "STOP":
                return self.stack.pop()
            self._do(step.name, argument)
        raise ModelError(f"{self.path} describes far more than any model has", hint=_AS_PLAIN)

    def _do(self, step: str, argument: Any) -> None:
        stack = self.stack
        if step in _PLAIN:
            if isinstance(argument, int) and abs(argument) >> 63:
                raise ValueError("a number of more than eight bytes")
            stack.append(argument)
        elif step in _CONSTANTS:
            stack.append(_CONSTANTS[step])
        elif step in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif step in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif step == "MARK":
            self.marks.append(len(stack))
        elif step in _TUPLES:
            stack.append(tuple(self._taken(len(stack) - _TUPLES[step])))
        elif step == "TUPLE":
            stack.append(tuple(self._taken(self.marks.pop())))
        elif step in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if step == "EMPTY_DICT" else [])
        elif step in ("APPEND", "APPENDS"):
            items = self._taken(len(stack) - 1 if step == "APPEND" else self.marks.pop())
            _of(list, stack[-1]).extend(items)
        elif step in ("SETITEM", "SETITEMS"):
            items = self._taken(len(stack) - 2 if step == "SETITEM" else self.marks.pop())
            # only what is quickly hashed: not tuples of tuples of tuples
            keys = [_of((str, int, float, type(None)), key) for key in items[::2]]
            _of(dict, stack[-1]).update(zip(keys, items[1::2], strict=True))
        elif step == "GLOBAL":
            stack.append(self._named(argument))
        elif step == "BINPERSID":
            _, kind, key, _, length = stack.pop()
            dtype = _STORAGES[_of(_Named, kind).name]
            record = f"{self.folder}data/{_of(str, key)}"
            stack.append(_Storage(dtype, record, *_counts((length,))))
        elif step == "REDUCE":
            arguments, called = _of(tuple, stack.pop()), _of(_Named, stack.pop())
            if any(arguments[6:]):  # flags, which say that signs are turned over
                raise self._odd_tensor(called.name)
            stack.append(_made(called.name, arguments))
        elif step == "BUILD":
            stack.pop()  # versions of modules, which nothing here reads
        elif step != "PROTO":
            raise ValueError(f"torch.save writes no {step}")

    def _taken(self, start: int) -> list[Any]:
        items = self.stack[start:]
        if start < 0:
            raise ValueError("a pickle that takes more than there is")
        del self.stack[start:]
        return items

    def _named(self, name: str) -> _Named:
        if name in _KNOWN:
            return _Named(name)
        if name.startswith("torch._utils _rebuild_"):
            raise self._odd_tensor(name)
        raise ModelError(
            f"{self.path} holds pickled Python code ({name.replace(' ', '.')}), which could do "
            "anything and is not loaded",
            hint=_AS_PLAIN,
        )

    def _odd_tensor(self, name: str) -> ModelError:
        what = f"a tensor of a kind that no state dict needs ({name.replace(' ', '.')})"
        hint = "save plain tensors of floating point numbers"
        return ModelError(f"{self.path} holds {what}", hint=hint)


def _of(kind: type[Any] | tuple[type[Any], ...], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} is where none can be")
    return value


def _counts(values: Any) -> tuple[int, ...]:
    for one in _of(tuple, values):
        if type(one) is not int or not 0 <= one < _LARGEST:
            raise ValueError("a tensor of an impossible size")
    return tuple(values)


def _made(name: str, arguments: tuple[Any, ...]) -> Any:
    """Return what a call of one of the few known functions gives."""
    if name == _DICT and not arguments:
        return {}
    if name == _PARAMETER:
        return _of(StoredTensor, arguments[0])
    if name != _TENSOR or len(arguments) not in (6, 7):
        raise ValueError(f"{name} is not called so by torch.save")
    storage = _of(_Storage, arguments[0])
    (offset,), size, stride = map(_counts, ((arguments[1],), *arguments[2:4]))
    if len(size) != len(stride) or len(size) > MOST_AXES:
        raise ValueError("a tensor of an impossible size")
    last = sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset + (1 + last if math.prod(size) else 0) > storage.length:
        raise ValueError("a tensor is larger than what is stored of it")
    return StoredTensor(storage, offset, size, stride)
