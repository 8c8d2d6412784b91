from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vampprompt import audio
from vampprompt.audio import Audio
from vampprompt.errors import AudioError

RATE = 44100


def sine(seconds: float, frequency: float = 997.0, level: float = 1.0) -> audio.Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def stereo(seconds: float = 0.5) -> audio.Samples:
    return np.stack([sine(seconds, level=0.5), sine(seconds, 440.0, 0.25)])


def test_reads_real_audio(example_path: Path) -> None:
    example = audio.read(example_path)
    assert example.samples.shape == (1, 441600)
    assert example.samples.dtype == np.float32
    assert example.sample_rate == RATE
    assert example.subtype == "PCM_16"
    assert (example.n_channels, example.n_samples) == (1, 441600)
    assert example.duration == pytest.approx(10.0136, abs=1e-4)


def text(path: Path) -> None:
    path.write_text("this is not sound, whatever the file is called\n" * 20)


def no_samples(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 1)), RATE)


def with_nan(path: Path) -> None:
    samples = np.zeros((RATE, 2), np.float32)
    samples[RATE // 2, 1] = np.nan
    soundfile.write(path, samples, RATE, "FLOAT")


def with_infinity(path: Path) -> None:
    soundfile.write(path, np.array([0, 0, np.inf, 0], np.float32), RATE, "FLOAT")


def missing(path: Path) -> None:
    path.with_name("in1.wav").touch()


def cut_header(path: Path) -> None:
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, "there is no file '.*in.wav'\ndid you mean 'in1.wav'?"),
        (Path.mkdir, "is a folder"),
        (Path.touch, "is an empty file"),
        (text, "is not audio that can be read\nknown are .wav .flac"),
        (cut_header, "is not audio that can be read"),
        (no_samples, "has no samples"),
        (with_nan, "NaN or infinite: 1 of 44100, the first at 0.500 s"),
        (with_infinity, "NaN or infinite: 1 of 4"),
        (os.mkfifo, "is a device or a pipe"),
    ],
)
def test_refuses_to_read(make, message: str, tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    make(path)
    with pytest.raises(AudioError, match=message):
        audio.read(path)


def test_headerless_samples_are_no_audio(tmp_path: Path) -> None:
    (tmp_path / "in.raw").write_bytes(bytes(1000))
    with pytest.raises(AudioError, match="not audio that can be read"):
        audio.read(tmp_path / "in.raw")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"there is no folder '.*nowhere' either"):
        audio.read(tmp_path / "nowhere" / "in.wav")


