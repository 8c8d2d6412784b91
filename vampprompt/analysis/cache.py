"""Analyses kept on disk, so that a clip is analysed once however often it is composed from.

Each in a small file of JSON: whoever gets one in there makes no code run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from vampprompt.files import atomic
from vampprompt.language import Term
from vampprompt.units import Beats, FloatArray

_log = logging.getLogger(__name__)

Heard = TypeVar("Heard", Beats, FloatArray)

# Of a few kilobytes each: enough for tens of thousands of clips.
_SIZE_LIMIT = 64 * 2**20
# The onsets of a day. What is larger was not written here.
_ENTRY_LIMIT = 16 * 2**20


def location() -> Path:
    """Return the folder of kept analyses.

    It is in ``$VAMPPROMPT_CACHE`` if that is set, otherwise where this platform keeps caches.

    Examples
    --------
    >>> location().name
    'analyses'
    """
    import platformdirs

    chosen = os.environ.get("VAMPPROMPT_CACHE")
    root = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("vampprompt")
    return root / "analyses"


def remembered(analysis: object, key: str, listen: Callable[[], Heard]) -> Heard:
    """Return what an analysis hears in a recording, from disk if it was heard before.

    Results are kept by the recording, the analysis with its type and arguments, and its
    ``version``. What one without a version hears is not kept, nor what anything but a `Term`
    does: nobody could tell when it is out of date. A cache that cannot be read or written is as
    good as none, and so is one in which others can write.

    Parameters
    ----------
    analysis : BeatTracker or OnsetDetector
        Who listens.
    key : str
        The identity of the recording by its content.
    listen : callable
        Listens to it; called only if nothing is remembered.

    Examples
    --------
    >>> from vampprompt.analysis import onsets
    >>> first = remembered(onsets, "a recording", lambda: np.array([0.5]))
    >>> remembered(onsets, "a recording", lambda: np.array([0.7]))
    array([0.5])
    """
    heard = file = None
    if isinstance(analysis, Term) and getattr(analysis, "version", None):
        with _forgiving():
            file = _own_folder() / f"{_digest(analysis, key)}.json"
            heard = _recall(file)
    if heard is None:
        heard = listen()
        with _forgiving():
            if file is not None:
                _keep(file, heard)
    return cast(Heard, heard)


@contextmanager
def _forgiving() -> Iterator[None]:
    """Go on whatever is wrong with the cache: the clip can be heard again."""
    try:
        yield
    except Exception as error:
        _log.info("analyses are not kept: %s", error)


def _own_folder() -> Path:
    folder = location()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
        raise PermissionError(f"others may write to {folder}")
    return folder


def _digest(analysis: Any, key: str) -> str:
    parts = (metadata.version("vampprompt"), analysis.version, analysis, key)
    return hashlib.sha256(json.dumps(parts, default=_parts).encode()).hexdigest()


def _parts(value: Any) -> Any:
    """Return what a value consists of. Nobody knows when those of foreign types are equal."""
    if isinstance(value, Fraction):
        return str(value)
    if is_dataclass(value):
        kind = type(value)
        own = [getattr(value, field.name) for field in fields(value) if field.compare]
        return [kind.__module__, kind.__qualname__, *own]
    raise TypeError(f"an analysis with a {type(value).__name__} has no identity")


def _recall(file: Path) -> Beats | FloatArray | None:
    if not file.exists():
        return None
    with file.open("rb") as stream:
        text = stream.read(_ENTRY_LIMIT)
    rows = [np.asarray(row) for row in json.loads(text)]
    if not 1 <= len(rows) <= 2 or not all(
        row.dtype == np.float64 and row.ndim == 1 and np.isfinite(row).all() for row in rows
    ):
        raise ValueError(f"{file} is damaged")
    return Beats(*rows) if len(rows) == 2 else rows[0]


def _keep(file: Path, heard: Beats | FloatArray) -> None:
    rows = [heard.beats, heard.downbeats] if isinstance(heard, Beats) else [heard]
    with atomic(file) as part:
        part.write_text(json.dumps([np.asarray(row, np.float64).tolist() for row in rows]))
    size = 0
    found = [(entry.stat(), entry) for entry in file.parent.glob("*.json")]
    for status, entry in sorted(found, key=lambda one: one[0].st_mtime, reverse=True):
        size += status.st_size
        if size > _SIZE_LIMIT:
            entry.unlink(missing_ok=True)
