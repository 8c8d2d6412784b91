"""What libsndfile does not know, by FFmpeg: m4a, wma, the sound of video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from vampprompt.audio.formats import Format
from vampprompt.audio.memory import check_memory
from vampprompt.audio.recording import Samples, joined
from vampprompt.errors import AudioError

# Only files that hold sound themselves: playlists name other files, and addresses.
_CONTAINERS = """aac ac3 aiff amr ape asf au avi caf dsf dts eac3 flac flv loas matroska mov mp3 mpc
mpc8 mpeg mpegts ogg tta voc w64 wav wv"""
_OPTIONS = {"format_whitelist": ",".join(_CONTAINERS.split()), "protocol_whitelist": "none"}
# These hold no length: what FFmpeg says of it is a guess.
_ENDLESS = frozenset({"aac", "ac3", "amr", "dts", "eac3", "loas", "mp3", "mpeg", "mpegts"})
_SUBTYPES = {"s16": "PCM_16", "s32": "PCM_24", "flt": "FLOAT", "dbl": "FLOAT", "u8": "PCM_U8"}
# Encoders fill their last block with silence.
_LARGEST_BLOCK = 2048
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1")
_BITS_A_CHANNEL = 128_000
_BLOCK = 1 << 14
# In bytes of sound, how often it is asked whether there is memory for more.
_OFTEN = 2**26


@dataclass(frozen=True)
class Heard:
    """Sound as it was read.

    Attributes
    ----------
    samples, sample_rate, subtype
        As of `Audio`.
    claimed : int or None
        How many samples the file says that it has.
    damaged : int
        How many packets could not be decoded.
    strings : dict
        Titles and the like.
    never_set : bool
        Whether the header does not say how much there is.
    is_cut : bool
        Whether the file ends where there should be more.
    """

    samples: Samples
    sample_rate: int
    subtype: str | None
    claimed: int | None = None
    damaged: int = 0
    strings: Mapping[str, str] = field(default_factory=dict)
    never_set: bool = False
    is_cut: bool = False


def decode(file: BinaryIO, name: str) -> Heard:
    """Return the best sound that there is in a file.

    Raises
    ------
    AudioError
        If there is no sound, or it would not fit into memory.
    av.FFmpegError
        If FFmpeg does not know it.
    """
    import av

    file.seek(0)
    with av.open(file, "r", options=_OPTIONS, metadata_errors="replace") as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            raise AudioError(f"{name} has no sound in it")
        context: Any = stream.codec_context  # None where nothing can decode it
        if context is None:
            raise ValueError("there is no decoder")
        claimed = _claimed(container, stream)
        check_memory(12 * context.channels * (claimed or 0), name)
        # Rate and channels may change on the way: what is one kind, together.
        runs: list[tuple[tuple[int, int], list[Samples]]] = []
        n_bytes = damaged = 0
        kind, is_cut = "", False
        for packet in container.demux(stream):
            is_cut |= packet.is_corrupt
            try:
                frames = packet.decode()
            except av.FFmpegError:
                damaged += 1
                continue
            for frame in frames:
                samples, kind = _floats(frame), frame.format.name.removesuffix("p")
                if not runs or runs[-1][0] != (frame.sample_rate, len(samples)):
                    runs.append(((frame.sample_rate, len(samples)), []))
                runs[-1][1].append(samples)
                if n_bytes // _OFTEN < (n_bytes + samples.nbytes) // _OFTEN:
                    check_memory(2 * n_bytes, name)
                n_bytes += samples.nbytes
        if not runs:
            raise AudioError(f"{name} has no samples: it is cut off, or empty")
        whole, rate = joined([(np.concatenate(run, axis=1), rate) for (rate, _), run in runs])
        if claimed and claimed < whole.shape[1] < claimed + _LARGEST_BLOCK:
            whole = whole[:, :claimed]
        subtype = _SUBTYPES.get(kind) if context.codec.lossless else None
        strings = {**container.metadata, **stream.metadata}
        return Heard(whole, rate, subtype, claimed, damaged, strings, is_cut=is_cut)


def _claimed(container: Any, stream: Any) -> int | None:
    """Return how many samples the file says that it has, where it really says so."""
    if set(container.format.name.split(",")) & _ENDLESS:
        return None
    if stream.duration is not None:
        seconds = stream.duration * stream.time_base
    elif container.duration is not None and len(container.streams) == 1:
        seconds = Fraction(container.duration, 1_000_000)
    else:
        return None
    rate: int = stream.codec_context.sample_rate
    return round(float(seconds) * rate)


def _floats(frame: Any) -> Samples:
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    floats: Samples = values.astype(np.float32)
    if values.dtype.kind != "f":
        floats *= np.float32(2.0 ** (1 - 8 * values.itemsize))
    return floats - 1 if values.dtype.kind == "u" else floats


def n_samples(file: BinaryIO) -> int:
    """Return how many samples there are by the packets of a file, without decoding them."""
    import av

    file.seek(0)
    with av.open(file, "r", options=_OPTIONS, metadata_errors="replace") as container:
        stream = container.streams.audio[0]
        ticks = sum(packet.duration or 0 for packet in container.demux(stream))
        return round(ticks * (stream.time_base or 0) * stream.codec_context.sample_rate)


def encode(file: Any, kind: Format, samples: Samples, rate: int) -> None:
    """Write sound to a file that can be sought in.

    Raises
    ------
    av.FFmpegError, ValueError
        If the format cannot hold it.
    """
    import av

    # In the default, milliseconds, no length but a multiple of them could be said.
    options = {"movie_timescale": str(rate)}
    layout = _LAYOUTS[len(samples) - 1]
    with av.open(file, "w", format=kind.container, container_options=options) as container:
        stream: Any = container.add_stream(str(kind.subtype), rate=rate, layout=layout)
        stream.bit_rate = _BITS_A_CHANNEL * len(samples)
        for start in range(0, samples.shape[1], _BLOCK):
            block = np.ascontiguousarray(samples[:, start : start + _BLOCK])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
