"""Music composed by program: a seed in, notes and the truth about their beats out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .harmony import PROGRESSIONS, SCALES, Key
from .styles import (
    BASSES,
    CRASH,
    DRUM_KITS,
    GUITARS,
    KEYBOARDS,
    LEADS,
    PADS,
    PLUCKED,
    STYLES,
    Style,
)

STEPS_PER_BEAT = 4
DRUM_CHANNEL = 9
_LOUDNESS = {"X": 112, "x": 88, "o": 58}


@dataclass(frozen=True)
class Note:
    """One note; `start` and `duration` are in beats, before swing."""

    channel: int
    pitch: int
    start: float
    duration: float
    velocity: int


@dataclass(frozen=True)
class Composition:
    """A piece in one tempo and metre.

    Parameters
    ----------
    style
        Its metre, groove and swing.
    tempo
        Beats a minute.
    n_bars
        Length, in bars.
    notes
        In no particular order.
    programs
        General MIDI program of each channel.
    levels
        MIDI volume of each channel.
    """

    style: Style
    tempo: float
    n_bars: int
    notes: tuple[Note, ...]
    programs: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)

    @property
    def n_beats(self) -> int:
        """Length, in beats."""
        return self.n_bars * self.style.beats_per_bar

    @property
    def duration(self) -> float:
        """Length, in seconds."""
        return self.n_beats * 60 / self.tempo

    def beats(self) -> np.ndarray:
        """Give the beats, one row each: seconds, and the beat's number in its bar from 1."""
        beats = np.arange(self.n_beats)
        return np.stack([beats * 60 / self.tempo, beats % self.style.beats_per_bar + 1], axis=1)

    def seconds(self, beat: float) -> float:
        """Give the time of a place in the score, swing included."""
        half_beats, within = divmod(beat * 2, 1)
        long = 1 + self.style.swing
        swung = long + within * (2 - long) if half_beats % 2 else within * long
        return (half_beats // 2 + swung / 2) * 60 / self.tempo


def compose(seed: int, min_seconds: float = 24.0) -> Composition:
    """Compose a piece of at least `min_seconds`; the same seed gives the same piece."""
    rng = np.random.default_rng(seed)
    style = STYLES[rng.integers(len(STYLES))]
    tempo = float(rng.uniform(*style.tempo))
    bar_seconds = style.beats_per_bar * 60 / tempo
    n_bars = 4 * int(np.ceil(min_seconds / bar_seconds / 4))
    return _Composer(rng, style, n_bars).compose(tempo)


def compose_loop(seed: int, style: Style, tempo: float, n_bars: int = 4) -> Composition:
    """Compose drums, bass and chords that play throughout, for repeating."""
    composer = _Composer(np.random.default_rng(seed), style, n_bars)
    return composer.write(tempo, {"drums": 0, "bass": 33, "chords": 4}, rests=False)


@dataclass(frozen=True)
class _Part:
    """A part's MIDI channel, its programs, how often a piece has it, and its range of volumes."""

    channel: int
    programs: tuple[int, ...]
    chance: float
    levels: tuple[int, int]


_PARTS = {
    "bass": _Part(0, BASSES, 0.85, (85, 120)),
    "chords": _Part(1, KEYBOARDS + GUITARS, 0.75, (65, 105)),
    "pad": _Part(2, PADS, 0.4, (50, 90)),
    "melody": _Part(3, LEADS, 0.65, (75, 115)),
    "arpeggio": _Part(4, PLUCKED, 0.4, (60, 100)),
    "drums": _Part(DRUM_CHANNEL, DRUM_KITS, 0.8, (85, 125)),
}


class _Composer:
    """The choices of one piece, in the order in which they are drawn."""

    def __init__(self, rng: np.random.Generator, style: Style, n_bars: int) -> None:
        self.rng = rng
        self.style = style
        self.n_bars = n_bars
        self.key = Key(int(rng.integers(12)), str(rng.choice(list(SCALES))))
        progression = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
        self.degrees = [progression[bar % len(progression)] for bar in range(n_bars)]
        self.chord_size = int(rng.choice([3, 3, 4]))

    def compose(self, tempo: float) -> Composition:
        """Choose the parts and their instruments, and write them."""
        present = [name for name, part in _PARTS.items() if self.rng.random() < part.chance]
        if len(present) < 2:
            present = ["bass", "chords", "drums"]
        return self.write(tempo, dict.fromkeys(present))

    def write(
        self, tempo: float, programs: dict[str, int | None], *, rests: bool = True
    ) -> Composition:
        """Write the named parts; those without a program draw one."""
        notes: list[Note] = []
        instruments, levels = {}, {}
        for name, program in programs.items():
            part = _PARTS[name]
            drawn = int(self.rng.choice(part.programs))
            instruments[part.channel] = drawn if program is None else program
            levels[part.channel] = int(self.rng.integers(*part.levels))
            bars = self._bars_played() if rests else list(range(self.n_bars))
            notes += getattr(self, name)(part.channel, bars)
        return Composition(self.style, tempo, self.n_bars, tuple(notes), instruments, levels)

    def _bars_played(self) -> list[int]:
        """Rest for a section of four bars now and then, so that parts are heard apart."""
        playing = self.rng.random(-(-self.n_bars // 4)) < 0.8
        if not playing.any():
            playing[:] = True
        return [bar for bar in range(self.n_bars) if playing[bar // 4]]

    def _velocity(self, base: float) -> int:
        return int(np.clip(base + self.rng.normal(0, 6), 20, 127))

    def drums(self, channel: int, bars: list[int]) -> list[Note]:
        notes = []
        n = self.style.beats_per_bar
        busy = self.rng.uniform(0.0, 0.12)
        for bar in bars:
            for pitch, groove in self.style.groove.items():
                for step, hit in enumerate(groove):
                    if hit == "." and self.rng.random() > busy * 0.2:
                        continue
                    if hit == "o" and self.rng.random() < busy:
                        continue
                    velocity = self._velocity(_LOUDNESS.get(hit, 50))
                    notes.append(Note(channel, pitch, bar * n + step / 4, 0.2, velocity))
            if bar % 4 == 0 and self.rng.random() < 0.4:
                notes.append(Note(channel, CRASH, bar * n, 1.0, self._velocity(92)))
            if bar % 4 == 3 and self.rng.random() < 0.5:
                notes += self._fill(channel, bar * n + n - 1)
        return notes

    def _fill(self, channel: int, start: float) -> list[Note]:
        toms = self.rng.choice([38, 41, 43, 45, 47, 48, 50], size=4)
        return [
            Note(channel, int(tom), start + step / 4, 0.2, self._velocity(80 + 8 * step))
            for step, tom in enumerate(toms)
        ]

    def bass(self, channel: int, bars: list[int]) -> list[Note]:
        n = self.style.beats_per_bar
        pattern = self.rng.choice(["roots", "root and fifth", "octaves", "walking", "eighths"])
        kick = next(iter(self.style.groove.values()))
        steps = [step for step, hit in enumerate(kick) if hit in "Xx"] or [0]
        notes = []
        for bar in bars:
            root = self.degrees[bar] - 1
            if pattern == "roots":
                line = [(step / 4, root, 0.45) for step in steps]
            elif pattern == "root and fifth":
                line = [(b, root + (4 if b % 2 else 0), 0.9) for b in range(n)]
            elif pattern == "octaves":
                line = [(b / 2, root + (7 if b % 2 else 0), 0.4) for b in range(2 * n)]
            elif pattern == "walking":
                line = [(b, root + int(self.rng.integers(-2, 5)) * (b > 0), 0.95) for b in range(n)]
            else:
                line = [(b / 2, root, 0.45) for b in range(2 * n)]
            for start, step, duration in line:
                pitch = self.key.pitch(step, 1)
                pitch = pitch - 12 if pitch > 50 else pitch
                notes.append(Note(channel, pitch, bar * n + start, duration, self._velocity(96)))
        return notes

    def chords(self, channel: int, bars: list[int]) -> list[Note]:
        n = self.style.beats_per_bar
        rhythms = {
            "held": [(0.0, n - 0.1)],
            "beats": [(float(b), 0.8) for b in range(n)],
            "off beats": [(b + 0.5, 0.35) for b in range(n)],
            "back beats": [(float(b), 0.5) for b in range(1, n, 2)],
            "charleston": [(0.0, 1.2), (1.5, 0.4)],
            "eighths": [(b / 2, 0.4) for b in range(2 * n)],
            "syncopated": [(b, 0.5) for b in (0.0, 0.75, 1.5, 2.5, 3.25) if b < n],
        }
        rhythm = rhythms[str(self.rng.choice(list(rhythms)))]
        strum = float(self.rng.choice([0.0, 0.0, 0.03]))
        notes = []
        for bar in bars:
            pitches = [_fold(p, 54, 72) for p in self._chord(bar)]
            for start, duration in rhythm:
                for i, pitch in enumerate(sorted(pitches)):
                    at = bar * n + start + i * strum
                    notes.append(Note(channel, pitch, at, duration, self._velocity(78)))
        return notes

    def pad(self, channel: int, bars: list[int]) -> list[Note]:
        n = self.style.beats_per_bar
        return [
            Note(channel, _fold(pitch, 55, 74), bar * n, n - 0.02, self._velocity(66))
            for bar in bars
            for pitch in self._chord(bar)
        ]

    def arpeggio(self, channel: int, bars: list[int]) -> list[Note]:
        n = self.style.beats_per_bar
        rate = int(self.rng.choice([2, 4]))
        order = str(self.rng.choice(["up", "down", "up and down", "any"]))
        octave = int(self.rng.choice([4, 5]))
        notes = []
        for bar in bars:
            chord = list(self.key.chord(self.degrees[bar], 3, octave))
            chord.append(chord[0] + 12)
            if order == "down":
                chord.reverse()
            elif order == "up and down":
                chord += chord[-2:0:-1]
            for i in range(n * rate):
                at = int(self.rng.integers(len(chord))) if order == "any" else i % len(chord)
                start = bar * n + i / rate
                notes.append(Note(channel, chord[at], start, 0.9 / rate, self._velocity(76)))
        return notes

    def melody(self, channel: int, bars: list[int]) -> list[Note]:
        n = self.style.beats_per_bar
        octave = int(self.rng.choice([4, 5, 5]))
        motifs = [self._motif() for _ in range(2)]
        form = self.rng.choice(["AABA", "ABAB", "AAAB"])
        notes = []
        step = 0
        for bar in bars:
            motif = motifs["AB".index(form[bar % 4])]
            for start, duration, move in motif:
                step = int(np.clip(step + move, -4, 9))
                if start == 0:
                    step = self.degrees[bar] - 1 + 2 * int(self.rng.integers(3))
                if self.rng.random() < 0.9:
                    pitch = self.key.pitch(step, octave)
                    notes.append(
                        Note(channel, pitch, bar * n + start, duration * 0.95, self._velocity(92))
                    )
        return notes

    def _motif(self) -> list[tuple[float, float, int]]:
        """Draw (start, duration, move in scale steps) until the bar is full."""
        motif, at = [], 0.0
        while at < self.style.beats_per_bar:
            duration = float(self.rng.choice([0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0]))
            duration = min(duration, self.style.beats_per_bar - at)
            motif.append((at, duration, int(self.rng.choice([-2, -1, -1, 0, 1, 1, 2, 3]))))
            at += duration
        return motif

    def _chord(self, bar: int) -> tuple[int, ...]:
        return self.key.chord(self.degrees[bar], self.chord_size, 3)


def _fold(pitch: int, low: int, high: int) -> int:
    """Move a pitch by octaves into low..high."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch
