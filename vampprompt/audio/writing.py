"""Writing recordings: whole or not at all, and with all that the format can hold."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile

from vampprompt.audio import ffmpeg
from vampprompt.audio.formats import Format, format_of
from vampprompt.audio.reading import name_of
from vampprompt.audio.recording import Audio, Samples, check_finite, peak, resample
from vampprompt.audio.tags import add_chunks, add_fields, add_strings
from vampprompt.errors import AudioError
from vampprompt.files import FilePath, atomic, check_writable

# What is read in any other subtype is written in the format's own default, and doubles as floats.
_KEPT_SUBTYPES = ("PCM_16", "PCM_24", "PCM_32", "FLOAT")
# libsndfile's Vorbis encoder overflows its stack when it gets a long file in one piece.
_BLOCK = 1 << 16
# RIFF says sizes in 32 bits; beyond, with some room for chunks, it is RF64, its successor.
_MOST_RIFF = 2**32 - 2**26
_SPOOLED = 2**26


def write(file: FilePath | BinaryIO, audio: Audio, format: str | None = None) -> tuple[str, ...]:
    """Write a recording; the file's ending chooses the format.

    A file appears whole or not at all. One that stores floats keeps what is beyond ±1; for any
    other, a recording that goes beyond is turned down as a whole, and not clipped.

    Parameters
    ----------
    file : path or file object
        A file object gets all bytes in the end, and need not be one that can be sought in.
    audio : Audio
        The recording; its tags go with it where the format holds them.
    format : str, optional
        By its ending, ``"wav"``; needed for a file object.

    Returns
    -------
    tuple of str
        What is other than in the recording: a level, a rate, or tags that are not kept.

    Raises
    ------
    AudioError
        If the format is unknown, the folder does not exist or cannot be written to, the disk is
        full, the format cannot hold the recording, or samples are not finite.

    Examples
    --------
    >>> from vampprompt.audio import read
    >>> write("out.flac", read("in.wav"))
    ()
    >>> read("out.flac").duration
    1.0
    """
    if not isinstance(file, (str, os.PathLike)):
        name = name_of(file)
        kind = _checked(name, format, audio)
        with tempfile.SpooledTemporaryFile(_SPOOLED) as spooled, _told(name):
            notes = _encode(cast(BinaryIO, spooled), name, kind, audio)
            spooled.seek(0)
            shutil.copyfileobj(spooled, file)
            file.flush()
        return notes
    name = f"'{file}'"
    kind = _checked(name, format or Path(file).suffix, audio)
    with atomic(file, AudioError) as part, part.open("r+b") as stream:
        return _encode(stream, name, kind, audio)


def check_output(file: FilePath, audio: Audio | None = None) -> None:
    """Find out early whether `write` could write there. Leaves nothing behind.

    Parameters
    ----------
    file : path
        The file.
    audio : Audio, optional
        What is to be written, if it is known already.

    Raises
    ------
    AudioError
        As `write` does.

    Examples
    --------
    >>> check_output("out.flac", Audio(np.zeros((2, 8), np.float32), 44100))
    """
    _checked(f"'{file}'", Path(file).suffix, audio)
    check_writable(file, AudioError)


def _checked(name: str, ending: str | None, audio: Audio | None) -> Format:
    if ending is None:
        raise AudioError(f"{name} has no ending", hint='say the format: format="wav"')
    kind = format_of(f".{ending.removeprefix('.')}", name)
    if audio is None:
        return kind
    check_finite(audio.samples, audio.sample_rate, f"{name} is not written: the audio")
    # A rate far below the lowest would only blow the recording up.
    if audio.n_channels > kind.channels or 2 * audio.sample_rate < kind.rates[0]:
        raise _too_wide(name, audio)
    return kind


def _too_wide(name: str, audio: Audio) -> AudioError:
    return AudioError(
        f"{name} cannot hold {audio.n_channels} channel(s) at {audio.sample_rate} Hz",
        hint="write a .wav file",
    )


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # nobody listens any more: no fault of anybody's
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or error
        raise AudioError(f"cannot write {name}: {reason}") from error


def _encode(file: BinaryIO, name: str, kind: Format, audio: Audio) -> tuple[str, ...]:
    """Write a recording to a file that can be sought in; return notes."""
    import av

    notes = []
    samples, rate = audio.samples, audio.sample_rate
    if rate not in kind.rates:
        rate = next((one for one in kind.rates if one > rate), kind.rates[-1])
        samples = resample(samples, audio.sample_rate, rate)
        notes.append(f"{name} is at {rate} Hz: its format has not {audio.sample_rate} Hz")
    subtype = _subtype(kind, audio)
    if subtype != "FLOAT" and (highest := peak(samples)) > 1:
        samples = (samples / np.float32(highest)).clip(-1, 1)
        notes.append(
            f"{name} is turned down by {20 * np.log10(highest):.1f} dB, for its peak was above "
            "full scale, where it holds nothing; a .wav file of floats would"
        )
    sink = _Sink(file)
    taken: set[str] = set()
    try:
        if kind.by_ffmpeg:
            ffmpeg.encode(sink, kind, samples, rate)
        else:
            taken = _by_libsndfile(sink, kind, subtype, samples, rate, audio)
    except (soundfile.SoundFileError, av.FFmpegError, ValueError, AssertionError) as error:
        if sink.failure is None:
            raise _too_wide(name, audio) from error
    if sink.failure is not None:
        raise sink.failure
    if audio.tags is not None:
        if kind.container in ("MP3", "FLAC", "OGG", "ipod"):
            taken |= add_fields(file, audio.tags)
        chunks = add_chunks(file, audio.tags, (samples.shape[1], rate))
        if lost := audio.tags.lost(taken, chunks):
            notes.append(f"{name} lacks what the recording had: {', '.join(lost)}")
    return tuple(notes)


def _subtype(kind: Format, audio: Audio) -> str:
    subtype = "FLOAT" if audio.subtype == "DOUBLE" else audio.subtype
    if kind.subtype:
        return kind.subtype
    if subtype in _KEPT_SUBTYPES and soundfile.check_format(kind.container, subtype):
        return str(subtype)
    return str(soundfile.default_subtype(kind.container))


def _by_libsndfile(
    sink: _Sink, kind: Format, subtype: str, samples: Samples, rate: int, audio: Audio
) -> set[str]:
    """Write sound; return the names of the tags that went with it."""
    container = kind.container
    if container == "WAV" and samples.nbytes > _MOST_RIFF:
        container = "RF64"
    with soundfile.SoundFile(sink, "w", rate, len(samples), subtype, format=container) as sound:
        taken = add_strings(sound, kind.container, audio.tags)
        for start in range(0, samples.shape[1], _BLOCK):
            sound.write(samples[:, start : start + _BLOCK].T)
    return taken


class _Sink:
    """A file that keeps the error for which it could not be written: libraries in C lose it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None
        self.tell, self.read = file.tell, file.read

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = self.failure or error
            return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.failure = self.failure or error
            return 0
