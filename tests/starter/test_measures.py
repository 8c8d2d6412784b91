"""What is measured is what is meant, and the checkpoint in the package is small and trained."""

import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import soundfile
import torch

import vampprompt as vp
from starter import opus, sound
from starter.compression import bitrate, codec_errors, opus_errors, scaled
from starter.losses import log_mel_error
from starter.prediction import frequencies
from starter.prompts import COMPOSED, RANDOM, Heard, Unigram, likeness, summary
from starter.tokens import masked_prediction
from vampprompt.models.layout import starter_folder
from vampprompt.models.spectral import SpectralCodec
from vampprompt.protocols import Sampler

RATE, HOP = 44100, 768
LOOP = Path(__file__).parents[2] / "docs" / "audio" / "loop.wav"
needs_opus = pytest.mark.skipif(not opus.available(), reason="needs opus-tools")


def white(level=0.1, seed=0, seconds=10):
    rng = np.random.default_rng(seed)
    return rng.normal(0, level, int(seconds * RATE)).astype(np.float32)


@pytest.fixture
def melody():
    """Three seconds of plucked notes over a little noise, ``[samples]`` at 0.08 RMS."""
    time = np.arange(3 * RATE) / RATE
    pitch = np.array([220.0, 330.0, 440.0])[(time * 3).astype(int) % 3]
    notes = np.exp(-6 * (time * 3 % 1)) * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return scaled((notes + white(0.001, seconds=3)).astype(np.float32))


def error(reference, estimate):
    return float(log_mel_error(*(torch.from_numpy(one)[None] for one in (reference, estimate))))


def test_the_error_is_as_librosa_spells_it(melody):
    def levels(samples):
        mel = partial(librosa.feature.melspectrogram, sr=RATE, n_fft=1024, hop_length=256)
        return 20 * np.log10(np.maximum(np.sqrt(mel(y=samples, n_mels=80, power=2)), 1e-4))

    other = melody + white(0.003, seed=1, seconds=3)
    spelled = np.abs(levels(melody) - levels(other)).mean()
    # they differ in what lies beyond the ends
    assert error(melody, other) == pytest.approx(spelled, rel=0.01)


def test_the_error_of_half_the_amplitude_is_6_db_at_every_level(melody):
    given = scaled(white(1, seconds=1))
    assert error(given, given / 2) == pytest.approx(6.02, abs=0.01)
    other = melody + white(0.01, seed=1, seconds=3)
    assert error(melody / 3, other / 3) == pytest.approx(error(melody, other), rel=1e-4)


def test_errors_are_given_for_each_number_of_codebooks(melody):
    torch.manual_seed(0)
    codec = SpectralCodec(width=16, encoder_layers=1, decoder_layers=1, n_codebooks=3).eval()
    assert len(codec_errors(codec, [melody[:RATE], melody[RATE : 2 * RATE]])) == 3
    tokens = codec.encode(torch.from_numpy(melody[:RATE])[None, None])
    with torch.no_grad():
        decoded = codec.decode(tokens)[0, 0, :RATE].numpy()
    wanted = error(melody[:RATE], decoded)
    assert codec_errors(codec, [melody[:RATE]])[-1] == pytest.approx(wanted, abs=1e-3)
    assert bitrate(codec) == pytest.approx(0.574, abs=1e-3)


@needs_opus
def test_opus_comes_back_in_time_and_as_long_and_nearer_with_more_bits(melody):
    coded = opus.through_opus(melody, RATE, 96)
    assert coded.samples.shape == melody.shape
    assert np.corrcoef(coded.samples, melody)[0, 1] > 0.99
    assert 48 < coded.rate < 144
    figures = opus_errors([melody], RATE)
    assert figures[-1]["error"] < figures[0]["error"]
    rates = [one["rate"] for one in figures]
    assert rates == sorted(rates)


@needs_opus
def test_dither_is_only_where_16_bits_are_asked_for(melody):
    coded = partial(opus.through_opus, melody, RATE, 96)
    in_floats, in_16_bits = (coded(subtype=kind).samples for kind in ("FLOAT", "PCM_16"))
    steps = in_16_bits * 2**15
    np.testing.assert_array_equal(steps, steps.round())
    np.testing.assert_allclose(in_floats, in_16_bits, atol=1e-3)


def test_a_click_in_every_frame_is_found_wherever_in_the_frame_it_is():
    found = []
    for place in (0, 100, 500):
        clicking = white()
        clicking[place::HOP] += 1.0
        found.append(sound.clicks(clicking, HOP))
    assert min(found) > 15
    assert max(found) - min(found) < 6


def test_clicks_are_those_of_every_frame_and_of_no_other_rate():
    noise = white()
    assert sound.clicks(noise, HOP) < 6
    assert sound.clicks(np.resize(noise[:HOP], len(noise)), HOP) > 30
    assert np.isfinite(sound.clicks(0 * noise, HOP))
    noise[:: HOP + 9] += 1.0
    assert sound.clicks(noise, HOP) < 6


def test_offset_clipping_and_change_of_level():
    noise = white()
    assert sound.offset(noise - noise.mean() - 0.02) == pytest.approx(0.02, abs=1e-6)
    assert sound.clipped(np.array([0.5, 1.0, -1.0, 0.99], np.float32)) == 0.5
    change = sound.level_change(noise, noise * np.float32(10 ** (-3 / 20)), RATE)
    assert change == pytest.approx(-3, abs=0.01)


