"""From a composition to a recording: MIDI, FluidSynth, and what happens to real recordings."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import soundfile

from .composition import DRUM_CHANNEL, Composition, compose
from .mixing import ONE_SHOTS, mix, one_shot_names, play_one_shots
from .mixing import SAMPLE_RATE as SAMPLE_RATE

SOUND_BANKS = (
    Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
)
_BANK_SHARES = (0.3, 0.45, 0.25)
"""The compressed bank takes a second longer to open than the others."""

_ONE_SHOT_SHARE = 0.4
_TICKS_PER_BEAT = 960


def available() -> bool:
    """Say whether FluidSynth, every sound bank and the drums' one-shots are installed."""
    sounds = [*SOUND_BANKS, *(ONE_SHOTS / f"{name}.flac" for name in one_shot_names())]
    return shutil.which("fluidsynth") is not None and all(sound.exists() for sound in sounds)


def to_midi(piece: Composition, *, cents: float = 0.0) -> mido.MidiFile:
    """Write a composition as MIDI, all pitched channels detuned by `cents`."""
    events: list[tuple[float, int, mido.Message]] = []
    for channel, program in piece.programs.items():
        events += [
            (0.0, 0, mido.Message("program_change", channel=channel, program=program)),
            (0.0, 1, mido.Message("control_change", channel=channel, control=7,
                                  value=piece.levels.get(channel, 100))),
            (0.0, 2, mido.Message("pitchwheel", channel=channel, pitch=_bend(cents))),
        ]  # fmt: skip
    for change in piece.changes:
        if change.kind == "bend":
            moved = mido.Message(
                "pitchwheel", channel=change.channel, pitch=_bend(cents + change.value)
            )
        else:
            moved = mido.Message(
                "control_change", channel=change.channel, control=11, value=round(change.value)
            )
        events.append((piece.seconds(change.start), 2, moved))
    struck: dict[tuple[int, int], float] = {}
    for note in sorted(piece.notes, key=piece.onset, reverse=True):
        start = piece.onset(note)
        # a note that ends where the next one starts must be released first, else it cuts that one
        stop = max(start + 0.02, piece.seconds(note.start + note.duration) - 0.002)
        again = struck.get((note.channel, note.pitch), np.inf)
        if again > start:
            stop = max(start, min(stop, again - 0.002))
        struck[note.channel, note.pitch] = start
        keys = {"channel": note.channel, "note": int(np.clip(note.pitch, 0, 127))}
        events.append((start, 4, mido.Message("note_on", velocity=note.velocity, **keys)))
        events.append((stop, 3, mido.Message("note_off", **keys)))
    events.sort(key=lambda event: event[:2])

    tempo = mido.bpm2tempo(piece.tempo)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    now = 0
    for seconds, _, message in events:
        tick = round(mido.second2tick(seconds, _TICKS_PER_BEAT, tempo))
        track.append(message.copy(time=tick - now))
        now = tick
    midi = mido.MidiFile(ticks_per_beat=_TICKS_PER_BEAT)
    midi.tracks.append(track)
    return midi


def _bend(cents: float) -> int:
    """Give a place of the pitch wheel, whose range is two semitones either way."""
    return int(np.clip(cents / 200, -1, 1) * 8191)


