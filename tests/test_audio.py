from __future__ import annotations

import io
import os
import resource
import struct
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("ending", [*(one[1:] for one in audio.ENDINGS), "WAV", "Flac", "M4A"])
def test_every_ending_is_written_and_read(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    audio.write(path, Audio(stereo(), RATE))
    again = audio.read(path)
    assert again.n_channels == 2
    assert again.sample_rate == (48000 if ending == "opus" else RATE)
    assert again.duration == pytest.approx(0.5, abs=1e-4)
    heard = audio.resample(again.samples, again.sample_rate, RATE)[:, 5000:15000]
    lossy = ending.lower() in ("ogg", "oga", "opus", "mp3", "m4a")
    assert np.allclose(heard, stereo()[:, 5000:15000], atol=0.05 if lossy else 2**-15)
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


@pytest.mark.parametrize(
    ("ending", "subtype"),
    [("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "PCM_32"), ("flac", "FLOAT"), ("wav", "FLOAT")],
)
def test_loud_samples_are_turned_down_and_told_unless_floats_hold_them(
    ending: str, subtype: str, tmp_path: Path
) -> None:
    loud = np.array([[-3.0, -1.0, 0.0, 1.0, 3.0]], np.float32)
    notes = audio.write(tmp_path / f"out.{ending}", Audio(loud, RATE, subtype))
    written = audio.read(tmp_path / f"out.{ending}").samples
    is_kept = (ending, subtype) == ("wav", "FLOAT")
    assert np.allclose(written, loud if is_kept else loud / 3, atol=2**-14)
    assert ["turned down by 9.5 dB" in note for note in notes] == [True] * (not is_kept)


@pytest.mark.parametrize(
    ("name", "samples", "rate", "message"),
    [
        ("out.flac", np.zeros((9, 100)), RATE, r"cannot hold 9 channel\(s\)"),
        ("out.m4a", np.zeros((7, 100)), RATE, "at 44100 Hz\nwrite a .wav file"),
        ("out.ogg", np.zeros((256, 100)), RATE, r"cannot hold 256 channel\(s\)"),
    ],
)
def test_refuses_what_a_format_cannot_hold(
    name: str, samples: np.ndarray, rate: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AudioError, match=message):
        audio.write(tmp_path / name, Audio(samples, rate))
    with pytest.raises(AudioError, match=message):
        audio.check_output(tmp_path / name, Audio(samples, rate))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ending", "rate", "written"),
    [("opus", 44100, 48000), ("mp3", 96000, 48000), ("m4a", 7000, 7350), ("ogg", 250_000, 200_000)],
)
def test_a_rate_that_a_format_has_not_is_brought_to_the_next(
    ending: str, rate: int, written: int, tmp_path: Path
) -> None:
    (note,) = audio.write(tmp_path / f"out.{ending}", Audio(np.zeros((1, rate)), rate))
    assert f"is at {written} Hz: its format has not {rate} Hz" in note
    again = audio.read(tmp_path / f"out.{ending}")
    assert (again.sample_rate, again.duration) == (written, pytest.approx(1.0, abs=1e-3))


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


@pytest.mark.parametrize("level", [1e-3, 1e-4, 1e-5, 1e-9, 1e-30])
def test_what_lies_below_the_standards_gate_is_loud_too(level: float, sample: Audio) -> None:
    whisper = np.float32(level) * sample.samples
    if level < 1e-3:  # all of it below -70 LUFS
        there = audio.loudness(sample.samples, RATE) + 20 * np.log10(level)
        assert audio.loudness(whisper, RATE) == pytest.approx(there, abs=0.2)
    samples, gain = audio.normalise(whisper, RATE)
    assert audio.loudness(samples, RATE) == pytest.approx(-24, abs=2)
    assert np.allclose(samples / gain, whisper, rtol=1e-5)


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


def bytes_of(ending: str, seconds: float = 1.0, **how: Any) -> bytes:
    file = io.BytesIO()
    kind = {"rate": RATE, "format": ending.upper(), **how}
    time = np.arange(round(seconds * kind["rate"])) / kind["rate"]
    soundfile.write(file, 0.3 * np.sin(2800 * time), kind.pop("rate"), **kind)
    return file.getvalue()


def wav(data_size: int | None = None, riff_size: int | None = None, behind: bytes = b"") -> bytes:
    """One second of sound, with other sizes in its header than it has."""
    file = bytearray(bytes_of("wav"))
    place = file.index(b"data") + 4
    if data_size is not None:
        file[place : place + 4] = struct.pack("<I", data_size)
    if riff_size is not None:
        file[4:8] = struct.pack("<I", riff_size)
    return bytes(file) + behind


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_length(flac: bytes) -> bytes:
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


def unfinished_aiff() -> bytes:
    file = bytearray(bytes_of("aiff"))
    for name, offset in ((b"FORM", 4), (b"COMM", 10), (b"SSND", 4)):
        place = file.index(name) + offset
        file[place : place + 4] = bytes(4)
    return bytes(file)


NEVER, CUT = "was never finished", "is cut off"
FILES: dict[str, tuple[Callable[[], bytes], float, str]] = {
    "cut wav": (lambda: half(wav()), 0.5, CUT),
    "cut flac": (lambda: half(bytes_of("flac", 2)), 1.0, CUT),
    "cut aiff": (lambda: half(bytes_of("aiff")), 0.5, CUT),
    "cut au": (lambda: half(bytes_of("au")), 0.5, CUT),
    "cut caf": (lambda: half(bytes_of("caf")), 0.48, CUT),
    "cut w64": (lambda: half(bytes_of("w64")), 0.5, CUT),
    "cut mp3": (lambda: half(bytes_of("mp3", 4)), 2.0, CUT),
    "cut ogg": (lambda: half(bytes_of("ogg", 20)), 8.21, CUT),
    "wav without sizes": (lambda: wav(0, 0), 1.0, NEVER),
    "wav without a size of data": (lambda: wav(0), 1.0, NEVER),
    "wav from a pipe": (lambda: wav(2**32 - 1, 2**32 - 1), 1.0, NEVER),
    "aiff without sizes": (unfinished_aiff, 1.0, NEVER),
    "flac of unknown length": (lambda: without_length(bytes_of("flac")), 1.0, ""),
    "joined mp3": (lambda: bytes_of("mp3") + bytes_of("mp3", 1.5), 2.5, ""),
    "chained ogg": (lambda: bytes_of("ogg") + bytes_of("ogg", 1.5), 2.5, ""),
    "chained ogg of two rates": (lambda: bytes_of("ogg") + bytes_of("ogg", rate=22050), 2.0, ""),
    "joined flac": (lambda: bytes_of("flac") + bytes_of("flac", 1.5), 2.5, ""),
    "joined wav": (lambda: wav() + wav(), 2.0, ""),
    "mp3 from within": (lambda: bytes_of("mp3", 2)[999:], 2.0, ""),
    "mp3 behind zeros": (lambda: bytes(2000) + bytes_of("mp3"), 1.0, ""),
    "gsm": (lambda: bytes_of("wav", rate=8000, subtype="GSM610"), 1.0, ""),
    "adpcm": (lambda: bytes_of("wav", rate=8000, subtype="MS_ADPCM"), 1.0, ""),
    "big-endian": (lambda: bytes_of("wav", endian="BIG"), 1.0, ""),
    "alac": (lambda: bytes_of("caf", subtype="ALAC_24"), 1.0, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_all_of_a_file_is_read_and_what_is_wrong_is_told(name: str) -> None:
    make, seconds, note = FILES[name]
    heard = audio.read(io.BytesIO(make()))
    assert heard.duration == pytest.approx(seconds, abs=0.12)
    assert 0.1 < np.sqrt(np.mean(heard.samples[:, 3000:-3000] ** 2)) < 0.3
    assert [note in one for one in heard.notes] == [True] * bool(note)


def test_chunks_behind_an_empty_recording_are_no_sound() -> None:
    title = b"LIST" + struct.pack("<I", 16) + b"INFOINAM" + struct.pack("<I", 4) + b"abc\0"
    empty = half(wav())[:44].replace(b"data" + struct.pack("<I", 2 * RATE), b"data" + bytes(4))
    with pytest.raises(AudioError, match="has no samples"):
        audio.read(io.BytesIO(empty + title))


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        *(("ipod", "aac"), ("ipod", "alac"), ("adts", "aac"), ("matroska", "libopus")),
        *(("mov", "pcm_s16le"), ("avi", "pcm_s16le"), ("asf", "mp2"), ("wv", "wavpack")),
    ],
)
def test_what_libsndfile_does_not_know_is_read(container: str, codec: str) -> None:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=48000, layout="stereo")
        wave = np.stack([sine(1, 440, 0.5), sine(1, 997, 0.5)])
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
        frame.sample_rate = 48000
        size = stream.codec_context.frame_size or 1024
        shaped = av.AudioResampler(stream.codec_context.format, "stereo", 48000, size)
        for one in (*shaped.resample(frame), *shaped.resample(None)):
            out.mux(stream.encode(one))
        out.mux(stream.encode(None))
    heard = audio.read(io.BytesIO(file.getvalue()))
    assert (heard.sample_rate, heard.n_channels) == (48000, 2)
    assert heard.duration == pytest.approx(RATE / 48000, abs=0.06)
    assert np.sqrt(np.mean(heard.samples**2, axis=1)) == pytest.approx([0.35, 0.35], abs=0.03)


@pytest.mark.parametrize("head", [b"#EXTM3U\n#EXTINF:9,\n", b"ffconcat version 1.0\nfile "])
def test_a_file_cannot_name_other_files(head: bytes, tmp_path: Path) -> None:
    audio.write(tmp_path / "other.wav", Audio(stereo(), RATE))
    (tmp_path / "in.m4a").write_bytes(head + str(tmp_path / "other.wav").encode() + b"\n")
    with pytest.raises(AudioError, match="not audio that can be read"):
        audio.read(tmp_path / "in.m4a")


def test_reads_and_writes_file_objects(tmp_path: Path) -> None:
    one = Audio(stereo(), RATE)
    audio.write(tmp_path / "out.wav", one)
    content = (tmp_path / "out.wav").read_bytes()
    written = io.BytesIO()
    assert audio.write(written, one, "wav") == ()
    assert written.getvalue() == content
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as into, os.fdopen(reading, "rb") as out:
        sender = threading.Thread(target=lambda: (into.write(content), into.close()))
        sender.start()
        assert audio.read(out).identity == audio.read(tmp_path / "out.wav").identity
        sender.join()
    with pytest.raises(AudioError, match='say the format: format="wav"'):
        audio.write(written, one)
    with (tmp_path / "out.wav").open() as text, pytest.raises(AudioError, match="opened as text"):
        audio.read(text)  # type: ignore[arg-type]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk")
@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "m4a"])
def test_a_full_disk_is_called_one(ending: str) -> None:
    with (
        pytest.raises(AudioError, match="cannot write '/dev/full': the disk is full"),
        open("/dev/full", "wb", buffering=0) as full,  # noqa: PTH123
    ):
        audio.write(full, Audio(stereo(), RATE), ending)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "m4a"])
