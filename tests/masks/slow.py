"""What each kind of mask keeps, in plain loops over tokens: slow, and easy to believe."""

import math
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne

import numpy as np
import soundfile
from PIL import Image

from tests.masks.clips import DATA, Clip
from vampprompt.units import Quantity

FRAME_RATE = Fraction(44100, 768)
OPERATORS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


def frame_at(seconds: float) -> int:
    return math.floor(seconds * float(FRAME_RATE) + 1e-6)


# Beats and bars


def pulse(clip, unit):
    return clip.beats if unit == "beat" else clip.downbeats


def seconds_of_count(times, count):
    """Time of the beat with this number, at the tempo of the interval that it lies in."""
    index = min(max(math.floor(count), 0), len(times) - 2)
    return times[index] + (count - index) * (times[index + 1] - times[index])


def count_of_seconds(times, seconds):
    index = 0
    while index < len(times) - 2 and seconds >= times[index + 1]:
        index += 1
    return index + (seconds - times[index]) / (times[index + 1] - times[index])


# Quantities


def exact_frames(clip, quantity):
    return {
        "frame": quantity.number,
        "second": quantity.number * FRAME_RATE,
        "millisecond": quantity.number / 1000 * FRAME_RATE,
        "percent": quantity.number / 100 * clip.n_frames,
    }[quantity.unit]


def position(clip, quantity):
    if quantity.is_musical:
        return frame_at(seconds_of_count(pulse(clip, quantity.unit), float(quantity.number)))
    return math.floor(exact_frames(clip, quantity))


def moved(clip, frame, quantity, sign=1):
    if not quantity.is_musical:
        return frame + math.floor(sign * exact_frames(clip, quantity) + Fraction(1, 2))
    times = pulse(clip, quantity.unit)
    middle = float((frame + Fraction(1, 2)) / FRAME_RATE)
    count = count_of_seconds(times, middle) + sign * float(quantity.number)
    return frame_at(seconds_of_count(times, count))


def width_in_frames(clip, quantity):
    n_frames = math.floor(exact_frames(clip, quantity) + Fraction(1, 2))
    return max(n_frames, 1) if quantity.number else 0


# Events


def near(clip, event, frame, width, before=None, after=None):
    """Whether a frame is kept because of an event in another."""
    if width is None:
        first = event if before is None else moved(clip, event, before, -1)
        last = event if after is None else moved(clip, event, after)
        return first <= frame <= last
    if width.is_musical:
        if not width.number:
            return False
        half = type(width)(width.number / 2, width.unit)
        first, end = moved(clip, event, half, -1), moved(clip, event, half)
        return first <= frame < max(end, first + 1)
    n_frames = width_in_frames(clip, width)
    n_before = (n_frames - 1) // 2
    return -n_before <= frame - event < n_frames - n_before


def periodic_frames(clip, period, offset):
    """Search for them far beyond the clip on either side."""
    found = []
    for index in range(-400, 400):
        if period.is_musical:
            times = pulse(clip, period.unit)
            if offset.unit == period.unit or not offset.number:
                origin = float(offset.number)
            else:
                origin = count_of_seconds(times, float(position(clip, offset) / FRAME_RATE))
            count = origin + index * float(period.number)
            found.append(frame_at(seconds_of_count(times, count)))
        else:
            origin = (
                Fraction(position(clip, offset))
                if offset.is_musical
                else exact_frames(clip, offset)
            )
            found.append(math.floor(origin + index * exact_frames(clip, period)))
    return [frame for frame in found if 0 <= frame < clip.n_frames]


def heard(mask, clip):
    events = {
        "onset": [frame_at(time) for time in clip.onsets],
        "beat": [frame_at(time) for time in clip.beats],
        "downbeat": [frame_at(time) for time in clip.downbeats],
    }
    events["upbeat"] = [frame for frame in events["beat"] if frame not in events["downbeat"]]
    return nth(events[mask.name], mask)


def nth(frames, mask):
    return [
        frame
        for index, frame in enumerate(frames)
        if index >= mask.offset and (index - mask.offset) % mask.every == 0
    ]


# Masks


def keep(mask, clip: Clip) -> list[list[bool]]:
    """Return whether each token is kept, by codebook and frame."""
    return globals()[f"_{type(mask).__name__.lower()}"](mask, clip)


def each(clip, keeps):
    return [
        [bool(keeps(codebook, frame)) for frame in range(clip.n_frames)]
        for codebook in range(clip.n_codebooks)
    ]


def kept_frames(inner, clip):
    return [
        frame
        for frame in range(clip.n_frames)
        if any(inner[codebook][frame] for codebook in range(clip.n_codebooks))
    ]


def _everything(mask, clip):
    return each(clip, lambda c, f: True)


def _nothing(mask, clip):
    return each(clip, lambda c, f: False)


def _comparison(mask, clip):
    compare = OPERATORS[mask.operator]
    if mask.axis == "codebook":
        return each(clip, lambda c, f: compare(c, mask.bound.number))
    bound = position(clip, mask.bound)
    return each(clip, lambda c, f: compare(f, bound))


def _range(mask, clip):
    start = 0 if mask.start is None else position(clip, mask.start)
    stop = clip.n_frames if mask.stop is None else position(clip, mask.stop)
    return each(clip, lambda c, f: start <= f < stop)