def synthesise(
    midi: mido.MidiFile, bank: Path, *, room: float = 0.2, level: float = 0.2
) -> np.ndarray:
    """Play MIDI through FluidSynth: mono samples at 44.1 kHz, float32."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        midi.save(score)
        command = ["fluidsynth", "-niq", "-g", "0.4", "-r", str(SAMPLE_RATE), "-F", str(sound)]
        command += ["-o", f"synth.reverb.room-size={room:.3f}"]
        command += ["-o", f"synth.reverb.level={level:.3f}"]
        if bank.suffix == ".sf3":  # else every sample of the bank is decompressed
            command += ["-o", "synth.dynamic-sample-loading=1"]
        subprocess.run([*command, str(bank), str(score)], check=True, capture_output=True)
        samples, _ = soundfile.read(sound, dtype="float32")
    return np.asarray(samples.mean(axis=1))


def render(seed: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Compose and record one clip.

    Returns
    -------
    samples
        Mono, 44.1 kHz, float32, ``seconds`` long.
    beats
        One row a beat: seconds, number in its bar from 1.
    """
    piece = compose(seed, seconds + 3)
    rng = np.random.default_rng([seed, 1])
    samples = mix(perform(piece, rng), rng)
    start = int(rng.uniform(0, min(2.0, piece.duration - seconds)) * SAMPLE_RATE)
    length = int(seconds * SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, start + length - len(samples))))[start : start + length]
    samples = _record(samples, rng)
    beats = piece.beats() - [start / SAMPLE_RATE, 0]
    return samples, beats[(beats[:, 0] >= 0) & (beats[:, 0] < seconds)]


def perform(piece: Composition, rng: np.random.Generator) -> np.ndarray:
    """Play a piece on a sound bank, its drums on one-shots in a share of pieces.

    Returns mono samples at 44.1 kHz, float64, at least as long as the piece.
    """
    bank = SOUND_BANKS[rng.choice(len(SOUND_BANKS), p=_BANK_SHARES)]
    cents = float(rng.normal(0, 12)) if rng.random() < 0.5 else 0.0
    room, level = rng.uniform(0, 0.9), rng.uniform(0, 0.7)
    strokes = [
        (piece.onset(note), note.pitch, note.velocity)
        for note in piece.notes
        if note.channel == DRUM_CHANNEL
    ]
    if not strokes or rng.random() > _ONE_SHOT_SHARE:
        midi = to_midi(piece, cents=cents)
        return synthesise(midi, bank, room=room, level=level).astype(np.float64)
    others = tuple(note for note in piece.notes if note.channel != DRUM_CHANNEL)
    drums = play_one_shots(strokes, int((piece.duration + 2) * SAMPLE_RATE), rng)
    if not others:
        return drums
    midi = to_midi(replace(piece, notes=others), cents=cents)
    samples = synthesise(midi, bank, room=room, level=level).astype(np.float64)
    length = max(len(samples), len(drums))
    samples, drums = (np.pad(part, (0, length - len(part))) for part in (samples, drums))
    balance = 10 ** (rng.uniform(-8, 2) / 20)
    drums *= balance * np.sqrt(np.mean(samples**2) / max(float(np.mean(drums**2)), 1e-12))
    return np.asarray(samples + drums)


def _record(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Set the level, tilt the spectrum a little and add a noise floor."""
    tilt = rng.uniform(-0.25, 0.25)
    samples = samples + tilt * np.append(0, samples[:-1])
    rms = 10 ** (rng.uniform(-28, -18) / 20)
    samples = samples * rms / max(float(np.sqrt(np.mean(samples**2))), 1e-6)
    if rng.random() < 0.3:
        noise = 10 ** (rng.uniform(-85, -60) / 20)
        samples = samples + rng.normal(0, noise, len(samples))
    return (samples * min(1.0, 0.99 / max(float(np.abs(samples).max()), 1e-6))).astype(np.float32)


def write_beats(path: Path, beats: np.ndarray) -> None:
    """Write beats as text, one a line: seconds, a tab, the number in the bar."""
    path.write_text("".join(f"{time:.6f}\t{number:.0f}\n" for time, number in beats))


def render_clips(
    folder: Path,
    seeds: range,
    seconds: float,
    *,
    workers: int = 2,
    on_clip: Callable[[], None] = lambda: None,
) -> None:
    """Render every clip that `folder` does not hold yet, as ``<seed>.flac`` and ``.beats``."""
    folder.mkdir(parents=True, exist_ok=True)

    def one(seed: int) -> None:
        sound = folder / f"{seed:06d}.flac"
        if not sound.exists():
            samples, beats = render(seed, seconds)
            write_beats(sound.with_suffix(".beats"), beats)
            unfinished = sound.with_suffix(".part")
            soundfile.write(unfinished, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
            unfinished.rename(sound)
        on_clip()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, seeds))
