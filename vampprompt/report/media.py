"""Sound, and small pictures of audio and masks, as text that a page can hold."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vampprompt.audio import WRITTEN, Audio, Samples, fit, mono, resample, write
from vampprompt.errors import AudioError

# More than a screen shows of a track would only make the page larger.
MOST_COLUMNS = 1200
# Waveforms are drawn in whole numbers up to this.
WAVE_HEIGHT = 100
# Higher rates would put most of a picture above what anyone hears.
_MOST_RATE = 44100
_FFT = 2048
_LEAST_HOP = 256
_BANDS = 96
# Below the loudest of all tracks, what is not drawn, in dB.
_RANGE_DB = 75.0
# Of a codebook's row of tokens, with the gap that sets it off from the next.
_ROW_HEIGHT = 8
# MP3 is small and plays everywhere, but has at most two channels and 48 kHz.
_KINDS = {".mp3": "audio/mpeg", ".flac": "audio/flac", ".wav": "audio/wav"}
# In bytes. Some browsers open no data URI above 32 MiB, and base64 makes 4 bytes of 3.
MOST_BYTES = 24 * 2**20


def sound(audio: Audio) -> str | None:
    """Return audio as a data URI, or None if it would be too long for browsers to open.

    It is MP3, or FLAC or WAV where a format cannot hold so many channels or such a rate.
    """
    plain = Audio(audio.samples, audio.sample_rate, audio.subtype)
    for ending, kind in _KINDS.items():
        if audio.sample_rate not in WRITTEN[ending].rates:
            continue
        file = BytesIO()
        try:
            write(file, plain, ending)
        except AudioError:
            continue
        content = file.getvalue()
        return _data_uri(kind, content) if len(content) <= MOST_BYTES else None
    return None


def waveform(samples: Samples, peak: float) -> str:
    """Return the outline of audio ``[channel, samples]`` as the path of an SVG.

    Its box is `MOST_COLUMNS` wide and reaches from ``-WAVE_HEIGHT`` to ``WAVE_HEIGHT``, which is
    where `peak` lies.
    """
    n_samples = samples.shape[1]
    starts = np.arange(min(n_samples, MOST_COLUMNS)) * n_samples // min(n_samples, MOST_COLUMNS)
    scale = -WAVE_HEIGHT / peak if peak > 0 else 0.0
    lows = np.minimum.reduceat(samples.min(axis=0), starts) * scale
    highs = np.maximum.reduceat(samples.max(axis=0), starts) * scale
    x = np.linspace(0, MOST_COLUMNS, len(starts)).round().astype(int)
    points = [*zip(x, highs, strict=True), *zip(x[::-1], lows[::-1], strict=True)]
    return "M" + "L".join(f"{column},{round(float(level))}" for column, level in points) + "Z"


def mel_levels(samples: Samples, sample_rate: int) -> NDArray[np.float32]:
    """Return levels in dB, ``[band, column]``, of audio ``[channel, samples]``; low bands first."""
    import librosa

    heard = mono(samples)
    if sample_rate > _MOST_RATE:
        heard, sample_rate = resample(heard, sample_rate, _MOST_RATE), _MOST_RATE
    power = librosa.feature.melspectrogram(
        y=fit(heard, max(_FFT, len(heard))),
        sr=sample_rate,
        n_fft=_FFT,
        hop_length=max(_LEAST_HOP, len(heard) // MOST_COLUMNS),
        n_mels=_BANDS,
    )
    n_columns = max(1, round(power.shape[1] * min(1.0, len(heard) / _FFT)))
    levels: NDArray[np.float32] = librosa.power_to_db(power[:, :n_columns], top_db=None)
    return levels


def spectrogram(levels: NDArray[np.float32], loudest: float) -> str:
    """Return levels in dB, ``[band, column]``, as black that is the denser, the louder it is."""
    shade = ((levels - loudest) / _RANGE_DB + 1).clip(0, 1)
    # Few shades and no sound at all in most of them: that is what packs well.
    return _png((shade[::-1] * 31).round() / 31, (0, 0, 0))


def tokens(keep: NDArray[np.floating], colour: tuple[int, int, int]) -> str:
    """Return kept shares, ``[codebook, frame]`` in ``[0, 1]``, one row for each codebook.

    The coarsest codebook comes first, and a gap follows each. Where there are more frames than
    columns, a column is as dense as what it keeps of its frames.
    """
    n_frames = keep.shape[1]
    n_columns = min(n_frames, 2 * MOST_COLUMNS)
    starts = np.arange(n_columns) * n_frames // n_columns
    widths = np.diff(np.append(starts, n_frames))
    rows = (np.add.reduceat(keep, starts, axis=1) / widths).repeat(_ROW_HEIGHT, axis=0)
    rows[_ROW_HEIGHT - 1 :: _ROW_HEIGHT] = 0
    return _png(rows, colour)


def _png(density: NDArray[np.floating], colour: tuple[int, int, int]) -> str:
    rows, columns = density.shape
    image = Image.new("RGB", (columns, rows), colour)
    image.putalpha(Image.fromarray((density * 255).round().astype(np.uint8)))
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return _data_uri("image/png", file.getvalue())


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
