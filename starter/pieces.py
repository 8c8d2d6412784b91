"""Six pieces written by hand, which no program that made training data could have composed.

They are text, in ``starter/pieces``: a tempo in beats a minute, and voices, one a line::

    part PROGRAM VELOCITY [@BEAT] [xTIMES]: C4/1 E4+G4/.5 r/.5
    drums VELOCITY [@BEAT] [xTIMES]: K/1 S/1

A voice begins at a beat and is played so often. Notes follow each other; each has its pitches or
drums, and its length in beats. Lines of one program sound together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np

import vampprompt as vp

from .render import SAMPLE_RATE, SOUND_BANKS, available, synthesise

__all__ = ["PIECES", "available", "play", "to_midi"]

PIECES = tuple(sorted(Path(__file__).with_name("pieces").glob("*.txt")))
SECONDS = 10
"""How much of each is measured by."""

DRUMS = {"K": 36, "S": 38, "H": 42, "O": 46}
_BANK = "FluidR3_GM"
_PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_DRUM_CHANNEL = 9
_TICKS_PER_BEAT = 480
_GAP_TICKS = 4
_RMS_DB = -20
_VOICE = re.compile(
    r"(?:part (?P<program>\d+)|drums) (?P<velocity>\d+)(?: @(?P<beat>[\d.]+))?(?: x(?P<times>\d+))?"
)


def to_midi(text: str) -> mido.MidiFile:
    """Read a piece.

    Raises
    ------
    ValueError
        If a line is neither a tempo nor a voice.
    """
    midi = mido.MidiFile(ticks_per_beat=_TICKS_PER_BEAT)
    conductor = midi.add_track()
    channels: dict[str | None, int] = {None: _DRUM_CHANNEL}
    for line in text.splitlines():
        head, _, notes = line.partition(":")
        if line.startswith("tempo "):
            tempo = mido.bpm2tempo(float(line.removeprefix("tempo ")))
            conductor.append(mido.MetaMessage("set_tempo", tempo=tempo))
        elif voice := _VOICE.fullmatch(head):
            free = sum(one is not None for one in channels)
            channel = channels.setdefault(voice["program"], free)
            track = midi.add_track()
            track.append(
                mido.Message("program_change", channel=channel, program=int(voice["program"] or 0))
            )
            played = notes.split() * int(voice["times"] or 1)
            events = _events(played, float(voice["beat"] or 0), channel, int(voice["velocity"]))
            _append(track, events)
        elif line and not line.startswith("#"):
            raise ValueError(f"neither a tempo nor a voice: {line}")
    return midi


def play(path: Path) -> vp.Audio:
    """Play a piece with FluidR3: 10 s of one channel, at -20 dB RMS."""
    bank = next(one for one in SOUND_BANKS if one.stem == _BANK)
    samples = synthesise(to_midi(path.read_text(encoding="utf-8")), bank)
    samples = samples[: SECONDS * SAMPLE_RATE]
    samples = samples * 10 ** (_RMS_DB / 20) / np.sqrt(np.mean(samples**2))
    samples *= min(1.0, 0.99 / float(np.abs(samples).max()))
    return vp.Audio(samples.astype(np.float32)[None], SAMPLE_RATE)


def _events(
    notes: list[str], beat: float, channel: int, velocity: int
) -> Iterator[tuple[int, mido.Message]]:
    for note in notes:
        names, _, beats = note.partition("/")
        stop = beat + float(beats)
        ends = round(beat * _TICKS_PER_BEAT), round(stop * _TICKS_PER_BEAT) - _GAP_TICKS
        for name in names.split("+") if names != "r" else ():
            for kind, tick, loud in zip(("note_on", "note_off"), ends, (velocity, 0), strict=True):
                message = mido.Message(kind, channel=channel, note=_pitch(name), velocity=loud)
                yield tick, message
        beat = stop


def _pitch(name: str) -> int:
    """Give the MIDI number of a drum, or of a pitch such as ``C#4``."""
    if name in DRUMS:
        return DRUMS[name]
    return _PITCHES.index(name[:-1]) + 12 * (int(name[-1]) + 1)


def _append(track: mido.MidiTrack, events: Iterator[tuple[int, mido.Message]]) -> None:
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
