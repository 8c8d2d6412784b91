"""Keys, scales and chord progressions."""

from __future__ import annotations

from dataclasses import dataclass

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}

PROGRESSIONS = (
    (1, 5, 6, 4),
    (1, 6, 4, 5),
    (1, 4, 5, 4),
    (6, 4, 1, 5),
    (2, 5, 1, 1),
    (2, 5, 1, 6),
    (1, 4, 1, 5),
    (1, 7, 6, 7),
    (1, 3, 4, 5),
    (4, 5, 3, 6),
    (1, 1, 4, 1, 5, 4, 1, 5),
    (1, 2, 3, 4),
    (1, 5, 2, 4),
    (1, 6, 2, 5),
    (1, 1, 1, 1),
)

SLOW_PROGRESSIONS = ((1, 4), (1, 5), (6, 4), (1, 6), (4, 1), (1, 4, 6, 5), (1, 1, 4, 4))
"""For music without a groove, whose chords last."""


@dataclass(frozen=True)
class Key:
    """A tonic (MIDI pitch class, 0 = C) and the name of a scale in `SCALES`."""

    tonic: int
    scale: str

    def pitch(self, step: int, octave: int = 4) -> int:
        """Give the MIDI pitch of a scale step, 0 being the tonic of `octave`."""
        intervals = SCALES[self.scale]
        octaves, index = divmod(step, len(intervals))
        return 12 * (octave + 1 + octaves) + self.tonic + intervals[index]

    def chord(self, degree: int, size: int = 3, octave: int = 4) -> tuple[int, ...]:
        """Stack `size` thirds on the 1-based scale degree."""
        return tuple(self.pitch(degree - 1 + 2 * third, octave) for third in range(size))
