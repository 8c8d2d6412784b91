"""Music composed by program: a seed in, notes and the truth about their beats out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from .harmony import PROGRESSIONS, SCALES, SLOW_PROGRESSIONS, Key
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
    SUSTAINED,
    VOICES,
    Style,
)

STEPS_PER_BEAT = 4
DRUM_CHANNEL = 9
MAX_LATE = 0.015
"""How far from its place in the score a note is played at most, in seconds."""

_LOUDNESS = {"X": 112, "x": 88, "o": 58}


@dataclass(frozen=True)
class Note:
    """One note; `start` and `duration` are in beats, before swing; `late` is in seconds."""

    channel: int
    pitch: int
    start: float
    duration: float
    velocity: int
    late: float = 0.0


@dataclass(frozen=True)
class Change:
    """A channel's ``bend`` (in cents) or ``expression`` (0 to 127) from a beat on."""

    channel: int
    start: float
    kind: str
    value: float


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
    changes
        Bends and expression, in no particular order.
    """

    style: Style
    tempo: float
    n_bars: int
    notes: tuple[Note, ...]
    programs: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

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

    def onset(self, note: Note) -> float:
        """Give the time at which a note is struck, in seconds."""
        return max(0.0, self.seconds(note.start) + note.late)


def compose(seed: int, min_seconds: float = 24.0) -> Composition:
    """Compose a piece of at least `min_seconds`; the same seed gives the same piece."""
    rng = np.random.default_rng(seed)
    style = STYLES[rng.integers(len(STYLES))]
    if style.swing == 0 and rng.random() < 0.2:
        style = replace(style, swing=float(rng.uniform(0.05, 0.3)))
    tempo = float(rng.uniform(*style.tempo))
    bar_seconds = style.beats_per_bar * 60 / tempo
    n_bars = 4 * int(np.ceil(min_seconds / bar_seconds / 4))
    return _Arranger(rng, style, n_bars, tempo).compose()


def compose_loop(seed: int, style: Style, tempo: float, n_bars: int = 4) -> Composition:
    """Compose drums, bass and chords that play throughout, for repeating."""
    composer = _Composer(np.random.default_rng(seed), style, n_bars)
    return composer.write(tempo, {"drums": 0, "bass": 33, "chords": 4})


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
    "voice": _Part(5, VOICES, 0.2, (80, 115)),
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

    def write(
        self,
        tempo: float,
        programs: dict[str, int | None],
        bars: dict[str, list[int]] | None = None,
    ) -> Composition:
        """Write the named parts; those without a program draw one, those without bars play all."""
        notes: list[Note] = []
        instruments, levels = {}, {}
        for name, program in programs.items():
            part = _PARTS[name]
            drawn = int(self.rng.choice(part.programs))
            instruments[part.channel] = drawn if program is None else program
            levels[part.channel] = int(self.rng.integers(*part.levels))
            played = list(range(self.n_bars)) if bars is None else bars[name]
            notes += getattr(self, name)(part.channel, played)
        return Composition(self.style, tempo, self.n_bars, tuple(notes), instruments, levels)

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
        """Hold each chord for as long as it lasts."""
        n = self.style.beats_per_bar
        notes = []
        runs = groupby(enumerate(bars), lambda pair: (pair[1] - pair[0], self.degrees[pair[1]]))
        for _, run in runs:
            held = [bar for _, bar in run]
            for pitch in self._chord(held[0]):
                start, duration = held[0] * n, len(held) * n - 0.02
                notes.append(
                    Note(channel, _fold(pitch, 55, 74), start, duration, self._velocity(66))
                )
        return notes

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
        octave = int(self.rng.choice([4, 5, 5]))
        durations = (0.25, 0.5, 0.5, 0.5, 1.0, 1.0, 1.5, 2.0)
        return self._line(channel, bars, octave, durations, (-2, -1, -1, 0, 1, 1, 2, 3), 0.95)

    def voice(self, channel: int, bars: list[int]) -> list[Note]:
        """Sing long notes, mostly by step."""
        octave = int(self.rng.choice([4, 4, 5]))
        durations = (0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0)
        return self._line(channel, bars, octave, durations, (-2, -1, -1, 1, 1, 2), 0.99)

    def _line(
        self,
        channel: int,
        bars: list[int],
        octave: int,
        durations: Sequence[float],
        moves: Sequence[int],
        legato: float,
    ) -> list[Note]:
        """Write a line from two motifs, its notes on the beat taken from the chord."""
        n = self.style.beats_per_bar
        motifs = [self._motif(durations, moves) for _ in range(2)]
        form = self.rng.choice(["AABA", "ABAB", "AAAB"])
        notes = []
        step = 0
        for bar in bars:
            root = self.degrees[bar] - 1
            motif = motifs["AB".index(form[bar % 4])]
            for start, duration, move in motif:
                step = int(np.clip(step + move, -4, 9))
                if start == 0:
                    step = root + 2 * int(self.rng.integers(3))
                elif start % 1 == 0:
                    step += (0, -1, 0, -1, 0, -1, 1)[(step - root) % 7]
                if self.rng.random() < 0.9:
                    pitch = self.key.pitch(step, octave)
                    notes.append(
                        Note(channel, pitch, bar * n + start, duration * legato, self._velocity(92))
                    )
        return notes

    def _motif(
        self, durations: Sequence[float], moves: Sequence[int]
    ) -> list[tuple[float, float, int]]:
        """Draw (start, duration, move in scale steps) until the bar is full."""
        motif, at = [], 0.0
        while at < self.style.beats_per_bar:
            duration = float(self.rng.choice(durations))
            duration = min(duration, self.style.beats_per_bar - at)
            motif.append((at, duration, int(self.rng.choice(moves))))
            at += duration
        return motif

    def _chord(self, bar: int) -> tuple[int, ...]:
        return self.key.chord(self.degrees[bar], self.chord_size, 3)


class _Arranger(_Composer):
    """A composer who chooses who plays when, and players who are human."""

    def __init__(self, rng: np.random.Generator, style: Style, n_bars: int, tempo: float) -> None:
        super().__init__(rng, style, n_bars)
        self.tempo = tempo

    def compose(self) -> Composition:
        """Choose the parts, write them, and play them."""
        kind = str(self.rng.choice(["band", "few", "slow", "drums"], p=[0.65, 0.24, 0.08, 0.03]))
        if kind == "slow":
            self._change_chords(SLOW_PROGRESSIONS, self._bars_within(4.0))
        elif self.rng.random() < 0.2:
            self._change_chords(PROGRESSIONS, 2)
        present = self._choose(kind)
        piece = self.write(self.tempo, dict.fromkeys(present), self._sections(present))
        notes = self._humanise(piece.notes)
        if self.rng.random() < 0.25:
            notes = self._break(notes)
        changes = [
            change
            for channel, program in piece.programs.items()
            for change in self._shape(channel, program, notes)
        ]
        return replace(piece, notes=tuple(notes), changes=tuple(changes))

    def _bars_within(self, seconds: float) -> int:
        bar = self.style.beats_per_bar * 60 / self.tempo
        return max(1, int(seconds / bar))

    def _change_chords(self, progressions: Sequence[Sequence[int]], bars: int) -> None:
        """Take another progression, each chord lasting some bars."""
        progression = progressions[int(self.rng.integers(len(progressions)))]
        self.degrees = [progression[bar // bars % len(progression)] for bar in range(self.n_bars)]

    def _choose(self, kind: str) -> list[str]:
        if kind == "drums":
            return ["drums"]
        if kind == "few":
            pitched = [name for name in _PARTS if name != "drums"]
            size = int(self.rng.choice([1, 2], p=[0.4, 0.6]))
            return [str(name) for name in self.rng.choice(pitched, size, replace=False)]
        if kind == "slow":
            others = ("bass", "chords", "arpeggio", "melody", "voice")
            return ["pad", *(name for name in others if self.rng.random() < 0.3)]
        present = [name for name, part in _PARTS.items() if self.rng.random() < part.chance]
        return present if len(present) >= 3 else ["bass", "chords", "drums"]

    def _sections(self, present: list[str]) -> dict[str, list[int]]:
        """Let parts rest for a section of four bars now and then, so that they are heard apart."""
        playing = self.rng.random((len(present), -(-self.n_bars // 4))) < 0.8
        playing[:, ~playing.any(axis=0)] = True
        playing[~playing.any(axis=1)] = True
        return {
            name: [bar for bar in range(self.n_bars) if row[bar // 4]]
            for name, row in zip(present, playing, strict=True)
        }

    def _fill(self, channel: int, start: float) -> list[Note]:
        """Lead into the next section, over a beat or two."""
        kind = str(self.rng.choice(["toms", "long toms", "roll", "pairs", "hits"]))
        if kind == "toms":
            return super()._fill(channel, start)
        strokes: dict[str, list[tuple[float, int]]] = {
            "long toms": list(enumerate((50, 50, 48, 48, 45, 45, 41, 41), start=-4)),
            "roll": [(step / 2, 38) for step in range(8)],
            "pairs": [(0, 38), (1, 38), (2, 45), (3, 41)],
            "hits": [(0, 38), (0, 36), (2, 38), (2, 36)],
        }
        return [
            Note(channel, drum, start + step / 4, 0.1, self._velocity(90 + 5 * step))
            for step, drum in strokes[kind]
        ]

    def _humanise(self, notes: Sequence[Note]) -> list[Note]:
        """Play a little early or late, accent the metre, and play sections louder or softer."""
        tightness = float(self.rng.choice([0.0, 0.002, 0.004, 0.006]))
        accent = self.rng.uniform(0, 8)
        sections = self.rng.normal(0, 7, self.n_bars // 4 + 1)
        n = self.style.beats_per_bar
        lags = {channel: self.rng.normal(0, tightness) for channel in range(16)}
        apart = self.rng.normal(0, tightness, len(notes))
        played = []
        for note, offset in zip(notes, apart, strict=True):
            beat = note.start % n
            metre = accent if beat < 0.1 else 0.0 if beat % 1 < 0.1 else -accent
            velocity = note.velocity + metre + sections[int(note.start // n) // 4]
            late = float(np.clip(lags[note.channel] + offset, -MAX_LATE, MAX_LATE))
            played.append(
                replace(note, velocity=int(np.clip(velocity, 20, 127)), late=round(late, 6))
            )
        return played

    def _break(self, notes: list[Note]) -> list[Note]:
        """Silence all parts before a section starts, for up to 1.5 seconds."""
        n = self.style.beats_per_bar
        length = int(self.rng.integers(1, max(1, min(n, int(1.5 * self.tempo / 60))) + 1))
        every = 4 * int(self.rng.choice([1, 2]))
        stops = [bar * n for bar in range(every, self.n_bars + 1, every)]
        kept = []
        for note in notes:
            stop = next((stop for stop in stops if note.start < stop), np.inf)
            if note.start < stop - length:
                duration = min(note.duration, stop - length - note.start)
                kept.append(replace(note, duration=float(duration)))
        return kept

    def _shape(self, channel: int, program: int, notes: list[Note]) -> list[Change]:
        """Bend and swell the notes of an instrument that can."""
        mine = [note for note in notes if note.channel == channel]
        is_lead = channel in (_PARTS["melody"].channel, _PARTS["voice"].channel)
        if is_lead and program in SUSTAINED and (program in VOICES or self.rng.random() < 0.5):
            return self._sing(mine)
        if channel == _PARTS["pad"].channel and self.rng.random() < 0.5:
            return self._swell(mine)
        return []

    def _sing(self, notes: list[Note]) -> list[Change]:
        """Scoop into notes now and then, and let the vibrato of long ones grow."""
        rate, depth = self.rng.uniform(4, 6.5), self.rng.uniform(10, 45)
        scoops = self.rng.uniform(0, 0.5)
        second = self.tempo / 60
        changes = []
        for note in notes:
            scoop = self.rng.uniform(30, 100) if self.rng.random() < scoops else 0.0
            times = np.arange(0, note.duration / second, 0.03)
            growth = np.clip((times - 0.2) / 0.4, 0, 1)
            cents = depth * growth * np.sin(2 * np.pi * rate * (times - 0.2))
            cents -= scoop * np.exp(-times / 0.04)
            starts = note.start + times * second
            changes += [
                Change(channel=note.channel, start=float(start), kind="bend", value=float(value))
                for start, value in zip(starts, cents, strict=True)
            ]
        return changes

    def _swell(self, notes: list[Note]) -> list[Change]:
        """Let held chords rise and fall."""
        low = self.rng.uniform(40, 90)
        peak = self.rng.uniform(0.2, 0.8)
        changes = []
        for start, duration in sorted({(note.start, note.duration) for note in notes}):
            for place in np.linspace(0, 1, 25):
                value = np.interp(place, [0, peak, 1], [low, 127, low])
                changes.append(
                    Change(
                        channel=notes[0].channel,
                        start=float(start + place * duration),
                        kind="expression",
                        value=float(value),
                    )
                )
        return changes


def _fold(pitch: int, low: int, high: int) -> int:
    """Move a pitch by octaves into low..high."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch
