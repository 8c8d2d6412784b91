"""Recordings: reading, writing, resampling, loudness."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

from vampprompt.errors import AudioError
from vampprompt.files import FilePath, atomic, check_readable, check_writable

Samples: TypeAlias = NDArray[np.float32]

# The loudness at which VampNet's codec hears its input.
MODEL_LUFS = -24.0
# The integrated loudness of ITU-R BS.1770 is defined from one gating block on.
_GATING_BLOCK = 0.4
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
# Filters work on float64 copies: a minute at a time, these stay small beside the recording.
_LOUDNESS_PIECE = 60.0

ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".caf", ".w64")
# What is read in any other subtype is written in the format's own default, and doubles as floats.
_KEPT_SUBTYPES = ("PCM_16", "PCM_24", "PCM_32", "FLOAT")
# libsndfile's Vorbis encoder overflows its stack when it gets a long file in one piece,
_WRITE_BLOCK = 1 << 16
# and brings the process down when it is asked for more than Vorbis has.
_VORBIS_RATE = 200_000
_VORBIS_CHANNELS = 255


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording.

    Attributes
    ----------
    samples : ndarray
        float32, ``[channel, samples]``, full scale at ±1.
    sample_rate : int
        In Hz.
    subtype : str or None
        How the file stored a sample, in libsndfile's words (``"PCM_16"``); `write` keeps it
        where the new file can.
    path : Path or None
        The file it was read from, so that a recipe can name it.
    source_identity : str
        The `identity` that the samples had when they were read from it.
    notes : tuple of str
        What the user should know: a file that ends early, tags that are lost.

    Examples
    --------
    >>> import numpy as np
    >>> Audio(np.zeros((2, 22050), np.float32), 44100).duration
    0.5
    """

    samples: Samples
    sample_rate: int
    subtype: str | None = None
    path: Path | None = None
    source_identity: str = field(default="", repr=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(f"audio is [channel, samples], not of shape {self.samples.shape}")

    @property
    def n_channels(self) -> int:
        """How many channels there are."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """How many samples each channel has."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @property
    def identity(self) -> str:
        """Hash of the samples and their rate: the same sound has the same in any file."""
        shape = f"{self.samples.shape} {self.sample_rate} "
        digest = hashlib.blake2b(shape.encode(), digest_size=20)
        digest.update(np.ascontiguousarray(self.samples).data)
        return digest.hexdigest()


def read(path: FilePath) -> Audio:
    """Read a recording in any format that libsndfile knows.

    Raises
    ------
    AudioError
        If the file is missing, is no audio, holds no samples, or holds samples that are not
        finite.

    Examples
    --------
    >>> audio = read("in.wav")
    >>> audio.n_channels, audio.sample_rate, audio.duration
    (1, 44100, 1.0)
    """
    path = check_readable(path, AudioError)
    if not path.stat().st_size:
        raise AudioError(f"'{path}' is an empty file")
    try:
        with soundfile.SoundFile(path) as file:
            samples = file.read(dtype="float32", always_2d=True)
            sample_rate, subtype = file.samplerate, file.subtype
    # soundfile takes a file that ends in .raw for headerless samples, and asks for their layout.
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise AudioError(
            f"'{path}' is not audio that can be read",
            hint=f"known are {' '.join(ENDINGS)} and a few more; convert it first",
        ) from error
    except MemoryError as error:
        raise AudioError(f"'{path}' says that it is larger than this machine's memory") from error
    if not len(samples):
        raise AudioError(f"'{path}' has no samples: it is 0 s long")
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        first = int(np.argmin(finite))
        raise AudioError(
            f"'{path}' has samples that are NaN or infinite: {np.sum(~finite)} of "
            f"{len(samples)}, the first at {first / sample_rate:.3f} s",
            hint="export it again, or repair it in an audio editor",
        )
    audio = Audio(np.ascontiguousarray(samples.T), sample_rate, subtype, path)
    return replace(audio, source_identity=audio.identity)


def write(path: FilePath, audio: Audio) -> None:
    """Write a recording; the file's ending chooses the format.

    The file appears whole or not at all. Samples beyond ±1 are clipped, unless the file stores
    floats.

    Raises
    ------
    AudioError
        If the ending is unknown, the folder does not exist or cannot be written to, the format
        cannot hold the recording, or samples are not finite.

    Examples
    --------
    >>> write("out.flac", read("in.wav"))
    >>> read("out.flac").duration
    1.0
    """
    path = Path(path)
    file_format = _format_of(path)
    if not np.isfinite(audio.samples).all():
        raise AudioError(f"'{path}' is not written: the audio has samples that are not finite")
    subtype = "FLOAT" if audio.subtype == "DOUBLE" else audio.subtype
    if subtype not in _KEPT_SUBTYPES or not soundfile.check_format(file_format, subtype):
        subtype = soundfile.default_subtype(file_format)
    too_wide = AudioError(
        f"'{path}' cannot hold {audio.n_channels} channel(s) at {audio.sample_rate} Hz",
        hint="write a .wav file",
    )
    if file_format == "OGG" and (
        audio.sample_rate > _VORBIS_RATE or audio.n_channels > _VORBIS_CHANNELS
    ):
        raise too_wide
    samples = audio.samples.T
    if subtype != "FLOAT":
        samples = np.clip(samples, -1.0, 1.0)
    with atomic(path, AudioError) as part:
        try:
            with soundfile.SoundFile(
                part, "w", audio.sample_rate, audio.n_channels, subtype, format=file_format
            ) as file:
                for start in range(0, len(samples), _WRITE_BLOCK):
                    file.write(samples[start : start + _WRITE_BLOCK])
        except soundfile.SoundFileError as error:
            raise too_wide from error


def check_output(path: FilePath) -> None:
    """Find out early whether `write` could write there. Leaves nothing behind.

    Raises
    ------
    AudioError
        As `write` does.
    """
    _format_of(Path(path))
    check_writable(path, AudioError)


def mono(samples: Samples) -> Samples:
    """Return the mean of all channels, ``[samples]``, of audio ``[channel, samples]``."""
    mixed: Samples = np.mean(samples, axis=0, dtype=np.float32)
    return mixed


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Return audio ``[..., samples]`` at another sample rate, by soxr's high quality.

    ``n`` samples become `resampled_length` of them.
    """
    if source_rate == target_rate:
        return samples
    import soxr

    n_samples = resampled_length(samples.shape[-1], source_rate, target_rate)
    channels = samples.reshape(-1, samples.shape[-1])
    resampled = soxr.resample(np.ascontiguousarray(channels.T), source_rate, target_rate).T
    return fit(resampled, n_samples).reshape(*samples.shape[:-1], n_samples)


def resampled_length(n_samples: int, source_rate: int, target_rate: int) -> int:
    """Return ``round(n_samples * target_rate / source_rate)``, at least one."""
    return max(1, round(n_samples * target_rate / source_rate))


def fit(samples: Samples, n_samples: int) -> Samples:
    """Return audio ``[..., samples]`` cut, or padded with silence, to a length at its end."""
    missing = n_samples - samples.shape[-1]
    if missing <= 0:
        return samples[..., :n_samples]
    return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])


def loudness(samples: Samples, sample_rate: int) -> float:
    """Return the integrated loudness of ITU-R BS.1770 in LUFS; ``-inf`` for silence.

    Channels are measured as if played one after another, so that a recording has the same
    loudness in mono and on two equal channels, as a codec of one channel hears it. A clip
    shorter than one gating block of 0.4 s is measured as if repeated.

    Parameters
    ----------
    samples : ndarray
        ``[samples]`` or ``[channel, samples]``.
    sample_rate : int
        In Hz.
    """
    import pyloudnorm

    line = samples.reshape(-1)
    if not line.any():
        return -np.inf
    # One sample more than the block: pyloudnorm rounds the other way for some rates.
    n_needed = int(_GATING_BLOCK * sample_rate) + 1
    if len(line) < n_needed:
        line = np.resize(line, n_needed)
    meter = pyloudnorm.Meter(sample_rate)
    blocks: list[float] = []
    n_pieces = max(1, round(len(line) / (_LOUDNESS_PIECE * sample_rate)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the mean of no blocks, where all lie below the gate
        for piece in np.array_split(line, n_pieces):
            meter.integrated_loudness(piece.astype(np.float64))
            blocks += meter.blockwise_loudness
    # BS.1770's two thresholds leave out the quiet blocks.
    heard = np.array([block for block in blocks if block >= _ABSOLUTE_GATE])
    return _mean_level(heard[heard > _mean_level(heard) + _RELATIVE_GATE])


def _mean_level(levels: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(10 ** (levels / 10)))) if len(levels) else -np.inf


def normalise(
    samples: Samples, sample_rate: int, lufs: float = MODEL_LUFS
) -> tuple[Samples, float]:
    """Bring audio to a loudness, as far as its peak stays within ±1.

    Dividing by the gain restores the level. Silence, and a target of ``-inf``, change nothing.

    Parameters
    ----------
    samples : ndarray
        ``[samples]`` or ``[channel, samples]``; all channels get the same gain.
    sample_rate : int
        In Hz.
    lufs : float
        The loudness to reach, measured as by `loudness`.

    Returns
    -------
    samples : ndarray
        The same audio at the new level.
    gain : float
        What it was multiplied by.
    """
    peak = _peak(samples)
    measured = loudness(samples, sample_rate)
    gain = 1.0
    if np.isfinite(measured) and np.isfinite(lufs):
        gain = 10 ** ((lufs - measured) / 20)
    if peak > 0:
        gain = min(gain, 1 / peak)
    return (samples * np.float32(gain)).clip(-1, 1), gain


def limit(samples: Samples) -> Samples:
    """Return audio turned down, where it must be, so that its peak stays within ±1."""
    peak = _peak(samples)
    return samples if peak <= 1 else (samples / np.float32(peak)).clip(-1, 1)


def _peak(samples: Samples) -> float:
    # Without the copy that np.abs would make of a long recording.
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def _format_of(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        hint = f"known: {' '.join(ENDINGS)}"
        raise AudioError(f"'{path}' ends in no known audio format", hint=hint)
    return "AIFF" if ending == ".aif" else ending[1:].upper()