def _prefix(mask, clip):
    stop = position(clip, mask.length)
    return each(clip, lambda c, f: f < stop)


def _suffix(mask, clip):
    if mask.length.is_musical:
        times = pulse(clip, mask.length.unit)
        end = count_of_seconds(times, float(clip.n_frames / FRAME_RATE))
        start = frame_at(seconds_of_count(times, end - float(mask.length.number)))
    else:
        start = math.floor(clip.n_frames - exact_frames(clip, mask.length))
    return each(clip, lambda c, f: f >= start)


def _periodic(mask, clip):
    events = periodic_frames(clip, mask.period, mask.offset)
    return each(clip, lambda c, f: any(near(clip, event, f, mask.width) for event in events))


def _events(mask, clip):
    events = heard(mask, clip)
    width = mask.width
    if (mask.width, mask.before, mask.after) == (None, None, None):
        width = Quantity.parse("75ms")
    return each(
        clip,
        lambda c, f: any(near(clip, e, f, width, mask.before, mask.after) for e in events),
    )


_onset = _beat = _downbeat = _upbeat = _events


def _loud(mask, clip):
    return each(clip, lambda c, f: clip.levels[f] >= mask.above.number)


def _labels(mask, clip):
    kept = set()
    for line in (DATA / "song.txt").read_text().splitlines():
        if line.startswith("\\"):
            continue
        start, stop, text = line.split("\t")
        if mask.label in (None, text):
            first, end = frame_at(float(start)), frame_at(float(stop))
            kept |= {first, *range(first, end)}
    return each(clip, lambda c, f: f in kept)


def _sounding(mask, clip):
    samples, sample_rate = soundfile.read(mask.path, dtype="float32")
    threshold = 10 ** (float(mask.above.number) / 20)
    kept = {
        math.floor(Fraction(index, sample_rate) * FRAME_RATE)
        for index, sample in enumerate(samples)
        if abs(sample) >= threshold
    }
    return each(clip, lambda c, f: f in kept)


def _image(mask, clip):
    pixels = np.asarray(Image.open(mask.path)).tolist()
    height, width = len(pixels), len(pixels[0])

    def bright(codebook, frame):
        row = math.floor(Fraction(2 * codebook + 1, 2 * clip.n_codebooks) * height)
        column = math.floor(Fraction(2 * frame + 1, 2 * clip.n_frames) * width)
        return pixels[row][column] >= 128

    return each(clip, bright)


def share(mask):
    return mask.share.number / (100 if mask.share.unit == "percent" else 1)


def _random(mask, clip):
    generator = np.random.default_rng(np.random.SeedSequence([1, clip.seed, mask.seed]))
    drawn = generator.random((clip.n_codebooks, clip.n_frames), dtype=np.float32).tolist()
    return each(clip, lambda c, f: drawn[c][f] < np.float32(share(mask)))


def _drop(mask, clip):
    inner = keep(mask.mask, clip)
    frames = kept_frames(inner, clip)
    generator = np.random.default_rng(np.random.SeedSequence([2, clip.seed, mask.seed]))
    order = generator.permutation(len(frames)).tolist()
    n_dropped = math.floor(share(mask) * len(frames) + Fraction(1, 2))
    dropped = {frames[order[index]] for index in range(n_dropped)}
    return each(clip, lambda c, f: inner[c][f] and f not in dropped)


def _dilate(mask, clip):
    return grown(keep(mask.mask, clip), clip, mask.by)


def _erode(mask, clip):
    outside = [[not token for token in row] for row in keep(mask.mask, clip)]
    shrunk = grown(outside, clip, mask.by)
    return [[not token for token in row] for row in shrunk]


def grown(inner, clip, by):
    kept = [
        [(moved(clip, f, by, -1), moved(clip, f, by)) for f in range(clip.n_frames) if row[f]]
        for row in inner
    ]
    return each(clip, lambda c, f: any(first <= f <= last for first, last in kept[c]))


def _shift(mask, clip):
    inner = keep(mask.mask, clip)
    result = [[False] * clip.n_frames for _ in inner]
    for row, target in zip(inner, result, strict=True):
        start = 0
        while start < clip.n_frames:
            if not row[start]:
                start += 1
                continue
            stop = start
            while stop < clip.n_frames and row[stop]:
                stop += 1
            first, end = moved(clip, start, mask.by), moved(clip, stop, mask.by)
            for frame in range(first, max(end, first + 1)):
                if 0 <= frame < clip.n_frames:
                    target[frame] = True
            start = stop
    return result


def _thin(mask, clip):
    inner = keep(mask.mask, clip)
    stays = nth(kept_frames(inner, clip), mask)
    return each(clip, lambda c, f: inner[c][f] and f in stays)


def _depth(mask, clip):
    frames = kept_frames(keep(mask.mask, clip), clip)
    return each(clip, lambda c, f: c < (mask.inside if f in frames else mask.outside))


def _not(mask, clip):
    inner = keep(mask.mask, clip)
    return each(clip, lambda c, f: not inner[c][f])


def chain(holds):
    def combined(mask, clip):
        terms = [keep(term, clip) for term in mask.terms]
        return each(clip, lambda c, f: holds([term[c][f] for term in terms]))

    return combined


_and, _or, _xor = chain(all), chain(any), chain(lambda kept: sum(kept) % 2 == 1)
_difference = chain(lambda kept: kept[0] and not any(kept[1:]))
