"""Files: only regular ones of a sensible size are read, and new ones appear whole or not at all."""

from __future__ import annotations

import codecs
import errno
import hashlib
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from vampprompt.errors import FileError, did_you_mean

FilePath: TypeAlias = str | os.PathLike[str]

# What people write by hand is far smaller; endless files are not.
MOST_TEXT = 16 * 2**20
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_LEFT_OVER = f".vampprompt-{_HOST}-"
_DAY = 24 * 3600


def check_readable(path: FilePath, error: type[FileError] = FileError) -> Path:
    """Return the path of a file that is there and is a regular one.

    Raises
    ------
    FileError
        Of the class given, if it is missing, a folder, a device or a pipe.
    """
    with _told("read", path, error):
        found = Path(path)
        if found.is_dir():
            raise error(f"'{found}' is a folder", hint="name a file in it")
        # Opening a pipe would wait for its other end, and reading a device might have no end.
        if found.exists() and not found.is_file():
            raise error(f"'{found}' is a device or a pipe, not a file")
        if not found.exists():
            if not found.parent.is_dir():
                hint = f"there is no folder '{found.parent}' either"
                raise error(f"there is no file '{found}'", hint=hint)
            near = did_you_mean(found.name, (other.name for other in found.parent.iterdir()))
            raise error(f"there is no file '{found}'", hint=near)
        with found.open("rb"):
            return found


def read_bytes(path: FilePath, most: int, error: type[FileError] = FileError) -> bytes:
    """Return the content of a file of at most so many bytes.

    Raises
    ------
    FileError
        Of the class given, if it cannot be read, or is larger.
    """
    with _told("read", path, error), check_readable(path, error).open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise error(f"'{path}' is larger than {most / 2**20:g} MiB", hint="is it the right file?")
    return content


def read_text(path: FilePath, error: type[FileError] = FileError, most: int = MOST_TEXT) -> str:
    """Return the text of a file: in UTF-8, or in UTF-16 if it says so in its first bytes.

    Raises
    ------
    FileError
        Of the class given, if it cannot be read, is larger than `most` bytes or is no text.
    """
    content = read_bytes(path, most, error)
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"'{path}' is not text", hint="save it as UTF-8") from None


def read_json(path: FilePath, error: type[FileError] = FileError, most: int = MOST_TEXT) -> Any:
    """Return what a JSON file says.

    Raises
    ------
    FileError
        Of the class given, if it cannot be read or is not JSON, also for a name that is given
        twice and for numbers that are none.
    """
    content = read_bytes(path, most, error)
    try:
        text = content.decode("utf-8-sig")  # the one encoding that JSON has between programs
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:
        raise error(f"'{path}' is not JSON: {wrong}") from wrong


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name is given twice")
    return content


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


@contextmanager
def atomic(path: FilePath, error: type[FileError] = FileError) -> Iterator[Path]:
    """Give a new file to fill, and let it take the place of `path` once all went well.

    The new file is in the same folder and has the same ending and, where one is replaced, its
    permissions. After an exception it is removed and what was at `path` before is untouched.

    Yields
    ------
    Path
        An empty file.

    Raises
    ------
    FileError
        Of the class given, if the folder does not exist or cannot be written to, or `path` is
        something else than a file.
    """
    with _told("write", path, error):
        path = Path(path).resolve()  # a link stays a link: what it points to is replaced
    part = _new_sibling(path, error)
    try:
        with _told("write", path, error, (OSError,)):
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, part)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_writable(path: FilePath, error: type[FileError] = FileError) -> None:
    """Find out early whether `atomic` could write a file there. Leaves nothing behind.

    Raises
    ------
    FileError
        As `atomic` does.
    """
    _new_sibling(Path(path), error).unlink()


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder within another, which goes again afterwards, whatever happens."""
    sweep(parent)
    folder = parent / f"{_LEFT_OVER}{os.getpid()}-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Take away what runs that were killed have left unfinished in a folder."""
    for left in folder.glob(f"{_LEFT_OVER}*"):
        owner = left.name.removeprefix(_LEFT_OVER).partition("-")[0]
        try:
            if owner.isdigit() and not _is_running(int(owner), left):
                (shutil.rmtree if left.is_dir() else Path.unlink)(left)
        except OSError:
            continue  # somebody else's, or gone already


def _is_running(process: int, left: Path) -> bool:
    if os.name == "posix":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True
    return left.stat().st_mtime > time.time() - _DAY


def _new_sibling(path: Path, error: type[FileError]) -> Path:
    """Create an empty file beside a path, with the permissions that a new file gets."""
    token = f"{os.getpid()}-{secrets.token_hex(8)}"
    part = path.with_name(f"{_LEFT_OVER}{token}{path.suffix[:16]}")
    with _told("write", path, error):
        if path.is_dir():
            raise error(f"'{path}' is a folder", hint="name a file in it")
        if path.exists() and not path.is_file():
            raise error(f"'{path}' is a device or a pipe, not a file", hint="name another")
        if path.exists() and not os.access(path, os.W_OK):
            raise error(f"cannot write '{path}': it is read-only")
        if not path.parent.exists():
            hint = "make it first, or name another"
            raise error(f"the folder '{path.parent}' does not exist", hint=hint)
        sweep(path.parent)
        part.open("xb").close()
    return part


@contextmanager
def _told(
    verb: str,
    path: FilePath,
    error: Callable[..., Exception],
    # Links in a circle raise a RuntimeError, a null in the path a ValueError.
    kinds: tuple[type[Exception], ...] = (OSError, RuntimeError, ValueError),
) -> Iterator[None]:
    """Turn the system's errors into one that names the file."""
    try:
        yield
    except kinds as wrong:
        if getattr(wrong, "errno", None) == errno.ENOSPC:
            raise error(f"cannot {verb} '{path}': the disk is full") from wrong
        reason = getattr(wrong, "strerror", None) or wrong
        raise error(f"cannot {verb} '{path}': {reason}") from wrong