def test_the_true_peak_lies_between_samples():
    # a quarter of the sample rate, sampled where it is at 0.7 of its peak
    tone = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert sound.true_peak(tone[: RATE // 2], RATE) == pytest.approx(0, abs=0.3)


# As much of a token model as `Unigram` looks at: the floor hears nothing.
MODEL = SimpleNamespace(n_codebooks=3, n_conditioning=1, vocab_size=4, mask_token=4)


def test_the_floor_keeps_the_prompt_and_draws_the_rest_by_frequency():
    # codebook 2 has one token; codebook 1 has token 3 three times as often as token 0
    sampler = Unigram(torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 3], [0, 1, 0, 0]]))
    assert isinstance(sampler, Sampler)
    tokens = torch.full((2, 3, 4000), 2)
    keep = torch.zeros(tokens.shape, dtype=torch.bool)
    keep[:, 2, :2000] = True
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    made = sampler(MODEL, tokens, keep, generators)
    assert (made[:, 0] == 2).all()  # conditioning
    assert (made[:, 2, :2000] == 2).all()
    assert (made[:, 2, 2000:] == 1).all()
    assert set(made[:, 1].unique().tolist()) == {0, 3}
    assert (made[:, 1] == 3).float().mean() == pytest.approx(0.75, abs=0.03)
    assert (made[0] != made[1]).any()
    alone = sampler(MODEL, tokens[1:], keep[1:], [torch.Generator().manual_seed(2)])
    assert torch.equal(alone[0], made[1])
    counted = frequencies(np.array([[[0, 0, 1], [5, 5, 5]], [[0, 1, 2], [5, 6, 5]]], np.int16))
    assert counted.shape == (2, 1024)
    assert counted[0, :3].tolist() == [3, 2, 1]
    assert counted[1, 5:7].tolist() == [5, 1]


def heard(beats, onsets, level=0.1):
    samples = white(level, seconds=1)[None]
    return Heard(vp.Audio(samples, RATE), np.array(beats), np.array(onsets))


def test_a_clip_is_like_itself_and_not_like_one_in_which_nothing_is_heard():
    clip = heard([0.1, 0.6], [0.1, 0.35, 0.6])
    found = likeness(clip, clip, np.array([0.1, 0.6]))
    assert found == {"error": 0, "beat": 1, "true beat": 1, "onset": 1}
    found = likeness(clip, heard([], []), np.array([0.1]))
    assert found["beat"] == found["onset"] == 0


def test_half_the_beats_and_a_quarter_of_the_onsets():
    given = heard([0.1, 0.3, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4])
    made = heard([0.16, 0.42, 0.56, 0.9], [0.14, 0.60, 0.70, 0.80], level=0.05)
    found = likeness(given, made, np.array([0.16, 0.42, 0.56, 0.9]))
    assert found.pop("error") == pytest.approx(6.02, abs=0.01)
    assert found == {"beat": 0.5, "true beat": 1, "onset": 0.25}


def test_the_summary_is_over_clips():
    def row(others, error, level, peak):
        faults = {"level_change": level, "true_peak": peak}
        told = {"prompt": "nothing", "others": others, "kept": 0.0}
        return told | {"likeness": {"error": error}, "faults": faults}

    clips = [
        [row(COMPOSED, 1.0, -3.0, -9.0), row(RANDOM, 7.0, 0.0, 0.0)],
        [row(COMPOSED, 2.0, 1.0, -1.0), row(RANDOM, 7.0, 0.0, 0.0)],
    ]
    composed, floor = summary(clips)
    assert (composed["others"], floor["others"]) == (COMPOSED, RANDOM)
    assert composed["likeness"]["error"] == [1.5, 0.5]
    assert composed["faults"] == {"level_change": [-1.0, -3.0], "true_peak": [-5.0, -1.0]}
    assert floor["likeness"]["error"] == [7.0, 0.0]


@pytest.fixture(scope="module")
def starter():
    return vp.load("starter")


@pytest.fixture(scope="module")
def loop():
    return torch.from_numpy(soundfile.read(LOOP, dtype="float32")[0])[None, None]


def test_files_are_small():
    sizes = [path.stat().st_size / 2**20 for path in starter_folder().glob("*.safetensors")]
    assert len(sizes) == 3
    assert max(sizes) <= 16
    assert sum(sizes) <= 32


@torch.no_grad()
def test_more_codebooks_sound_more_alike(starter, loop):
    tokens = starter.codec.encode(loop)
    decoded = [starter.codec.decode(tokens[:, :count])[0] for count in (1, 2, 4, 9)]
    errors = [float(log_mel_error(loop[0], one[:, : loop.shape[-1]])) for one in decoded]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 5


@torch.no_grad()
def test_masked_tokens_are_predicted_better_than_by_chance(starter, loop):
    tokens = starter.codec.encode(loop)
    torch.manual_seed(0)
    for model in (starter.coarse, starter.fine):
        entropy, _ = masked_prediction(model, tokens[:, : model.n_codebooks], torch.tensor([0.5]))
        assert entropy < math.log(1024) - 0.2


def test_the_card_is_of_these_weights(starter):
    card = (starter_folder() / "card.md").read_text(encoding="utf-8")
    assert f"Weights: {starter.identity}." in card


def test_the_loop_is_four_bars_with_its_beats():
    times, numbers = np.loadtxt(LOOP.with_suffix(".beats")).T
    np.testing.assert_array_equal(numbers, np.tile([1, 2, 3, 4], 4))
    np.testing.assert_allclose(np.diff(times), times[1], atol=1e-5)
    assert soundfile.info(LOOP).samplerate == 44100
    assert soundfile.info(LOOP).duration == pytest.approx(16 * times[1], abs=1e-4)
