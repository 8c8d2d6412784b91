"""Analyses kept on disk, so that a clip is analysed once however often it is composed from.

One file of JSON for each: whoever can write to the folder can run no code with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from vampprompt.audio import atomic
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
    """
    import platformdirs

    chosen = os.environ.get("VAMPPROMPT_CACHE")
    root = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("vampprompt")
    return root / "analyses"


def remembered(analysis: object, key: str, listen: Callable[[], Heard]) -> Heard:
    """Return what an analysis hears in a recording: what it heard before, if that is on disk.

    It is kept by the recording, the analysis with its type and all its arguments, and its
    ``version``. What is heard by one without a version, or by anything but a `Term`, is not
    kept: nobody could tell when it is out of date. A cache that cannot be read or written is as
    good as none, and so is one that belongs to, or can be written by, somebody else.

    Parameters
    ----------
    analysis : BeatTracker or OnsetDetector
        Who listens.
    key : str
        What the recording is, by its content.
    listen : callable
        Listens, if nothing is remembered.
    """
    if not isinstance(analysis, Term) or getattr(analysis, "version", None) is None:
        return listen()
    heard: Heard | None = None
    # Whatever is wrong with the cache, the clip can be heard again.
    try:
        file = _folder() / f"{_digest(analysis, key)}.json"
        heard = _recalled(file)
    except Exception as error:
        _log.info("no kept analysis: %s", error)
    if heard is None:
        heard = listen()
        try:
            _keep(file, heard)
        except Exception as error:
            _log.info("analysis not kept: %s", error)
    return heard
