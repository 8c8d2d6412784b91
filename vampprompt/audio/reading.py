"""Reading recordings: whatever their file is, and whatever has happened to it."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import soundfile

from vampprompt.audio import ffmpeg
from vampprompt.audio.chains import Part, streams
from vampprompt.audio.ffmpeg import Heard
from vampprompt.audio.formats import READABLE
from vampprompt.audio.memory import check_memory
from vampprompt.audio.recording import Audio, check_finite, identity_of, joined
from vampprompt.audio.tags import chunks_of, read_tags
from vampprompt.errors import AudioError
from vampprompt.files import FilePath, check_readable

_BLOCK = 1 << 16
# Of samples in memory, what is needed until they are heard: they, and they at a codec's rate and
# level.
_COPIES = 3
# libsndfile's way to say that it does not know a length.
_UNKNOWN = 1 << 60
# What comes through a pipe is kept in memory up to the one, and refused from the other, in bytes.
_SPOOLED, _MOST_STREAM = 2**26, 2**32
# In its log, libsndfile says where a header and the file are of two minds.
_SHOULD = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
_NEVER_SET = 0xFFFFFF00
# How much may be missing, in seconds, before it is worth a note: encoders round.
_MISSING = 0.1
_LEAST_ZEROS = 8
# What encoders put before and behind the sound of an MP3 file.
_MP3_EDGES = 4 * 1152
_SHOWN = 12


def read(file: FilePath | BinaryIO) -> Audio:
    """Read a recording in any format that libsndfile or FFmpeg knows, also the sound of a video.

    Parameters
    ----------
    file : path or file object
        A file object is read in binary, from where it stands if it cannot be sought in.

    Returns
    -------
    Audio
        With notes on what is wrong with the file, if anything is.

    Raises
    ------
    AudioError
        If the file is missing, is no audio, holds no samples or samples that are not finite, or
        does not fit into memory.

    Examples
    --------
    >>> audio = read("in.wav")
    >>> audio.n_channels, audio.sample_rate, audio.duration
    (1, 44100, 1.0)
    """
    with _opened(file) as (stream, name, path):
        try:
            heard, notes = _heard(stream, name)
        except MemoryError as error:
            raise AudioError(f"{name} is larger than this machine's memory") from error
        except OSError as error:
            raise AudioError(f"cannot read {name}: {error.strerror or error}") from error
        samples, rate = heard.samples, heard.sample_rate
        if rate <= 0:
            raise AudioError(f"{name} has a sample rate of {rate} Hz")
        check_finite(samples, rate, name)
        tags = read_tags(stream, heard.strings, (samples.shape[1], rate))
    identity = identity_of(samples, rate)
    return Audio(samples, rate, heard.subtype, path, tuple(notes), tags, identity)


@contextmanager
def _opened(file: FilePath | BinaryIO) -> Iterator[tuple[BinaryIO, str, Path | None]]:
    """Give a file that can be sought in, the name that messages have for it, and its path."""
    if isinstance(file, (str, os.PathLike)):
        path = check_readable(file, AudioError)
        with path.open("rb") as stream:
            yield stream, f"'{path}'", path
        return
    name = name_of(file)
    if not file.seekable():
        with tempfile.SpooledTemporaryFile(_SPOOLED) as spooled:
            while block := file.read(_SPOOLED):
                spooled.write(block)
                if spooled.tell() > _MOST_STREAM:
                    raise AudioError(f"{name} gave more than {_MOST_STREAM >> 30} GiB, and no end")
            yield cast(BinaryIO, spooled), name, None
        return
    start = file.tell()
    yield _part(file, start, file.seek(0, os.SEEK_END)), name, None


def _part(file: BinaryIO, start: int, stop: int) -> BinaryIO:
    return cast(BinaryIO, Part(file, start, stop)) if start else file


def name_of(file: BinaryIO) -> str:
    """Return what messages call a file object.

    Raises
    ------
    AudioError
        If it is opened as text.
    """
    named = getattr(file, "name", None)
    name = f"'{named}'" if isinstance(named, str) else "the stream"
    if isinstance(cast(Any, file), io.TextIOBase):
        raise AudioError(f"{name} is opened as text", hint='open it in binary: open(path, "rb")')
    return name


def _heard(stream: BinaryIO, name: str) -> tuple[Heard, list[str]]:
    """Return what is heard in a file, and notes on what is wrong with it."""
    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise AudioError(f"{name} is an empty file")
    stream.seek(0)
    head = stream.read(_BLOCK)
    n_zeros = len(head) - len(head.lstrip(b"\0"))
    if _LEAST_ZEROS <= n_zeros < len(head):
        stream, size = _part(stream, n_zeros, size), size - n_zeros
        head = head[n_zeros:]
    parts, has_end = streams(stream, size)
    try:
        heard = [_by_libsndfile(part, name) for part in parts]
    # soundfile takes a file called .raw for headerless samples, and asks for their layout.
    except (soundfile.SoundFileError, TypeError, ValueError):
        heard = []
    is_unfinished = _is_unfinished(stream, size)
    is_mp3 = head.startswith((b"ID3", b"\xff"))
    if not all(one.samples.size for one in heard):
        if not is_unfinished and head.startswith((b"RIFF", b"FORM", b"OggS")):
            raise AudioError(f"{name} has no samples: it is 0 s long")
        heard = []
    if is_mp3 and heard and _has_more(stream, heard[0]):
        heard = []
    heard = heard or [_by_ffmpeg(stream, name)]
    samples, rate = joined([(one.samples, one.sample_rate) for one in heard])
    claimed = sum(one.claimed / one.sample_rate for one in heard if one.claimed)
    seconds = samples.shape[1] / rate
    notes = []
    if is_unfinished or any(one.never_set for one in heard):
        notes.append(f"{name} was never finished: all that is behind its header was read")
    elif claimed - seconds > max(_MISSING, claimed * 1e-3) and len(heard) == 1:
        notes.append(f"{name} is cut off: it says {claimed:.2f} s, and has {seconds:.2f} s")
    elif not has_end or any(one.is_cut for one in heard):
        notes.append(
            f"{name} is cut off, or was never finished: it has no end after {seconds:.2f} s"
        )
    elif any(one.damaged for one in heard):
        notes.append(f"{name} is damaged: parts of it could not be decoded and are missing")
    return replace(heard[0], samples=samples, sample_rate=rate), notes


def _by_libsndfile(stream: Part, name: str) -> Heard:
    """Return what libsndfile hears; no samples where it cannot tell how many there are."""
    stream.seek(0)
    with soundfile.SoundFile(stream) as file:
        rate, n_samples = file.samplerate, file.frames
        if n_samples >= _UNKNOWN:
            n_samples = 0
        check_memory(
            4 * _COPIES * n_samples * file.channels, f"{name}, {n_samples / rate:,.0f} s long,"
        )
        samples = np.empty((file.channels, n_samples), np.float32)
        block = np.empty((min(_BLOCK, n_samples), file.channels), np.float32)
        done = 0
        while done < n_samples:
            # `out` makes soundfile not ask how much is left, which not all of its formats know.
            got = file.read(out=block[: n_samples - done])
            if not len(got):
                break
            samples[:, done : done + len(got)] = got.T
            done += len(got)
        claimed, never_set = n_samples, False
        for says, there in _SHOULD.findall(file.extra_info):
            never_set |= int(says) >= _NEVER_SET
            claimed = round(n_samples * int(says) / max(1, int(there)))
        if never_set or (file.format == "MP3" and not _says_length(stream)):
            claimed = done
        strings = file.copy_metadata()
        if stream.failure:
            raise stream.failure
        return Heard(samples[:, :done], rate, file.subtype, claimed, 0, strings, never_set)


def _says_length(stream: Part) -> bool:
    """Return whether an MP3 file has a header with its length, rather than an estimate."""
    from mutagen.mp3 import MP3, BitrateMode

    try:
        stream.seek(0)
        info: Any = MP3(stream).info  # type: ignore[no-untyped-call]
        return bool(info.bitrate_mode != BitrateMode.UNKNOWN)
    except Exception:  # whatever is wrong with tags
        return False


def _has_more(stream: BinaryIO, heard: Heard) -> bool:
    """Return whether more MP3 files follow the first, which is all that libsndfile hears."""
    with suppress(Exception):
        return bool(ffmpeg.n_samples(stream) > heard.samples.shape[1] + _MP3_EDGES)
    return False


def _by_ffmpeg(stream: BinaryIO, name: str) -> Heard:
    import av

    try:
        return ffmpeg.decode(stream, name)
    except (av.FFmpegError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise AudioError(
            f"{name} is not audio that can be read",
            hint=f"known are {' '.join(READABLE[:_SHOWN])} and more; convert it first",
        ) from error


def _is_unfinished(stream: BinaryIO, size: int) -> bool:
    """Return whether a RIFF or AIFF file says that it has no sound, and has: power was lost."""
    chunks = iter(chunks_of(stream))
    for chunk, place, n_bytes in chunks:
        if chunk in (b"data", b"SSND") and not n_bytes:
            rest = list(chunks)
            sane = all(one.isascii() and at + n <= size + 1 for one, at, n in rest)
            return size > place and not (rest and sane)
    return False
