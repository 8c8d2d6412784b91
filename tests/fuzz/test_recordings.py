"""Recordings: each is read, composed with and written whole, or refused, whatever it is."""

import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import vampprompt as vp
from tests.fuzz import checks
from tests.fuzz.checks import examples
from tests.toys import ToyCodec, ToyModel
from vampprompt import audio
from vampprompt.errors import AudioError, MaskError
from vampprompt.models import Bundle

FORMATS = {
    ".wav": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"),
    ".flac": ("PCM_S8", "PCM_16", "PCM_24"),
    ".ogg": ("VORBIS", "OPUS"),
    ".mp3": ("MPEG_LAYER_III",),
    ".aiff": ("PCM_16", "PCM_24", "FLOAT"),
    ".caf": ("PCM_16", "ALAC_16"),
    ".w64": ("PCM_24", "DOUBLE"),
    ".au": ("PCM_16",),
}
KINDS = [(ending, subtype) for ending, subtypes in FORMATS.items() for subtype in subtypes]


def noise(n_channels, n_samples, level=0.5):
    chance = np.random.default_rng(3)
    return chance.uniform(-level, level, (n_channels, n_samples)).astype(np.float32)


@pytest.fixture
def sound_file(tmp_path):
    """Write a recording; return its path."""

    def write(ending, subtype, n_samples=2000, n_channels=2, rate=48000):
        path = tmp_path / f"in{ending}"
        soundfile.write(path, noise(n_channels, n_samples).T, rate, subtype)
        return path

    return write


def read(path, content=None):
    """Read a recording, if it is one; then it must be fit for use."""
    if content is not None:
        path.write_bytes(content)
    with checks.refused(AudioError):
        found = audio.read(path)
        assert found.samples.dtype == np.float32
        assert found.samples.size
        assert np.isfinite(found.samples).all()
        assert found.sample_rate > 0
        return found
    return None


@pytest.mark.parametrize(("ending", "subtype"), KINDS)
@pytest.mark.parametrize("n_samples", [1, 17, 2001])
def test_every_format_is_read(sound_file, ending, subtype, n_samples):
    found = read(sound_file(ending, subtype, n_samples))
    assert found is not None
    assert found.samples.shape[0] == 2
    # Formats that work in blocks may round the length up.
    assert n_samples <= found.samples.shape[1] <= n_samples + 2048
    assert found.sample_rate == 48000


@pytest.mark.parametrize("rate", [1, 7, 8000, 44100, 768_000, 2**31 - 1])
@pytest.mark.parametrize("n_channels", [1, 3, 64, 1024])
def test_every_rate_and_width_is_read_and_written(sound_file, rate, n_channels):
    source = sound_file(".wav", "PCM_24", 5, n_channels, rate)
    found = audio.read(source)
    audio.write(source.with_name("out.wav"), found)
    again = audio.read(source.with_name("out.wav"))
    assert (again.sample_rate, again.subtype) == (rate, "PCM_24")
    assert np.array_equal(again.samples, found.samples)


@pytest.mark.parametrize(("ending", "subtype"), KINDS)
@examples(50)
@given(data=st.data())
def test_a_file_cut_short_or_spoilt_is_read_or_refused(sound_file, ending, subtype, data):
    path = sound_file(ending, subtype, data.draw(st.sampled_from([300, 2000])))
    read(path, data.draw(checks.spoilt(path.read_bytes())))


@pytest.mark.parametrize("ending", FORMATS)
def test_a_header_cut_at_any_byte_or_of_another_format_is_read_or_refused(sound_file, ending):
    path = sound_file(ending, FORMATS[ending][0], 50)
    whole = path.read_bytes()
    for length in range(min(len(whole), 120)):
        read(path, whole[:length])
    for other in KINDS:
        read(path, sound_file(*other, 100).read_bytes())


