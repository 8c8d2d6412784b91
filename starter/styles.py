"""What sets one style apart from another: drum grooves, instruments, tempi."""

from __future__ import annotations

from dataclasses import dataclass

KICK, RIM, SNARE, CLAP, CLOSED_HAT, OPEN_HAT = 36, 37, 38, 39, 42, 46
CRASH, RIDE, TAMBOURINE, COWBELL, SHAKER, CLAVE = 49, 51, 54, 56, 70, 75

VOICES = (52, 53, 54, 85)
SUSTAINED = (
    *VOICES,
    *(20, 21, 22, 40, 41, 42, 44, 48, 49, 56, 57, 60, 64, 65, 66, 68),
    *range(69, 80),
)
"""Programs whose sound does not die away and whose pitch a player can bend."""

DRUM_KITS = (0, 8, 16, 24, 25, 32, 40)

KEYBOARDS = (0, 1, 2, 4, 5, 6, 7, 11, 16, 17, 18, 19, 21)
GUITARS = (24, 25, 26, 27, 28, 29, 30)
PADS = (48, 49, 50, 51, 52, 53, 88, 89, 90, 91, 92, 94, 95)
BASSES = (32, 33, 34, 35, 36, 37, 38, 39, 43, 58)
LEADS = (
    *(9, 11, 12, 13, 22, 40, 41, 42, 56, 57, 59, 60, 61, 64, 65, 66, 68, 69, 71, 72, 73, 74, 75),
    *(76, 79, 80, 81, 82, 84, 85, 87, 105, 108, 114),
)
PLUCKED = (0, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15, 24, 25, 45, 46, 80, 81, 88, 98, 104, 106, 107)


@dataclass(frozen=True)
class Style:
    """A drum groove over a bar and what goes with it.

    Parameters
    ----------
    name
        How the style is known.
    groove
        For each drum, one character for each step of the bar: ``X`` accented, ``x`` plain,
        ``o`` soft, ``.`` silent.
    beats_per_bar
        3 or 4; each beat has four steps.
    tempo
        Slowest and fastest tempo, in beats a minute.
    swing
        How far the second of two half beats is delayed, as a share of a half beat.
    """

    name: str
    groove: dict[int, str]
    beats_per_bar: int = 4
    tempo: tuple[float, float] = (80, 140)
    swing: float = 0.0


STYLES = (
    Style(
        "rock",
        {
            KICK: "X.....x.X.x.....",
            SNARE: "....X.......X...",
            CLOSED_HAT: "x.o.x.o.x.o.x.o.",
        },
        tempo=(90, 160),
    ),
    Style(
        "house",
        {
            KICK: "X...X...X...X...",
            CLAP: "....X.......X...",
            OPEN_HAT: "..x...x...x...x.",
            CLOSED_HAT: "o.o.o.o.o.o.o.oo",
        },
        tempo=(112, 132),
    ),
    Style(
        "disco",
        {
            KICK: "X...X...X...X...",
            SNARE: "....X.......X...",
            CLOSED_HAT: "x.x.x.x.x.x.x.x.",
            TAMBOURINE: "o.x.o.x.o.x.o.x.",
        },
        tempo=(105, 130),
    ),
    Style(
        "hip hop",
        {
            KICK: "X..x..x...X.....",
            SNARE: "....X.......X..o",
            CLOSED_HAT: "x.xox.x.x.xox.x.",
        },
        tempo=(70, 100),
        swing=0.2,
    ),
    Style(
        "funk",
        {
            KICK: "X.x...x...X..x..",
            SNARE: "....X..o.o..X..o",
            CLOSED_HAT: "xoxoxoxoxoxoxoxo",
        },
        tempo=(85, 120),
    ),
    Style(
        "bossa nova",
        {
            KICK: "X..xX..xX..xX..x",
            RIM: "x..x..x...x..x..",
            SHAKER: "xoxoxoxoxoxoxoxo",
        },
        tempo=(70, 130),
    ),
    Style(
        "swing",
        {
            KICK: "x.......x.......",
            RIDE: "X...x.x.X...x.x.",
            CLOSED_HAT: "....x.......x...",
        },
        tempo=(90, 180),
        swing=1 / 3,
    ),
    Style(
        "shuffle",
        {
            KICK: "X.....x.X.......",
            SNARE: "....X.......X...",
            RIDE: "x.x.x.x.x.x.x.x.",
        },
        tempo=(80, 140),
        swing=1 / 3,
    ),
    Style(
        "reggae",
        {
            KICK: "........X.......",
            RIM: "........X.......",
            CLOSED_HAT: "x.x.x.x.x.x.x.x.",
        },
        tempo=(65, 95),
        swing=0.15,
    ),
    Style(
        "breakbeat",
        {
            KICK: "X.x.......xx....",
            SNARE: "....X..x.x..X..x",
            RIDE: "x.x.x.x.x.x.x.x.",
        },
        tempo=(130, 180),
    ),
    Style(
        "ballad",
        {
            KICK: "X.........x.....",
            SNARE: "....x.......x...",
            CLOSED_HAT: "o...o...o...o...",
        },
        tempo=(60, 85),
    ),
    Style(
        "latin",
        {
            KICK: "X..x..x.X..x..x.",
            COWBELL: "x...x.x.x...x.x.",
            CLAVE: "x..x..x...x.x...",
            SHAKER: "oxoxoxoxoxoxoxox",
        },
        tempo=(90, 150),
    ),
    Style(
        "march",
        {
            KICK: "X.......X.......",
            SNARE: "x.ooX.ooxxooX.oo",
        },
        tempo=(90, 130),
    ),
    Style(
        "waltz",
        {
            KICK: "X...........",
            SNARE: "....x...x...",
            CLOSED_HAT: "o.......o...",
        },
        beats_per_bar=3,
        tempo=(80, 180),
    ),
    Style(
        "jazz waltz",
        {
            KICK: "X.........x.",
            RIDE: "X...x.x.x...",
            CLOSED_HAT: "....x.......",
        },
        beats_per_bar=3,
        tempo=(90, 170),
        swing=1 / 3,
    ),
    Style(
        "slow three",
        {
            KICK: "X.......x...",
            SNARE: "........x...",
            CLOSED_HAT: "x.o.x.o.x.o.",
        },
        beats_per_bar=3,
        tempo=(60, 110),
    ),
    Style(
        "techno",
        {
            KICK: "X...X...X...X...",
            OPEN_HAT: "..x...x...x...x.",
            CLOSED_HAT: "xoxoxoxoxoxoxoxo",
            RIM: "...x..x....x..x.",
        },
        tempo=(120, 145),
    ),
    Style(
        "half time",
        {
            KICK: "X.....x.........",
            SNARE: "........X.......",
            CLOSED_HAT: "x.x.x.x.x.x.x.xo",
        },
        tempo=(110, 170),
    ),
    Style(
        "soul",
        {
            KICK: "X..x....X.x.....",
            SNARE: "x...x...x...x...",
            TAMBOURINE: "..x...x...x...x.",
        },
        tempo=(80, 125),
        swing=0.1,
    ),
)
