"""Whatever recording is read can be composed with, and comes back as long, wide and loud."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vampprompt as vp
from tests.fuzz import checks
from tests.fuzz.effort import examples
from tests.toys import ToyCodec, ToyModel
from vampprompt.errors import MaskError
from vampprompt.models import Bundle


@pytest.fixture(scope="module")
def bundle():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


def compose(audio, bundle, mask="periodic(7)", **settings):
    song = vp.compose(audio, mask, bundle, sampler="confidence(steps=2)", cache=False, **settings)
    assert song.sample_rate == audio.sample_rate
    assert song.audio.shape == (1, audio.n_channels, audio.n_samples * settings.get("stretch", 1))
    assert song.audio.dtype == np.float32
    assert np.isfinite(song.audio).all()
    assert np.abs(song.audio).max() <= 1
    return song


def noise(n_channels, n_samples, level=0.5):
    chance = np.random.default_rng(1)
    return chance.uniform(-level, level, (n_channels, n_samples)).astype(np.float32)


@pytest.mark.parametrize(
    ("n_channels", "rate", "n_samples"),
    [
        (1, 1, 1),
        (2, 1, 2),
        (1, 7, 5),
        (2, 1000, 1),
        (1, 11025, 7001),
        (2, 44100, 1),
        (1, 44100, 767),
        (1, 44100, 769),
        (64, 44100, 769),
        (2, 768_000, 1),
        (1, 768_000, 99_991),
        (1, 2**31 - 1, 10_000),
    ],
)
def test_every_rate_length_and_width(bundle, n_channels, rate, n_samples):
    compose(vp.Audio(noise(n_channels, n_samples), rate), bundle)


SIGNALS = {
    "silence": np.zeros(9000),
    "whisper": np.full(9000, 1e-30),
    "denormal": np.full(9000, 1e-42),
    "constant": np.full(9000, 1.0),
    "negative": np.full(9000, -1.0),
    "one click": np.eye(1, 9000, 4000)[0],
    "far beyond full scale": noise(1, 9000)[0] * 1e30,
    "as far as it goes": np.resize([3.4e38, -3.4e38], 9000),
    "fastest": np.resize([1.0, -1.0], 9000),
}


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("mask", ["nothing", "onset | loud(-20dB)", "beat"])
def test_every_level(bundle, signal, mask):
    audio = vp.Audio(SIGNALS[signal].astype(np.float32)[None], 44100)
    with checks.refused(MaskError):  # no beats are heard in most of these
        compose(audio, bundle, mask)


@examples(15)
@given(
    rate=st.sampled_from([1, 44100, 48000]) | st.integers(1000, 800_000),
    n_samples=st.integers(1, 3000),
    n_channels=st.sampled_from([1, 2, 3, 6]),
    level=st.sampled_from([0.5, 1e-4, 1e4]),
    stretch=st.sampled_from([1, 1, 2]),
    keep_audio=st.booleans(),
)
def test_whatever_is_given(bundle, rate, n_samples, n_channels, level, stretch, keep_audio):
    # A second of 1 Hz is a second for the codec too.
    audio = vp.Audio(noise(n_channels, min(n_samples, 2 * rate), level), rate)
    keep_audio = keep_audio and stretch == 1 and level < 1
    compose(audio, bundle, "frame<2", stretch=stretch, keep_audio=keep_audio)


@pytest.mark.parametrize("pitch", [np.nan, np.inf, -np.inf, 1e9, -1e9, 400.0, -400.0, 48.0, -48.0])
def test_every_pitch(bundle, pitch):
    with checks.refused():
        compose(vp.Audio(noise(1, 3000), 44100), bundle, pitch=pitch)


@pytest.mark.parametrize("shape", [(0, 9), (1, 0), (9,), (1, 2, 9)])
def test_audio_that_is_none(bundle, shape):
    with pytest.raises((vp.VampPromptError, ValueError)):
        compose(vp.Audio(np.zeros(shape, np.float32), 44100), bundle)
