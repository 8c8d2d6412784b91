"""The log-mel error is the published measure, and Opus comes back in time with what went in."""

import librosa
import numpy as np
import pytest
import torch

from starter import opus
from starter.compression import bitrate, codec_errors, opus_errors, scaled
from starter.losses import log_mel_error
from vampprompt.models.spectral import SpectralCodec

RATE = 44100
needs_opus = pytest.mark.skipif(not opus.available(), reason="needs opus-tools")


@pytest.fixture
def melody() -> np.ndarray:
    """Three seconds of plucked notes over a little noise, ``[samples]`` at 0.08 RMS."""
    time = np.arange(3 * RATE) / RATE
    pitch = np.array([220.0, 330.0, 440.0])[(time * 3).astype(int) % 3]
    notes = np.exp(-6 * (time * 3 % 1)) * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    noise = np.random.default_rng(0).normal(0, 0.001, len(time))
    return scaled((notes + noise).astype(np.float32))


def levels(samples: np.ndarray) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=1024, hop_length=256, n_mels=80, power=2
    )
    return 20 * np.log10(np.maximum(np.sqrt(power), 1e-4))


def error(reference: np.ndarray, estimate: np.ndarray) -> float:
    pair = (torch.from_numpy(samples)[None] for samples in (reference, estimate))
    return float(log_mel_error(*pair))


def test_the_error_is_as_librosa_spells_it(melody: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.003, len(melody)).astype(np.float32)
    spelled = np.abs(levels(melody) - levels(melody + noise)).mean()
    # they differ in what lies beyond the ends
    assert error(melody, melody + noise) == pytest.approx(spelled, rel=0.01)


def test_the_error_of_half_the_amplitude_is_6_db() -> None:
    noise = scaled(np.random.default_rng(0).normal(0, 1, RATE).astype(np.float32))
    assert error(noise, noise / 2) == pytest.approx(6.02, abs=0.01)


def test_the_error_does_not_depend_on_the_level(melody: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, len(melody)).astype(np.float32)
    assert error(melody / 3, (melody + noise) / 3) == pytest.approx(
        error(melody, melody + noise), rel=1e-4
    )


def test_errors_are_given_for_each_number_of_codebooks(melody: np.ndarray) -> None:
    torch.manual_seed(0)
    codec = SpectralCodec(width=16, encoder_layers=1, decoder_layers=1, n_codebooks=3).eval()
    errors = codec_errors(codec, [melody[:RATE], melody[RATE : 2 * RATE]])
    assert len(errors) == 3
    tokens = codec.encode(torch.from_numpy(melody[:RATE])[None, None])
    with torch.no_grad():
        decoded = codec.decode(tokens)[0, 0, :RATE].numpy()
    assert codec_errors(codec, [melody[:RATE]])[-1] == pytest.approx(
        error(melody[:RATE], decoded), abs=1e-3
    )
    assert bitrate(codec) == pytest.approx(0.574, abs=1e-3)


@needs_opus
def test_opus_comes_back_in_time_and_as_long(melody: np.ndarray) -> None:
    coded = opus.through_opus(melody, RATE, 96)
    assert coded.samples.shape == melody.shape
    assert np.corrcoef(coded.samples, melody)[0, 1] > 0.99
    assert 48 < coded.rate < 144


@needs_opus
def test_more_bits_bring_opus_nearer(melody: np.ndarray) -> None:
    figures = opus_errors([melody], RATE)
    assert figures[-1]["error"] < figures[0]["error"]
    rates = [one["rate"] for one in figures]
    assert rates == sorted(rates)


@needs_opus
def test_dither_is_only_where_16_bits_are_asked_for(melody: np.ndarray) -> None:
    in_floats, in_16_bits = (
        opus.through_opus(melody, RATE, 96, subtype=subtype).samples
        for subtype in ("FLOAT", "PCM_16")
    )
    steps = in_16_bits * 2**15
    np.testing.assert_array_equal(steps, steps.round())
    np.testing.assert_allclose(in_floats, in_16_bits, atol=1e-3)
