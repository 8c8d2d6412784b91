"""Opus, to compare the codec with."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import soundfile

from vampprompt.audio import Samples


@dataclass(frozen=True)
class Coded:
    """A recording after it has been through Opus.

    Parameters
    ----------
    samples
        ``[samples]``, as long as the recording and in time with it.
    rate
        What the packets took, in kb/s, without their container.
    """

    samples: Samples
    rate: float


def available() -> bool:
    """Say whether opus-tools are installed."""
    return all(shutil.which(tool) for tool in ("opusenc", "opusdec", "opusinfo"))


def through_opus(
    samples: Samples, sample_rate: int, rate: float, *, subtype: str = "FLOAT"
) -> Coded:
    """Encode and decode one channel of audio.

    Parameters
    ----------
    samples
        ``[samples]``.
    sample_rate
        In Hz.
    rate
        Target in kb/s. Below about 5 the encoder does not follow: 1 gives its lowest.
    subtype
        What the decoder writes, in libsndfile's words. As ``PCM_16``, opusdec adds dither, which
        is louder than the highest bands of many recordings.

    Raises
    ------
    subprocess.CalledProcessError
        If a tool fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, coded, made = (Path(folder, name) for name in ("in.flac", "out.opus", "out.wav"))
        soundfile.write(given, samples, sample_rate, subtype="PCM_24")
        _run("opusenc", "--quiet", "--bitrate", f"{rate:g}", given, coded)
        # it cuts the encoder's delay, and what it padded the last packet with
        float_out = ["--float"] if subtype == "FLOAT" else []
        _run("opusdec", "--quiet", *float_out, "--rate", str(sample_rate), coded, made)
        told = re.search(r"w/o overhead: ([\d.]+) kbit/s", _run("opusinfo", coded))
        if told is None:
            raise ValueError("opusinfo tells no bitrate")
        decoded, _ = soundfile.read(made, dtype="float32")
    return Coded(decoded[: len(samples)], float(told[1]))


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
