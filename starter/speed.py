"""How long composing takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

import vampprompt as vp

PROMPT = "beat & codebook<3"
THREADS = 2
_REPEATS = 3


def composing_time(bundle: vp.Bundle, audio: vp.Audio) -> dict[str, Any]:
    """Time composing with the default settings, beat tracking included, on two CPU cores.

    Returns
    -------
    dict
        ``seconds`` of the clip, and the least ``wall`` time of a few, with the ``processor``
        time of the same, in seconds. The first, which loads what it needs, is not counted.
    """
    times = []
    with _threads(THREADS):
        for _ in range(1 + _REPEATS):
            wall, processor = time.perf_counter(), time.process_time()
            vp.compose(audio, PROMPT, bundle, cache=False)
            times.append((time.perf_counter() - wall, time.process_time() - processor))
    wall, processor = np.round(min(times[1:]), 2)
    return {"seconds": round(audio.duration, 2), "wall": wall, "processor": processor}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