@pytest.mark.parametrize(
    "ending", ["wav", "flac", "ogg", "mp3", "aiff", "aif", "caf", "w64", "WAV"]
)
def test_every_ending_is_written_and_read(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    audio.write(path, Audio(stereo(), RATE))
    again = audio.read(path)
    assert again.sample_rate == RATE
    assert again.n_channels == 2
    lossless = ending not in ("ogg", "mp3")
    assert np.allclose(again.samples, stereo(), atol=2**-15 if lossless else 0.05)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("subtype", "ending", "written"),
    [
        ("PCM_16", "wav", "PCM_16"),
        ("PCM_24", "wav", "PCM_24"),
        ("PCM_24", "flac", "PCM_24"),
        ("FLOAT", "wav", "FLOAT"),
        ("DOUBLE", "wav", "FLOAT"),
        ("FLOAT", "flac", "PCM_16"),
        ("PCM_U8", "wav", "PCM_16"),
        ("MPEG_LAYER_III", "wav", "PCM_16"),
        ("PCM_16", "ogg", "VORBIS"),
        (None, "wav", "PCM_16"),
    ],
)
def test_subtype_is_kept_where_it_can_be(
    subtype: str | None, ending: str, written: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out.{ending}"
    audio.write(path, Audio(stereo(0.1), RATE, subtype))
    assert audio.read(path).subtype == written


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_loud_samples_clip_and_never_wrap_unless_floats_hold_them(
    subtype: str, tmp_path: Path
) -> None:
    loud = np.array([[-3.0, -1.0, 0.0, 1.0, 3.0]], np.float32)
    audio.write(tmp_path / "out.wav", Audio(loud, RATE, subtype))
    written = audio.read(tmp_path / "out.wav").samples
    assert np.allclose(written, loud if subtype == "FLOAT" else loud.clip(-1, 1), atol=2**-14)


@pytest.mark.parametrize(
    ("name", "samples", "rate", "message"),
    [
        ("out.wav", np.full((1, 1), np.nan), RATE, "not finite"),
        ("out.flac", np.zeros((9, 100)), RATE, r"cannot hold 9 channel\(s\)"),
        ("out.ogg", np.zeros((1, 100)), 250_000, "at 250000 Hz\nwrite a .wav file"),
        ("out.ogg", np.zeros((256, 100)), RATE, r"cannot hold 256 channel\(s\)"),
    ],
)
def test_refuses_what_a_format_cannot_hold(
    name: str, samples: np.ndarray, rate: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AudioError, match=message):
        audio.write(tmp_path / name, Audio(samples.astype(np.float32), rate))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out", "out.txt", "out.wav.tmp", ".wav"])
def test_refuses_unknown_endings(name: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"known: \.wav \.flac"):
        audio.write(tmp_path / name, Audio(stereo(0.1), RATE))
    with pytest.raises(AudioError, match=r"known: \.wav \.flac"):
        audio.check_output(tmp_path / name)


@pytest.mark.parametrize(
    "check", [audio.check_output, lambda p: audio.write(p, Audio(stereo(0.1), RATE))]
)
def test_refuses_places_that_cannot_be_written(check, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"the folder '.*nowhere' does not exist"):
        check(tmp_path / "nowhere" / "out.wav")
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match="is a folder"):
        check(tmp_path / "folder.wav")
    (tmp_path / "file").touch()
    with pytest.raises(AudioError, match="cannot write"):
        check(tmp_path / "file" / "out.wav")
    assert {path.name for path in tmp_path.iterdir()} == {"folder.wav", "file"}
    audio.check_output(tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_refuses_folders_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(AudioError, match="cannot write"):
        audio.check_output(tmp_path / "out.wav")


@given(
    n_samples=st.integers(1, 5000),
    source=st.sampled_from([8000, 22050, 44100, 48000, 96000]),
    target=st.sampled_from([8000, 16000, 44100, 48000]),
)
def test_resampled_length_is_known(n_samples: int, source: int, target: int) -> None:
    resampled = audio.resample(np.ones((2, n_samples), np.float32), source, target)
    assert resampled.shape == (2, max(1, round(n_samples * target / source)))
    assert resampled.dtype == np.float32


def test_resampling_keeps_pitch_and_level() -> None:
    there = audio.resample(stereo(1.0), RATE, 48000)
    back = audio.resample(there, 48000, RATE)
    assert np.abs(back - stereo(1.0))[:, 2000:-2000].max() < 1e-4
    assert there.shape == (2, 48000)


def test_fit_cuts_and_pads_at_the_end_and_mono_is_the_mean() -> None:
    samples = np.ones((2, 3), np.float32)
    assert audio.fit(samples, 2).tolist() == [[1, 1]] * 2
    assert audio.fit(samples, 5).tolist() == [[1, 1, 1, 0, 0]] * 2
    assert audio.fit(samples[0], 3).tolist() == [1, 1, 1]
    assert audio.mono(np.array([[1, 0], [0, 0.5]], np.float32)).tolist() == [0.5, 0.25]


def test_loudness_of_a_full_scale_sine() -> None:
    # ITU-R BS.1770-4: a 0 dB FS sine of 997 Hz in one channel reads -3.01 LKFS.
    assert audio.loudness(sine(3), RATE) == pytest.approx(-3.01, abs=0.05)
    assert audio.loudness(sine(3, level=0.1), RATE) == pytest.approx(-23.01, abs=0.05)


def test_two_equal_channels_are_as_loud_as_one(sample: Audio) -> None:
    one = audio.loudness(sample.samples, RATE)
    two = audio.loudness(np.repeat(sample.samples, 2, axis=0), RATE)
    assert two == pytest.approx(one, abs=0.2)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("n_samples", [1, 100, 3200, 17640])
def test_loudness_of_short_clips_is_finite(rate: int, n_samples: int) -> None:
    time = np.arange(n_samples) / rate
    clip = (0.5 * np.cos(2 * np.pi * 997 * time)).astype(np.float32)
    assert -40 < audio.loudness(clip, rate) < 0 or n_samples == 1


def test_loudness_of_long_clips_is_that_of_the_standard() -> None:
    rate = 8000
    seconds = np.arange(150 * rate) / rate
    swelling = (np.sin(seconds) ** 2 * np.sin(2 * np.pi * 997 * seconds)).astype(np.float32)
    whole = pyloudnorm.Meter(rate).integrated_loudness(swelling.astype(np.float64))
    assert audio.loudness(swelling, rate) == pytest.approx(whole, abs=0.02)


def test_silence_has_no_loudness_and_stays() -> None:
    silence = np.zeros((2, RATE), np.float32)
    assert audio.loudness(silence, RATE) == -np.inf
    samples, gain = audio.normalise(silence, RATE)
    assert gain == 1.0
    assert not samples.any()
    whisper = sine(1, level=1e-5)  # below the gate of -70 LUFS
    assert audio.loudness(whisper, RATE) == -np.inf
    assert audio.normalise(whisper, RATE)[1] == 1.0


def test_normalised_to_the_loudness_of_the_model_and_back(sample: Audio) -> None:
    samples, gain = audio.normalise(sample.samples, RATE)
    assert audio.loudness(samples, RATE) == pytest.approx(-24, abs=0.01)
    assert np.allclose(samples / gain, sample.samples, atol=1e-6)
    before = audio.loudness(sample.samples, RATE)
    samples, _ = audio.normalise(sample.samples * np.float32(0.05), RATE, before)
    assert audio.loudness(samples, RATE) == pytest.approx(before, abs=0.01)


def test_peak_wins_over_loudness() -> None:
    clicks = np.zeros(3 * RATE, np.float32)
    clicks[:: RATE // 2] = 0.8
    samples, gain = audio.normalise(clicks, RATE, -10)
    assert gain == pytest.approx(1.25)
    assert samples.max() == 1.0


def test_limit_touches_only_what_is_too_loud() -> None:
    quiet = stereo()
    assert audio.limit(quiet) is quiet
    assert np.abs(audio.limit(quiet * 4)).max() == 1.0