def test_a_file_that_cannot_grow_is_no_fault_of_the_format(ending: str, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 3 * RATE))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, before[1]))
        with pytest.raises(AudioError, match=r"cannot write '.*': File too large"):
            audio.write(tmp_path / f"out.{ending}", Audio(noise, RATE))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


@pytest.fixture
def loop() -> Audio:
    """A loop with a title, a tempo, loop points, markers and a time code."""
    tempo = struct.pack("<IHHfIHHf", 0, 60, 0x8000, 0.0, 4, 4, 4, 120.0)
    place = struct.pack("<2I4s3I", 1, 100, b"data", 0, 0, 100)
    chunks = [
        chunk(b"LIST", b"INFO" + chunk(b"INAM", b"My loop\0") + chunk(b"IART", b"Me\0")),
        chunk(b"acid", tempo),
        chunk(b"smpl", bytes(60)),
        chunk(b"cue ", struct.pack("<I", 1) + place),
        chunk(b"LIST", b"adtl" + chunk(b"labl", struct.pack("<I", 1) + b"hit\0")),
        chunk(b"bext", bytes(602)),
    ]
    return audio.read(io.BytesIO(wav(behind=b"".join(chunks))))


def test_tags_go_where_a_format_holds_them_and_the_others_are_told(
    loop: Audio, tmp_path: Path
) -> None:
    assert loop.tags is not None
    all_fields = {"title": "My loop", "artist": "Me", "bpm": "120"}
    assert loop.tags.fields == all_fields
    placed = "lacks what the recording had: loop points, markers"
    for ending, fields, notes in [
        ("wav", all_fields, []),
        ("flac", all_fields, [f"{placed}, time code"]),
        ("mp3", all_fields, [f"{placed}, time code"]),
        ("ogg", all_fields, [f"{placed}, time code"]),
        ("m4a", all_fields, [f"{placed}, time code"]),
        ("aiff", {"title": "My loop", "artist": "Me"}, [f"{placed}, tempo, time code"]),
        ("w64", {}, ["artist, loop points, markers, tempo, time code, title"]),
    ]:
        found = audio.write(tmp_path / f"out.{ending}", loop)
        assert len(found) == len(notes)
        assert all(told in one for one, told in zip(found, notes, strict=True))
        again = audio.read(tmp_path / f"out.{ending}")
        assert (dict(again.tags.fields) if again.tags else {}) == fields
        assert np.allclose(again.samples, loop.samples, atol=0.5)
    again = audio.read(tmp_path / "out.wav")
    assert again.tags is not None
    assert again.tags.chunks == loop.tags.chunks
    assert np.array_equal(again.samples, loop.samples)


