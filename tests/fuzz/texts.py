"""Texts that are nearly masks and samplers: sentences of the grammar, of which many are garbled.

All chance comes from a `random.Random`, which may be one of hypothesis's, so that the same
texts serve short tests, which shrink what fails, and long runs, which count.
"""

import inspect
from collections.abc import Callable
from random import Random

from vampprompt.language.term import parameters
from vampprompt.masks import PRESETS, masks
from vampprompt.samplers import SCHEDULES, parts, samplers
from vampprompt.units import UNITS

# Letters, digits, spaces and signs that look like others, break lines, turn round, or are half
# of a pair; and those that end strings elsewhere.
ODD = (
    "\0\t\n\r\x0b\x1b\x7f\x85\xa0²½٣𝟛Ⅷ×÷–—≤≠¬∧∨~·…“”‘’«»µªßıİſﬁéÅΩЖ字かな"
    "\u0301\u200b\u200d\u202e\u2028\u2029\ufeff\ufffd\ud800\udfff\U0001f3b5\U0010ffff"
)
NUMBERS = ("0", "1", "3", "7", "0.5", ".25", "1/3", "1/0", "0/0", "12.50", "1e3", "9" * 15)
FILES = ('"mask.png"', '"mask.wav"', '"song.txt"', "'none.txt'", '""', '"a\\"b"', "'\\\\'")
COMPARED = ("<", "<=", ">", ">=", "==", "!=")
SIGNS = ("&", "|", "^", "-", "~", "(", ")", ",", "=", "..", *COMPARED)
# Quick to write and slow to read: what has brought down other parsers.
REPEATED = ("(", "~", "-", "dilate(", "beat|", "1/", ".", "..", '"', "\\", "a", "9", " ", "\n")
# What each argument of a mask is meant to be.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "every": ("1", "2", "5", "0"),
    "seed": ("0", "4", "999999999999999"),
    "inside": ("0", "1", "4", "9"),
    "outside": ("0", "1", "4", "9"),
    "share": ("0.1", "1/3", "20%", "0", "1", "1.1", "100%"),
    "above": ("-30dB", "-60.5dB", "0dB", "3dB"),
    "label": ('"chorus"', '"hit"', '"坂"'),
    "path": FILES,
}
SETTINGS = {
    "schedule": tuple(SCHEDULES),
    "steps": ("1", "12", "36", "0", "[4, 2, 1, 1]"),
    "blocks": ("1", "4", "999999999"),
    "min_tokens": ("1", "64"),
    "k": ("1", "50", "0"),
    "filters": ("[]", "[top-k(k=50)]", "[typical(mass=0.15, min_tokens=64), min-p(p=0.1)]"),
}


def mask(random: Random) -> str:
    """Return a text that is a mask about as often as not."""
    text = _expression(random, random.choice((0, 1, 1, 2, 2, 3)))
    return text if random.random() < 0.4 else _garbled(random, text, _mask_word)


def sampler(random: Random) -> str:
    """Return a text that is a sampler about as often as not."""
    text = _call(random, random.choice([*samplers]), samplers.get)
    return text if random.random() < 0.4 else _garbled(random, text, _sampler_word)


def _garbled(random: Random, text: str, word: Callable[[Random], str]) -> str:
    """Return a text with some of it left out, doubled, reversed, or put in."""
    if random.random() < 0.03:
        return "".join(_character(random) for _ in range(random.randrange(40)))
    if random.random() < 0.005:
        return random.choice(REPEATED) * random.choice((10, 99, 101, 1000)) + text
    for _ in range(random.choice((1, 1, 2, 5))):
        start = random.randrange(len(text) + 1)
        stop = start if random.random() < 0.5 else start + random.randrange(8)
        near = text[start : start + 8]
        kind = random.randrange(6)
        put = ("", near, near[::-1], word(random), f" {word(random)} ", _character(random))[kind]
        text = text[:start] + put + text[stop:]
    return text


