"""Recordings: every format, rate, width and length is read, and every damage is refused."""

import struct

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz import checks
from tests.fuzz.effort import examples
from vampprompt import audio
from vampprompt.errors import AudioError

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


def noise(n_samples, n_channels=1):
    return np.random.default_rng(3).uniform(-0.5, 0.5, (n_samples, n_channels))


def sound_file(path, ending, subtype, n_samples=2000, n_channels=2, rate=48000):
    path = path.with_suffix(ending)
    soundfile.write(path, noise(n_samples, n_channels), rate, subtype)
    return path


def read(path):
    """Read a recording, if it is one; then it must be fit for use."""
    with checks.refused(AudioError):
        found = audio.read(path)
        assert found.samples.dtype == np.float32
        assert found.samples.size
        assert np.isfinite(found.samples).all()
        assert found.sample_rate > 0
        return found
    return None


@pytest.fixture
def path(tmp_path):
    return tmp_path / "in.wav"


@pytest.mark.parametrize(("ending", "subtype"), KINDS)
@pytest.mark.parametrize("n_samples", [1, 17, 2001])
def test_every_format_is_read(path, ending, subtype, n_samples):
    found = read(sound_file(path, ending, subtype, n_samples))
    assert found is not None
    assert found.samples.shape[0] == 2
    # Formats that work in blocks may round the length up.
    assert n_samples <= found.samples.shape[1] <= n_samples + 2048
    assert found.sample_rate == 48000


@pytest.mark.parametrize("rate", [1, 7, 8000, 44100, 768_000, 2**31 - 1])
@pytest.mark.parametrize("n_channels", [1, 3, 64, 1024])
def test_every_rate_and_width_is_read_and_written(path, rate, n_channels):
    source = sound_file(path, ".wav", "PCM_24", 5, n_channels, rate)
    found = audio.read(source)
    audio.write(path.with_name("out.wav"), found)
    again = audio.read(path.with_name("out.wav"))
    assert (again.sample_rate, again.subtype) == (rate, "PCM_24")
    assert np.array_equal(again.samples, found.samples)


@pytest.mark.parametrize(("ending", "subtype"), KINDS)
@examples(25)
@given(share=st.floats(0, 1))
@example(0.0)
def test_a_file_cut_short_is_read_or_refused(path, ending, subtype, share):
    whole = sound_file(path, ending, subtype).read_bytes()
    cut = path.with_suffix(ending)
    cut.write_bytes(whole[: int(share * len(whole))])
    read(cut)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_header_cut_at_any_byte_is_read_or_refused(path, ending):
    whole = sound_file(path, ending, FORMATS[ending][0], 50).read_bytes()
    for length in range(min(len(whole), 120)):
        path.with_suffix(ending).write_bytes(whole[:length])
        read(path.with_suffix(ending))


@pytest.mark.parametrize(("ending", "subtype"), KINDS)
@examples(25)
@given(data=st.data())
def test_a_file_with_other_bytes_in_it_is_read_or_refused(path, ending, subtype, data):
    content = bytearray(sound_file(path, ending, subtype, 300).read_bytes())
    # What describes the sound stands in front, in front of each block, or behind.
    for _ in range(data.draw(st.integers(1, 4))):
        last = data.draw(st.sampled_from([min(60, len(content)), len(content)])) - 1
        place = data.draw(st.integers(0, last))
        wrong = data.draw(st.sampled_from([b"\0", b"\xff", b"\x7f", b"\0\0\0\0", b"\xff" * 4]))
        wrong = data.draw(st.binary(min_size=1, max_size=4) | st.just(wrong))
        content[place : place + len(wrong)] = wrong
    damaged = path.with_suffix(ending)
    damaged.write_bytes(content)
    read(damaged)


@pytest.mark.parametrize("ending", FORMATS)
@examples(25)
@given(other=st.sampled_from(KINDS))
def test_a_file_with_the_ending_of_another_is_read_or_refused(path, ending, other):
    content = sound_file(path, *other, 100).read_bytes()
    path.with_suffix(ending).write_bytes(content)
    read(path.with_suffix(ending))


@examples(200)
@given(content=st.binary(max_size=200), magic=st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS"]))
def test_any_bytes_are_refused(path, content, magic):
    path.write_bytes(magic + content)
    read(path)


def riff(n_channels=1, rate=44100, bits=16, size=200, form=1):
    """Return a WAV file whose header says what it is told to say."""
    align = n_channels * bits // 8 % 2**16
    layout = struct.pack("<HHIIHH", form, n_channels, rate, rate * align % 2**32, align, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + chunks + bytes(range(200))


@pytest.mark.parametrize(
    "header",
    [
        {"n_channels": 0},
        {"n_channels": 65535},
        {"rate": 0},
        {"rate": 2**32 - 1},
        {"bits": 0},
        {"bits": 1},
        {"bits": 17},
        {"bits": 64},
        {"bits": 65535},
        {"size": 2**32 - 1},
        {"size": 199},
        {"size": 0},
        {"form": 0},
        {"form": 3},
        {"form": 3, "bits": 32},
        {"form": 0xFFFE},
        {"form": 85},
    ],
    ids=str,
)
def test_a_header_that_says_what_cannot_be(path, header):
    path.write_bytes(riff(**header))
    read(path)


def test_a_small_file_that_says_it_is_huge_takes_no_memory(path):
    # Of a WAV the library believes the file's own length; FLAC only tells how many there are.
    content = bytearray(sound_file(path, ".flac", "PCM_16", 100, 1).read_bytes())
    content[21:26] = bytes([content[21] | 0x0F, 255, 255, 255, 255])  # 2**36 - 1 samples
    path.with_suffix(".flac").write_bytes(content)
    read(path.with_suffix(".flac"))


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
    one = audio.Audio(noise(1000, n_channels).T.astype(np.float32), rate)
    with checks.refused(AudioError):
        audio.write(path, one)
    if path.read_bytes() != b"old":
        assert audio.read(path).samples.shape == (n_channels, 1000)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
