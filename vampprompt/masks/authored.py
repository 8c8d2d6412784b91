"""Masks that the user made elsewhere: label files, recordings and images."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from vampprompt.errors import MaskError, did_you_mean
from vampprompt.language import FilePath, Level, Text
from vampprompt.masks.base import BoolArray, Evaluation, Mask, named
from vampprompt.masks.shape import covered
from vampprompt.units import Quantity

# An hour of frames, 80 pixels high. More is slow to read, and often a damaged file's claim.
_MOST_PIXELS = 1 << 24


class Labels(Mask):
    """Keep the stretches of a label file of Audacity: ``labels("song.txt", "chorus")``.

    From the frame in which a label begins to that in which it ends; a label that is a point
    keeps its one frame.

    Parameters
    ----------
    path : path
        Lines of start, end and text with tabs between them, times in seconds.
    label : str, optional
        Only the stretches with this text.
    """

    path: FilePath
    label: Text | None = None

    def keep(self, clip: Evaluation) -> BoolArray:
        found = _read_labels(self.path)
        chosen = [place for place in found if self.label in (None, place[2])]
        if not chosen:
            names = sorted({text for _, _, text in found})
            hint = did_you_mean(self.label or "", names) or f"it has: {', '.join(names[:10])}"
            raise MaskError(f"'{self.path}' has no label '{self.label}'", hint=hint)
        times = np.array([(start, stop) for start, stop, _ in chosen])
        starts, stops = clip.grid.frames_at(times).T
        return covered(0, starts, np.maximum(stops, starts + 1), (1, clip.grid.n_frames))


class Sounding(Mask):
    """Keep the frames in which another recording sounds: ``audio("mask.wav")``.

    Its beginning is laid on that of the clip.

    Parameters
    ----------
    path : path
        A recording of any length, sample rate and number of channels.
    above : level
        A frame sounds if any sample in it reaches this level, in dB re full scale.
    """

    name = "audio"

    path: FilePath
    above: Level = Quantity.parse("-60dB")

    def keep(self, clip: Evaluation) -> BoolArray:
        from vampprompt.audio import read

        heard = read(self.path)
        # The first sample of each frame, by whole numbers so that no border is off.
        grid, frames = clip.grid, np.arange(clip.grid.n_frames + 1)
        borders = -(-frames * grid.hop_length * heard.sample_rate // grid.sample_rate)
        levels = np.abs(heard.samples[:, : borders[-1]])
        inside = borders[borders < levels.shape[1]]
        peaks = np.maximum.reduceat(levels, inside, axis=1).max(axis=0)
        keep = np.zeros(grid.n_frames, dtype=np.bool_)
        keep[: len(inside)] = peaks >= 10 ** (float(self.above.number) / 20)
        return keep


class Image(Mask):
    """Keep what is bright in an image: ``image("mask.png")``.

    Rows are codebooks, the coarsest on top, and columns are frames. An image of another size is
    stretched over the whole clip without smoothing; brightness from one half on is kept, and
    what is transparent is not.

    Parameters
    ----------
    path : path
        An image file of any common format.
    """

    path: FilePath

    def keep(self, clip: Evaluation) -> BoolArray:
        bright = _read_image(self.path)
        rows, columns = (
            (np.arange(n) * 2 + 1) * size // (2 * n)
            for n, size in zip(clip.grid.shape, bright.shape, strict=True)
        )
        return bright[np.ix_(rows, columns)]


def _read_labels(path: str) -> list[tuple[float, float, str]]:
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise MaskError(f"cannot read '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise MaskError(f"'{path}' is not a label file: it is not text") from None
    except ValueError as error:  # a path with a null in it
        raise MaskError(f"cannot read {path!r}: {error}") from None
    found = []
    for number, line in enumerate(lines, 1):
        # A line that begins with a backslash gives the frequencies of the label before it.
        if not line.strip() or line.startswith("\\"):
            continue
        try:
            start, stop, *text = line.split("\t", 2)
            place = float(start), float(stop), "".join(text)
        except ValueError:
            place = np.nan, np.nan, ""
        if not 0 <= place[0] <= place[1] < 1e9:
            hint = "a line is start, end and text with tabs between them, times in seconds"
            raise MaskError(f"line {number} of '{path}' is no label: '{line}'", hint=hint)
        found.append(place)
    if not found:
        raise MaskError(f"'{path}' has no labels")
    return found


def _read_image(path: str) -> BoolArray:
    from PIL import Image as pillow  # noqa: N813
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pillow.open(path) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise pillow.DecompressionBombError
                image = opened.convert("RGBA")
    except UnidentifiedImageError:
        raise MaskError(f"'{path}' is not an image") from None
    except OSError as error:
        raise MaskError(f"cannot read '{path}': {error.strerror or error}") from None
    except pillow.DecompressionBombError:
        raise MaskError(f"'{path}' is too large an image", hint="save it smaller") from None
    except Exception as error:  # there is no end to what a damaged file can raise
        raise MaskError(f"cannot read {path!r}: {error}") from None
    backed = pillow.new("RGBA", image.size, "black")
    backed.alpha_composite(image)
    bright: BoolArray = np.asarray(backed.convert("L")) >= 128
    return bright


labels = named(Labels)
audio = named(Sounding)
image = named(Image)