def test_markers_do_not_go_into_a_sound_of_another_length(loop: Audio, tmp_path: Path) -> None:
    (note,) = audio.write(tmp_path / "out.wav", replace(loop, samples=loop.samples[:, :999]))
    assert note.endswith("lacks what the recording had: loop points, markers")


def test_memory_is_asked_for_beforehand(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"10,000,000 s at 44100 Hz needs .* GiB of memory, and"):
        audio.resample(np.zeros((1, 10_000_000), np.float32), 1, 44100)
    flac = bytearray(bytes_of("flac"))
    flac[21:26] = bytes([flac[21] | 0xF, *b"\xff\xff\xff\xff"])  # 2^36 samples
    with pytest.raises(AudioError, match=r"s long, needs [\d,.]+ GiB of memory"):
        audio.read(io.BytesIO(flac))


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((1, 9), np.int16), RATE, "are floats with full scale at ±1, not int16\ndivide"),
        (np.zeros((1, 9), bool), RATE, "not bool"),
        (np.zeros((1, 9), complex), RATE, "not complex128"),
        (np.zeros(9), RATE, r"is \[channel, samples\], not of shape \(9,\)"),
        (np.zeros((0, 9)), RATE, r"not of shape \(0, 9\)"),
        (np.array([[0, np.nan]]), RATE, "NaN or infinite: 1 of 2, the first at 0.000 s"),
        (np.array([[1e300]]), RATE, "NaN or infinite"),
        (np.zeros((1, 9)), 0, "whole number of Hz above 0, not 0"),
        (np.zeros((1, 9)), 44100.5, "whole number of Hz"),
        (np.zeros((1, 9)), np.inf, "whole number of Hz"),
        (np.zeros((1, 9)), True, "a number of Hz, not True"),
        (np.zeros((1, 9)), "44100", "a number of Hz, not '44100'"),
    ],
)
def test_audio_in_memory_is_checked_as_a_file_is(samples, rate, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        Audio(samples, rate)


def test_audio_in_memory_is_float32() -> None:
    one = Audio(np.zeros((1, 9)), np.int64(RATE))  # type: ignore[arg-type]
    assert one.samples.dtype == np.float32
    assert type(one.sample_rate) is int
    assert repr(one) == "Audio(1 x 9 at 44100 Hz)"


def test_identity_is_that_of_the_samples_as_they_are(example_path: Path) -> None:
    one = audio.read(example_path)
    assert one.is_as_read
    assert replace(one, path=None).identity == one.identity
    assert not replace(one, samples=one.samples[:, 1:]).is_as_read
    one.samples[0, 5] += 0.1
    assert not one.is_as_read


def test_what_cancels_in_the_mean_is_heard() -> None:
    side = sine(2, 440, 0.5)
    assert np.array_equal(audio.mono(np.stack([side, side])), side)
    assert np.allclose(audio.mono(np.stack([side, -side])), side, atol=1e-6)
    # Only half of it is of opposite phase.
    turned = np.where(np.arange(len(side)) < RATE, side, -side)
    heard = audio.mono(np.stack([side, turned]))
    assert np.allclose(heard[:30000], side[:30000], atol=1e-6)
    assert np.abs(heard[60000:]).max() == pytest.approx(0.5, abs=0.01)
    # Sides that have nothing in common are mixed as ever.
    noise = np.random.default_rng(0).normal(0, 0.1, (2, RATE)).astype(np.float32)
    assert np.array_equal(audio.mono(noise), np.mean(noise, axis=0, dtype=np.float32))


def test_loudness_leaves_the_warnings_of_others_alone(sample: Audio) -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: audio.loudness(sample.samples[:, :n], RATE), range(100, 9000, 300)))
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.wav", None),
        ("a.M4A", None),
        ("a.mov", None),
        ("._a.wav", "what macOS notes"),
        (".a.wav", "hidden"),
        ("a.jpg", "no audio by its ending '.jpg'"),
        ("a", "no ending"),
    ],
)
def test_says_why_a_file_is_left_out(name: str, why: str | None) -> None:
    found = audio.why_left_out(Path("loops", name))
    assert found is None if why is None else found and found.startswith(why)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes elsewhere too, but not any")
