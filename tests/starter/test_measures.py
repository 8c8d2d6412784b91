"""What is measured is what is meant, and the checkpoint in the package is small and trained."""

import math
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch

import vampprompt as vp
from starter import likeness, opus, sound
from starter.compression import bitrate, codec_errors, opus_errors, scaled
from starter.losses import log_mel_error
from starter.prompts import held, measure, summary
from starter.steadiness import chord_changes, repeats, steady_chord
from starter.tokens import masked_prediction
from vampprompt.models.layout import starter_folder
from vampprompt.models.spectral import SpectralCodec

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


def test_chroma_correlates_with_the_same_notes_and_not_with_others():
    def chord(*pitches):
        time = np.arange(2 * RATE) / RATE
        tones = sum(np.sin(2 * np.pi * 440 * 2 ** (pitch / 12) * time) for pitch in pitches)
        return (0.1 * tones).astype(np.float32)

    given = chord(0, 4, 7)
    correlation = partial(likeness.chroma_correlation, given, sample_rate=RATE)
    assert correlation(made=given) == pytest.approx(1)
    assert correlation(made=0.1 * given) == pytest.approx(1, abs=1e-3)
    assert correlation(made=chord(12, 16, 19)) > 0.9  # an octave higher
    assert 0.2 < correlation(made=chord(0, 3, 7)) < 0.9  # one of three differs
    assert correlation(made=chord(1, 5, 8)) < 0.1
    assert correlation(made=0 * given) == 0


def test_frames_are_compared_where_the_given_is_heard():
    given = white(seconds=4)
    given[2 * RATE :] *= 10 ** (-50 / 20)
    assert likeness.audible(given).mean() == pytest.approx(0.5, abs=0.02)
    made = given.copy()
    made[round(2.2 * RATE) :] = 0
    assert likeness.chroma_correlation(given, made, RATE) == pytest.approx(1, abs=0.02)
    assert likeness.flatness_ratio(given, made) == pytest.approx(1)
    assert likeness.chroma_correlation(white(seconds=4), made, RATE) < 0.6


def test_flatness_is_librosa_s_and_more_of_it_is_noise():
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    noisy = tone + white(0.001, seconds=2)
    spelled = librosa.feature.spectral_flatness(y=noisy, n_fft=2048, hop_length=1024)
    assert likeness.flatness(noisy, likeness.audible(noisy)) == pytest.approx(np.median(spelled))
    assert likeness.flatness_ratio(noisy, tone + white(0.01, seconds=2)) > 10
    ratios = (likeness.flatness_ratio(noisy, tone), likeness.flatness_ratio(tone, noisy))
    assert np.prod(ratios) == pytest.approx(1)
    assert likeness.geometric_mean(ratios) == pytest.approx(1)
    assert likeness.geometric_mean([0.5, 8]) == pytest.approx(2)


def test_a_note_is_clear_and_noise_and_silence_are_not():
    note = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    samples = np.concatenate([note, white(seconds=1), 0 * note, note[: RATE // 2]])
    clear = likeness.clarity(samples, RATE)
    assert len(clear) == 3  # whole seconds
    assert clear[0] > 6 > 2 > clear[1] > clear[2] == 1
    assert likeness.clear_share(np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 3.0, 9.0])) == 2 / 3


def test_beats_are_compared_within_70_ms():
    given = np.array([6.0, 7.0, 8.0, 9.0])
    assert likeness.beat_f(given, given + 0.06) == 1
    assert likeness.beat_f(given, given + np.array([0.06, 0.12, 0.06, 0.2])) == 0.5
    assert likeness.beat_f(given, np.zeros(0)) == 0


def test_repeats_are_told_by_codebook():
    tokens = torch.tensor([[7, 7, 7, 2, 2], [1, 2, 3, 4, 4]])
    assert repeats(tokens).tolist() == [0.75, 0.25]


def test_the_steady_chord_is_steady_and_tokens_that_count_frames_are_not():
    samples = steady_chord(RATE)
    assert len(samples) == 6 * RATE
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.08, rel=1e-3)
    strongest = likeness.chroma(samples, RATE).mean(axis=1).argsort()[-3:]
    assert {1, 4, 9} == set(strongest.tolist())  # C sharp, E, A

    class Counting:
        sample_rate, hop_length = RATE, HOP

        def encode(self, audio):
            frames = torch.arange(audio.shape[-1] // HOP)
            ends = (frames > 10) & (frames < len(frames) - 10)
            return torch.stack([0 * frames, frames, ends.long()])[None]

    assert chord_changes(Counting()) == [0, 1, 0]


def test_what_is_kept_is_held_until_the_next():
    tokens = torch.arange(20).reshape(4, 5)
    keep = torch.zeros(4, 5, dtype=torch.bool)
    keep[:2, 1] = keep[:2, 3] = keep[3, 0] = True
    assert held(tokens, keep).tolist() == [[1, 1, 1, 3, 3], [6, 6, 6, 8, 8]]
    assert held(tokens, torch.ones_like(keep)).tolist() == tokens.tolist()
    assert held(tokens, torch.zeros_like(keep)).tolist() == [[0] * 5]


def test_what_is_measured_of_a_clip(starter, loop):
    audio = vp.Audio(loop[0, :, : 3 * RATE].numpy(), RATE)
    how = {"sampler": "confidence(steps=1)", "seed": 1}
    rows = measure(starter, audio, ("everything", "periodic(7)"), **how)
    assert [(row["prompt"], row["floor"]) for row in rows] == [
        (None, False),
        ("everything", False),
        ("periodic(7)", False),
        ("periodic(7)", True),
    ]
    clip, everything, composed, floor = rows
    assert clip["error"] == 0
    assert clip["chroma"] == pytest.approx(1)
    assert clip["flatness"] == pytest.approx(1)
    assert composed["chroma"] < everything["chroma"] < 1
    assert everything["beat"] > 0.5
    assert composed["beat"] is None
    assert len(everything["repeats"]) == 9
    tokens = starter.codec.encode(torch.from_numpy(audio.samples)[None])[0]
    frames = torch.arange(tokens.shape[1]) // 7 * 7
    with torch.no_grad():
        wanted = starter.codec.decode(tokens[None, :, frames])[0, 0, : 3 * RATE].numpy()
    wanted = likeness.chroma_correlation(audio.samples[0], wanted, RATE)
    assert floor["chroma"] == pytest.approx(wanted, abs=0.02)


def test_the_summary_is_over_clips():
    def clip(error, flatness, clarity, level, peak):
        faults = {"level_change": level, "true_peak": peak}
        same = {"floor": False, "chroma": 1.0, "beat": None, "faults": faults}
        given = same | {"prompt": None, "error": 0.0, "flatness": 1.0, "clarity": [3.0, 5.0]}
        made = {"prompt": "nothing", "kept": 0.0, "repeats": [error, 0.0], "error": error}
        return [given, same | made | {"flatness": flatness, "clarity": clarity}]

    given, made = summary(
        [clip(1.0, 0.5, [9.0, 1.0], -3.0, -9.0), clip(2.0, 8.0, [3.0, 2.0], 1.0, -1.0)]
    )
    assert given["prompt"] is given["kept"] is given["repeats"] is None
    assert made["error"] == [1.5, 0.5]
    assert made["chroma"] == [1.0, 0.0]
    assert made["flatness"] == 2
    assert made["clear"] == 0.5
    assert made["beat"] is None
    assert made["repeats"] == [1.5, 0.0]
    assert made["faults"] == {"level_change": [-1.0, -3.0], "true_peak": [-5.0, -1.0]}


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