def riff(n_channels=1, rate=44100, bits=16, size=200, form=1):
    """Return a WAV file whose header says what it is told to say."""
    align = n_channels * bits // 8 % 2**16
    layout = struct.pack("<HHIIHH", form, n_channels, rate, rate * align % 2**32, align, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + chunks + bytes(range(200))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("n_channels", (0, 65535)),
        ("rate", (0, 2**32 - 1)),
        ("bits", (0, 1, 17, 32, 64, 65535)),
        ("size", (2**32 - 1, 199, 0)),
        ("form", (0, 3, 0xFFFE, 85)),
    ],
)
def test_a_header_that_says_what_cannot_be(tmp_path, field, values):
    for value in values:
        for form in (1, 3):
            read(tmp_path / "in.wav", riff(**{"form": form, field: value}))


def test_a_small_file_that_says_it_is_huge_takes_no_memory(sound_file):
    # Of a WAV the library believes the file's own length; FLAC only tells how many there are.
    path = sound_file(".flac", "PCM_16", 100, 1)
    content = bytearray(path.read_bytes())
    content[21:26] = bytes([content[21] | 0x0F, 255, 255, 255, 255])  # 2**36 - 1 samples
    read(path, content)


@pytest.mark.parametrize("name", ["\0.wav", "a\0b.wav", "\udcff.wav", "x" * 300 + ".wav"])
def test_paths_that_cannot_be(tmp_path, name):
    with pytest.raises(AudioError):
        audio.read(tmp_path / name)
    with checks.refused(AudioError):
        audio.write(tmp_path / name, audio.Audio(np.zeros((1, 9), np.float32), 8000))


@pytest.mark.parametrize("ending", audio.ENDINGS)
@pytest.mark.parametrize("rate", [1, 11025, 44100, 768_000])
@pytest.mark.parametrize("n_channels", [1, 2, 64, 300])
def test_what_is_written_is_whole_or_not_there(tmp_path, ending, rate, n_channels):
    path = tmp_path / f"out{ending}"
    path.write_bytes(b"old")
    one = audio.Audio(noise(n_channels, 1000), rate)
    with checks.refused(AudioError):
        audio.write(path, one)
    if path.read_bytes() != b"old":
        again = audio.read(path)
        n_samples = audio.resampled_length(1000, rate, again.sample_rate)
        assert again.samples.shape == (n_channels, n_samples)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


# Is killed when it has written, but not finished.
KILLED = """
import os, signal, sys
import numpy as np
import soundfile
from vampprompt import audio

soundfile.SoundFile.close = lambda file: os.kill(os.getpid(), signal.SIGKILL)
audio.write(sys.argv[1], audio.Audio(np.ones((2, 1 << 18), np.float32), 44100))
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_the_old_recording_survives_a_kill_in_the_middle_of_writing(sound_file):
    path = sound_file(".wav", "PCM_16")
    before = path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    # What was begun has another name, which no later writing meets.
    assert len(list(path.parent.iterdir())) == 2
    audio.write(path, audio.Audio(np.zeros((1, 7), np.float32), 8000))
    assert audio.read(path).n_samples == 7


@pytest.fixture(scope="module")
def bundle():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


def compose(audio, bundle, mask="periodic(7)", **settings):
    song = vp.compose(audio, mask, bundle, sampler="confidence(steps=2)", cache=False, **settings)
    assert song.sample_rate == audio.sample_rate
    assert song.audio.shape == (1, audio.n_channels, audio.n_samples * settings.get("stretch", 1))
    assert song.audio.dtype == np.float32
    assert np.isfinite(song.audio).all()
    assert np.abs(song.audio).max() <= max(1, np.abs(audio.samples).max() * (1 + 1e-6))
    return song


SHAPES = [(1, 1, 1), (2, 1, 2), (1, 7, 5), (2, 1000, 1), (1, 11025, 7001), (2, 44100, 1)]
SHAPES += [(1, 44100, 767), (1, 44100, 769), (64, 44100, 769), (2, 768_000, 1)]
SHAPES += [(1, 768_000, 99_991), (1, 2**31 - 1, 10_000)]


@pytest.mark.parametrize(("n_channels", "rate", "n_samples"), SHAPES)
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
