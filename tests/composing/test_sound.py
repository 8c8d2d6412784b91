import numpy as np
import pytest

from tests.toys import ToyCodec, ToyModel
from vampprompt.audio import Audio, loudness
from vampprompt.composing import sound
from vampprompt.composing.sound import crossfade, restore
from vampprompt.models import Bundle

RATE = 44100


BUNDLE = Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


def prepare(audio, **how):
    return sound.prepare(audio, BUNDLE, **how)


def tone(seconds=1.0, rate=RATE, level=0.2, hz=440.0):
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("n_channels", [1, 2, 5])
@pytest.mark.parametrize("n_samples", [1, 777, 30001])
def test_rate_channels_length_and_level_come_back(rate, n_channels, n_samples):
    samples = np.stack([tone(1, rate, 0.05 * (i + 1)) for i in range(n_channels)])[:, :n_samples]
    clip = prepare(Audio(samples, rate))
    assert clip.channels.shape[0] == n_channels
    restored = restore(clip, clip.channels).samples
    assert restored.shape == samples.shape
    assert restored.dtype == np.float32
    if n_samples > 30000:
        error = np.abs(restored - samples)[:, 500:-500].max()
        assert error < 1e-3


def test_the_codec_hears_a_known_loudness():
    clip = prepare(Audio(tone(3, level=0.01)[None], RATE))
    assert loudness(clip.channels, RATE) == pytest.approx(-24, abs=0.1)


def test_what_is_decoded_louder_comes_out_as_loud_as_the_input():
    audio = Audio(tone(3, level=0.02)[None], RATE)
    clip = prepare(audio)
    restored = restore(clip, clip.channels * 3).samples
    assert loudness(restored, RATE) == pytest.approx(loudness(audio.samples, RATE), abs=0.1)


def test_near_silence_is_not_lifted_to_the_level_of_music():
    clip = prepare(Audio(tone(3)[None], RATE))
    hiss = np.random.default_rng(0).normal(0, 1e-6, clip.channels.shape).astype(np.float32)
    assert np.abs(restore(clip, hiss).samples).max() < 1e-3


def test_silence_stays_silence():
    clip = prepare(Audio(np.zeros((2, RATE), np.float32), RATE))
    assert not restore(clip, clip.channels).samples.any()


def test_a_pitch_shift_moves_the_tone():
    clip = prepare(Audio(tone(1)[None], RATE), pitch=12)
    spectrum = np.abs(np.fft.rfft(clip.samples[4410:-4410]))
    hz = np.fft.rfftfreq(len(clip.samples) - 8820, 1 / RATE)[spectrum.argmax()]
    assert hz == pytest.approx(880, rel=0.01)


def test_kept_stretches_are_the_recordings_own_samples():
    original = tone(1)[None]
    clip = prepare(Audio(original, RATE))
    kept = np.zeros(58, np.bool_)
    kept[20:40] = True
    blended = crossfade(clip, -original, kept)
    inside = slice(20 * 768 + 2 * 441 + 2, 40 * 768 - 2 * 441 - 2)
    assert np.array_equal(blended[:, inside], original[:, inside])
    assert np.array_equal(blended[:, : 20 * 768], -original[:, : 20 * 768])
    assert np.array_equal(blended[:, 40 * 768 :], -original[:, 40 * 768 :])


def test_everything_kept_is_the_recording_itself():
    original = tone(1, rate=48000)[None]
    clip = prepare(Audio(original, 48000))
    assert np.array_equal(crossfade(clip, -original, np.ones(58, np.bool_)), original)