def _character(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        return chr(random.randrange(32, 127))
    if kind == 1:
        return chr(random.randrange(0x110000))
    return random.choice(ODD)


def _number(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(NUMBERS)
    return str(random.randrange(10 ** random.choice((1, 1, 2, 3, 16, 70))))


def _quantity(random: Random) -> str:
    if random.random() < 0.8:
        number = random.choice(("1", "2", "7", "0.5", "1/2", "90"))
        return number + random.choice(("", "f", "s", "ms", "beat", "bars", "%"))
    return random.choice(("", "-")) + _number(random) + random.choice([*UNITS, "S", "db", "x"])


def _mask_word(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        return random.choice(SIGNS)
    if kind == 1:
        return _quantity(random)
    if kind == 2:
        return random.choice(FILES)
    return random.choice([*masks, *PRESETS, "codebook", "time", "not", "width="])


def _expression(random: Random, depth: int) -> str:
    if depth == 0:
        return _leaf(random)
    kind = random.randrange(5)
    if kind == 0:
        return f"~{_expression(random, depth - 1)}"
    if kind == 1:
        return f"({_expression(random, depth - 1)})"
    if kind == 2:
        return _named(random, random.choice([*masks]), depth - 1)
    sides = [_expression(random, depth - 1) for _ in range(random.choice((2, 2, 3)))]
    return random.choice(("&", " & ", " | ", "^", " - ")).join(sides)


def _leaf(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        axis, sign = random.choice(("codebook", "frame", "time")), random.choice(COMPARED)
        bound = _quantity(random) if axis == "time" else str(random.randrange(12))
        return f"2<={axis}<{bound}" if random.random() < 0.2 else f"{axis}{sign}{bound}"
    if kind == 1:
        start = random.choice(("", "1s", _quantity(random)))
        return f"{start}..{random.choice(('', '3s', _quantity(random)))}"
    return _named(random, random.choice([*masks, *PRESETS]), 0)


def _named(random: Random, name: str, depth: int) -> str:
    entry = masks.get(name) if name in masks else None
    if entry is None or random.random() < 0.2:
        return name
    given = []
    for argument, parameter in parameters(entry).items():
        required = parameter.default is parameter.empty
        if required or random.random() < 0.4:
            value = _argument(random, argument, depth)
            given.append(value if required else f"{argument}={value}")
    return f"{name}({', '.join(given)})" if given else name


def _argument(random: Random, argument: str, depth: int) -> str:
    if argument == "mask":
        return _expression(random, depth)
    if argument in ARGUMENTS:
        return random.choice(ARGUMENTS[argument])
    return _quantity(random)


def _sampler_word(random: Random) -> str:
    signs = ("(", ")", "[", "]", ",", "=", "-", "+", "**", "*", ":", "lambda", "__import__('os')")
    values = ("nan", "inf", "1e999", "-1", "None", "True", "0x1", "1j", "'a'", "b'a'", "{}", "...")
    names = (*parts, "steps=", "filters=", "guidance=")
    return random.choice(random.choice((signs, values, names)))


def _call(random: Random, name: str, get: Callable[[str], Callable[..., object]]) -> str:
    given = [
        f"{setting}={_setting(random, setting)}"
        for setting, parameter in inspect.signature(get(name)).parameters.items()
        if parameter.default is parameter.empty or random.random() < 0.3
    ]
    return f"{name}({', '.join(given)})" if given else name


def _setting(random: Random, setting: str) -> str:
    if setting == "filters" and random.random() < 0.5:
        names = random.choices(
            [name for name in parts if name not in SCHEDULES], k=random.randrange(4)
        )
        return f"[{', '.join(_call(random, one, parts.get) for one in names)}]"
    if setting in SETTINGS:
        return random.choice(SETTINGS[setting])
    return random.choice(("0.15", "0.9", "1", "1.0", "1e-3", "-1", "0", "2.5", _number(random)))
