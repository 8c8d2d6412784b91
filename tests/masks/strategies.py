"""Masks drawn by hypothesis: every kind of node that the language has."""

from fractions import Fraction

from hypothesis import strategies as st

from tests.masks.clips import DATA
from vampprompt import masks as m
from vampprompt.language.parse import OPERATORS
from vampprompt.masks.position import Comparison, Range
from vampprompt.units import Quantity

N_CODEBOOKS = 5


def spelled(*texts: str):
    return st.sampled_from([Quantity.parse(text) for text in texts])


def measured(unit: str, most: Fraction | int):
    """Quantities of one unit, exact to a hundredth."""
    return st.integers(0, int(most * 100)).map(
        lambda hundredths: Quantity.parse(f"{hundredths // 100}.{hundredths % 100:02}{unit}")
    )


frames = st.integers(0, 100)
times = st.one_of(measured("s", 2), measured("ms", 1600), measured("%", 100))
musical = st.one_of(measured("beat", 8), measured("bars", 3), spelled("1/3beat", "2beats", "1bar"))
positions = st.one_of(frames, times, musical)
lengths = st.one_of(
    st.integers(0, 9),
    measured("ms", 120),
    spelled("1/4beat", "1/99beat", "0.5beats", "1/8bar", "0s", "3%"),
)
periods = st.one_of(
    st.integers(1, 30),
    measured("ms", 400).filter(lambda q: q.number >= 20),
    spelled("0.1s", "1/3s"),
)
pulses = spelled("1beat", "1/2beat", "1bar", "0.25bar", "3beats")
offsets = st.one_of(st.integers(-40, 40), lengths, spelled("-1beat", "-20ms", "1/2bar"))
shares = st.one_of(st.integers(0, 100).map(lambda n: Fraction(n, 100)), measured("%", 100))
seeds = st.integers(0, 3)


def compared(axis: str, operator: str):
    last = N_CODEBOOKS if operator in ("<", ">=") else N_CODEBOOKS - 1
    bounds = {"codebook": st.integers(0, last), "frame": frames, "time": positions}[axis]
    return bounds.map(lambda bound: Comparison(axis, operator, Quantity.of(bound)))


def _ordered(ends):
    return Range(*sorted(ends, key=lambda end: end.number))


def events(name: str):
    mask = getattr(m, name)
    chosen = {"every": st.integers(1, 4), "offset": st.integers(0, 5)}
    return {
        name: st.builds(mask, **chosen),
        f"{name} with width": st.builds(mask, width=lengths, **chosen),
        f"{name} with sides": st.builds(mask, before=lengths, after=lengths, **chosen),
    }


# Each kind of leaf by its name.
LEAVES = {
    "everything": st.just(m.everything),
    "nothing": st.just(m.nothing),
    **{
        f"{axis} {operator}": compared(axis, operator)
        for axis in ("codebook", "frame", "time")
        for operator in OPERATORS
    },
    "range": st.tuples(times, times)
    .filter(lambda ends: ends[0].unit == ends[1].unit)
    .map(_ordered),
    "range of beats": st.tuples(measured("beat", 8), measured("beat", 8)).map(_ordered),
    "range from": positions.map(lambda start: m.time[start:]),
    "range to": positions.map(lambda stop: m.time[:stop]),
    "prefix": st.builds(m.prefix, positions),
    "suffix": st.builds(m.suffix, positions),
    "periodic": st.builds(m.periodic, periods, lengths, offsets),
    "periodic in beats": st.builds(m.periodic, pulses, lengths, offsets),
    **events("onset"),
    **events("beat"),
    **events("downbeat"),
    **events("upbeat"),
    "loud": st.integers(-70, 0).map(lambda level: m.loud(f"{level}dB")),
    "labels": st.sampled_from([None, "verse", "chorus", "hit"]).map(
        lambda label: m.labels(DATA / "song.txt", label)
    ),
    "audio": st.sampled_from(["-60dB", "-20dB"]).map(lambda db: m.audio(DATA / "mask.wav", db)),
    "image": st.just(m.image(DATA / "mask.png")),
    "random": st.builds(m.random, shares, seeds),
}


def shapes(inner):
    """Masks that change the shape of another, each kind by its name."""
    depths = st.integers(0, N_CODEBOOKS)
    return {
        "drop": st.builds(m.drop, inner, shares, seeds),
        "dilate": st.builds(m.dilate, inner, lengths),
        "erode": st.builds(m.erode, inner, lengths),
        "shift": st.builds(m.shift, inner, offsets),
        "thin": st.builds(m.thin, inner, st.integers(1, 5), st.integers(0, 5)),
        "depth": st.builds(m.depth, inner, depths, depths),
    }


def operators(inner):
    """Masks that combine others, each kind by its name."""
    return {
        "not": inner.map(lambda a: ~a),
        "and": st.tuples(inner, inner).map(lambda ab: ab[0] & ab[1]),
        "or": st.tuples(inner, inner).map(lambda ab: ab[0] | ab[1]),
        "xor": st.tuples(inner, inner).map(lambda ab: ab[0] ^ ab[1]),
        "difference": st.tuples(inner, inner).map(lambda ab: ab[0] - ab[1]),
    }


leaves = st.one_of(*LEAVES.values())
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(*shapes(inner).values(), *operators(inner).values()),
    max_leaves=8,
)
KINDS = {**LEAVES, **shapes(leaves), **operators(leaves)}
