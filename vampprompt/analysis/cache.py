"""Analyses kept on disk, so that a clip is analysed once however often it is composed from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vampprompt.analysis.beats import describe
from vampprompt.audio import Samples
from vampprompt.protocols import BeatTracker, OnsetDetector
from vampprompt.units import Beats

_log = logging.getLogger(__name__)

Heard: TypeAlias = Beats | NDArray[np.float64]
Analysis = TypeVar("Analysis", BeatTracker, OnsetDetector)

# Of a few kilobytes each: enough for tens of thousands of clips.
_SIZE_LIMIT = 64 * 2**20


def location() -> Path:
    """Return the folder of kept analyses.

    It is in ``$VAMPPROMPT_CACHE`` if that is set, otherwise where this platform keeps caches.
    """
    import platformdirs

    chosen = os.environ.get("VAMPPROMPT_CACHE")
    root = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("vampprompt")
    return root / "analyses"


def cached(analysis: Analysis) -> Analysis:
    """Return a beat tracker or onset detector that remembers what it heard, on disk.

    Results are kept by the audio itself, the analysis with its parameters (its ``repr``) and its
    ``version``. One that has no version or no ``repr`` of its own comes back as it is: nobody
    could tell when what it heard is out of date. A cache that cannot be read or written is as
    good as none.
    """
    if not hasattr(analysis, "version") or type(analysis).__repr__ is object.__repr__:
        return analysis
    return cast(Analysis, _Cached(analysis))


class _Cached:
    def __init__(self, analysis: Any) -> None:
        self._analysis: Callable[[Samples, int], Heard] = analysis
        self.name = getattr(analysis, "name", type(analysis).__name__)
        self.version = analysis.version

    def __repr__(self) -> str:
        return f"cached({self._analysis!r})"

    def describe(self) -> str:
        return describe(self._analysis)

    def __call__(self, samples: Samples, sample_rate: int) -> Heard:
        key = _key(self._analysis, samples, sample_rate)
        heard = _recall(key)
        if heard is None:
            heard = self._analysis(samples, sample_rate)
            _keep(key, heard)
        return heard


def _key(analysis: Any, samples: Samples, sample_rate: int) -> str:
    try:
        own_version = version("vampprompt")
    except PackageNotFoundError:  # run from its source
        own_version = ""
    parts = (own_version, analysis.version, type(analysis).__module__, analysis, sample_rate)
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=20)
    digest.update(np.ascontiguousarray(samples).data)
    return digest.hexdigest()


def _recall(key: str) -> Heard | None:
    try:
        text = _with_cache(lambda cache: cache.get(key))
        return None if text is None else _from_text(text)
    # Whatever is wrong with the cache, the clip can be heard again.
    except Exception as error:
        _log.info("no kept analysis: %s", error)
        return None


def _keep(key: str, heard: Heard) -> None:
    try:
        _with_cache(lambda cache: cache.set(key, _to_text(heard)))
    except Exception as error:
        _log.info("analysis not kept: %s", error)


def _with_cache(use: Callable[[Any], Any]) -> Any:
    import diskcache

    folder = location()
    try:
        with closing(diskcache.Cache(str(folder), timeout=1, size_limit=_SIZE_LIMIT)) as cache:
            return use(cache)
    # An operational error is a full disk or a lock, which pass; any other is a broken file.
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _to_text(heard: Heard) -> str:
    if isinstance(heard, Beats):
        return json.dumps([heard.beats.tolist(), heard.downbeats.tolist()])
    return json.dumps(heard.tolist())


def _from_text(text: str) -> Heard:
    times = json.loads(text)
    if times and isinstance(times[0], list):
        beats, downbeats = (np.array(part, dtype=np.float64) for part in times)
        return Beats(beats, downbeats)
    return np.array(times, dtype=np.float64)
