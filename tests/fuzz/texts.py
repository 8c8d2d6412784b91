"""Texts that are nearly masks and samplers: sentences of the grammar, of which many are garbled.

All chance comes from a `random.Random`, which may be one of hypothesis's, so that the same
texts serve short tests, which shrink what fails, and long runs, which count.
"""

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
NUMBERS = ("0", "1", "7", ".25", "1/3", "1/0", "0/0", "12.50", "1e3", "1:05", "0:75", "9" * 15)
FILES = ('"mask.png"', '"mask.wav"', '"song.txt"', "'none.txt'", '""', '"a\\"b"', "'\\\\'")
COMPARED = ("<", "<=", ">", ">=", "==", "!=")
SIGNS = ("&", "|", "^", "-", "~", "(", ")", ",", "=", "..", *COMPARED)
# Quick to write and slow to read: what has brought down other parsers.
REPEATED = ("(", "~", "-", "dilate(", "beat|", "1/", ".", "..", '"', "\\", "a", "9", " ", "\n")
# What each argument of a mask is meant to be.
ARGUMENTS = {
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


def mask(random):
    """Return a text that is a mask about as often as not."""
    return _garbled(random, _expression(random, random.choice((0, 1, 1, 2, 2, 3))), _mask_word)


def sampler(random):
    """Return a text that is a sampler about as often as not."""
    return _garbled(random, _called(random, samplers), _sampler_word)


def _garbled(random, text, word):
    """Return a text, mostly with some of it left out, doubled, reversed, or put in."""
    if random.random() < 0.4:
        return text
    if random.random() < 0.03:
        return "".join(_character(random) for _ in range(random.randrange(40)))
    if random.random() < 0.005:
        return random.choice(REPEATED) * random.choice((10, 99, 101, 1000)) + text
    for _ in range(random.choice((1, 1, 2, 5))):
        start = random.randrange(len(text) + 1)
        stop = start if random.random() < 0.5 else start + random.randrange(8)
        near = text[start : start + 8]
        new = (word(random), f" {word(random)} ", _character(random))
        text = text[:start] + random.choice(("", near, near[::-1], *new)) + text[stop:]
    return text


def _character(random):
    odd = random.choice(ODD)
    plain, any_one = chr(random.randrange(32, 127)), chr(random.randrange(0x110000))
    return random.choice((plain, any_one, odd, odd))


def _number(random):
    if random.random() < 0.5:
        return random.choice(NUMBERS)
    return str(random.randrange(10 ** random.choice((1, 1, 2, 3, 16, 70))))


def _quantity(random):
    if random.random() < 0.8:
        number = random.choice(("1", "2", "7", "0.5", "1/2", "90"))
        return number + random.choice(("", "f", "s", "ms", "beat", "bars", "%"))
    return random.choice(("", "-")) + _number(random) + random.choice([*UNITS, "S", "db", "x"])


def _mask_word(random):
    names = [*masks, *PRESETS, "codebook", "time", "not", "width="]
    return random.choice(random.choice((SIGNS, [_quantity(random)], FILES, names)))


def _expression(random, depth):
    kind = random.randrange(5)
    if depth == 0:
        return _leaf(random)
    if kind == 0:
        return f"~{_expression(random, depth - 1)}"
    if kind == 1:
        return f"({_expression(random, depth - 1)})"
    if kind == 2:
        return _named(random, random.choice([*masks]), depth - 1)
    sides = [_expression(random, depth - 1) for _ in range(random.choice((2, 2, 3)))]
    return random.choice(("&", " & ", " | ", "^", " - ")).join(sides)


def _leaf(random):
    kind = random.randrange(4)
    if kind == 0:
        axis, sign = random.choice(("codebook", "frame", "time")), random.choice(COMPARED)
        bound = _quantity(random) if axis == "time" else str(random.randrange(12))
        return f"2<={axis}<{bound}" if random.random() < 0.2 else f"{axis}{sign}{bound}"
    if kind == 1:
        start = random.choice(("", "1s", _quantity(random)))
        return f"{start}..{random.choice(('', '3s', _quantity(random)))}"
    return _named(random, random.choice([*masks, *PRESETS]), 0)


def _named(random, name, depth):
    def value(argument):
        if argument == "mask":
            return _expression(random, depth)
        return random.choice(ARGUMENTS.get(argument) or [_quantity(random)])

    if name not in masks or random.random() < 0.2:
        return name
    return _call(random, name, parameters(masks.get(name)), value, is_mask=True)


FILTERS = {name: parts.get(name) for name in parts if name not in SCHEDULES}


def _called(random, callables):
    def value(setting):
        if setting == "filters" and random.random() < 0.5:
            some = (_called(random, FILTERS) for _ in range(random.randrange(4)))
            return f"[{', '.join(some)}]"
        numbers = ("0.15", "0.9", "1", "1.0", "1e-3", "-1", "0", "2.5", _number(random))
        return random.choice(SETTINGS.get(setting, numbers))

    name = random.choice([*callables])
    return _call(
        random,
        name,
        parameters(callables[name] if isinstance(callables, dict) else callables.get(name)),
        value,
    )


def _call(random, name, taken, value, *, is_mask=False):
    """Return a call of a name with its required arguments and some of the others."""
    given = []
    for argument, parameter in taken.items():
        required = parameter.default is parameter.empty
        if required or random.random() < 0.35:
            given.append(
                value(argument) if required and is_mask else f"{argument}={value(argument)}"
            )
    return f"{name}({', '.join(given)})" if given else name


def _sampler_word(random):
    signs = ("(", ")", "[", "]", ",", "=", "-", "+", "**", "*", ":", "lambda", "__import__('os')")
    values = ("nan", "inf", "1e999", "-1", "None", "True", "0x1", "1j", "'a'", "b'a'", "{}", "...")
    names = (*parts, "steps=", "filters=", "guidance=")
    return random.choice(random.choice((signs, values, names)))
