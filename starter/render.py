"""From a composition to a recording: MIDI, FluidSynth, and what happens to real recordings."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import numpy as np
import soundfile

from .composition import Composition, compose

SAMPLE_RATE = 44100
SOUND_BANKS = (
    Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
)
_TICKS_PER_BEAT = 960


def available() -> bool:
    """Say whether FluidSynth and every sound bank are installed."""
    return shutil.which("fluidsynth") is not None and all(bank.exists() for bank in SOUND_BANKS)


def to_midi(piece: Composition, *, cents: float = 0.0) -> mido.MidiFile:
    """Write a composition as MIDI, all pitched channels detuned by `cents`."""
    events: list[tuple[float, int, mido.Message]] = []
    bend = int(np.clip(cents / 200, -1, 1) * 8191)
    for channel, program in piece.programs.items():
        events += [
            (0.0, 0, mido.Message("program_change", channel=channel, program=program)),
            (0.0, 1, mido.Message("control_change", channel=channel, control=7,
                                  value=piece.levels.get(channel, 100))),
            (0.0, 2, mido.Message("pitchwheel", channel=channel, pitch=bend)),
        ]  # fmt: skip
    for note in piece.notes:
        start = piece.seconds(note.start)
        # a note that ends where the next one starts must be released first, else it cuts that one
        stop = max(start + 0.02, piece.seconds(note.start + note.duration) - 0.002)
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
    bank = SOUND_BANKS[rng.integers(len(SOUND_BANKS))]
    cents = float(rng.normal(0, 12)) if rng.random() < 0.5 else 0.0
    samples = synthesise(
        to_midi(piece, cents=cents), bank, room=rng.uniform(0, 0.9), level=rng.uniform(0, 0.7)
    )
    start = int(rng.uniform(0, min(2.0, piece.duration - seconds)) * SAMPLE_RATE)
    length = int(seconds * SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, start + length - len(samples))))[start : start + length]
    samples = _record(samples, rng)
    beats = piece.beats() - [start / SAMPLE_RATE, 0]
    return samples, beats[(beats[:, 0] >= 0) & (beats[:, 0] < seconds)]


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