@pytest.mark.parametrize(
    "name", [b"caf\xe9.wav", "Größe – 音 ♥.flac".encode(), b"x" * 251 + b".mp3"]
)
def test_any_name_that_a_file_can_have(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    audio.write(path, Audio(stereo(), RATE))
    assert audio.read(path).duration == 0.5


@pytest.mark.parametrize("unknown", [False, True])
def test_memory_that_a_container_or_a_user_does_not_have(unknown: bool, monkeypatch) -> None:
    from vampprompt.audio import memory

    class Machine:
        """Files of a machine that says what it has, or of one that says nothing."""

        def __init__(self, path: str) -> None:
            self.path = path

        def __truediv__(self, name: str) -> Machine:
            return Machine(f"{self.path}/{name}")

        def read_text(self) -> str:
            if unknown or "meminfo" in self.path:
                raise OSError
            said = {"memory.current": "1000", "memory.max": str(2**30), "statm": "5 5"}
            return said[self.path.rpartition("/")[2]]

    monkeypatch.setattr(memory, "Path", Machine)
    monkeypatch.setattr("resource.getrlimit", lambda kind: (2**31, 2**31))
    if unknown:
        memory.check_memory(2**29, "it")
    else:
        with pytest.raises(AudioError, match=r"it needs 1\.5 GiB of memory, and 1\.0 GiB are free"):
            memory.check_memory(1.5 * 2**30, "it")
