from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.analysis import frame_loudness


def test_reference_levels() -> None:
    hop = 441
    square = np.where(np.arange(hop) % 2, 1.0, -1.0)
    sine = np.sin(2 * np.pi * 1000 * np.arange(hop) / 44100)
    silence = np.zeros(hop)
    samples = np.concatenate([square, sine, sine / 10, silence]).astype(np.float32)
    level = frame_loudness(samples, hop, 4)
    assert level[:3] == pytest.approx([0.0, -3.01, -23.01], abs=0.01)
    assert level[3] == -np.inf


@given(n_samples=st.integers(0, 40), hop=st.integers(1, 9), n_frames=st.integers(0, 8))
def test_against_the_obvious(n_samples: int, hop: int, n_frames: int) -> None:
    samples = np.random.default_rng(n_samples).uniform(-1, 1, n_samples).astype(np.float32)
    level = frame_loudness(samples, hop, n_frames)
    assert level.shape == (n_frames,)
    for frame in range(n_frames):
        own = samples[frame * hop : (frame + 1) * hop].astype(np.float64)
        expected = 10 * np.log10(np.mean(own**2)) if len(own) and own.any() else -np.inf
        assert level[frame] == pytest.approx(expected, abs=1e-3)
