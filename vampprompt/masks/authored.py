"""Masks that the user made elsewhere: label files, recordings, images and arrays."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError, did_you_mean, shown
from vampprompt.files import check_readable, read_bytes, read_text
from vampprompt.language import FilePath, Level, Text
from vampprompt.masks.base import BoolArray, Evaluation, Mask, named
from vampprompt.masks.shape import covered
from vampprompt.units import Quantity

# In bytes: some hundred thousand labels.
_LARGEST_LABELS = 2**22
# An hour of frames, 80 pixels high. More is slow to read, and often a damaged file's claim.
_MOST_PIXELS = 1 << 24
_WIDEST_IMAGE = 1 << 20
_LARGEST_IMAGE = 2**25
# Each goes over the whole image, in however few bytes.
_MOST_SCANS = 100
# What reads others starts programs on them, or is seldom used and seldom looked after.
_FORMATS = ("PNG", "JPEG", "BMP", "WebP", "GIF")
_BOOLS = "True for what is kept, in bool of the shape [codebook, frame]"


class Labels(Mask):
    r"""Keep the stretches of a label file of Audacity: ``labels("song.txt", "chorus")``.

    From the frame in which a label begins to that in which it ends; a label that is a point
    keeps its one frame.

    Parameters
    ----------
    path : path
        Lines of start, end and text with tabs between them, times in seconds, also with a decimal
        comma, or as ``1:05``.
    label : str, optional
        Only the stretches with this text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from vampprompt import Clip, Grid
    >>> Path("song.txt").write_text("0.05\t0.09\tchorus\n")
    17
    >>> labels("song.txt", "chorus").array(Clip(Grid(1, 8))).astype(int)
    array([[0, 0, 1, 1, 1, 0, 0, 0]])
    """

    path: FilePath
    label: Text | None = None

    def keep(self, clip: Evaluation) -> BoolArray:
        found = _read_labels(self.path)
        chosen = [place for place in found if self.label in (None, place[2])]
        if not chosen:
            names = sorted({text for _, _, text in found if text})
            some = f"it has: {', '.join(names[:10])}" if names else "its labels have no text"
            hint = did_you_mean(self.label or "", names) or some
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

    Examples
    --------
    >>> import vampprompt as vp
    >>> samples = np.zeros((1, 768 * 8), np.float32)
    >>> samples[:, 768 * 2 : 768 * 5] = 0.5
    >>> vp.write("mask.wav", vp.Audio(samples, 44100))
    ()
    >>> audio("mask.wav").array(vp.Clip(vp.Grid(1, 8))).astype(int)
    array([[0, 0, 1, 1, 1, 0, 0, 0]])
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
        A PNG, JPEG, BMP, WebP or GIF file; of one that moves, the first picture.

    Examples
    --------
    >>> from PIL import Image as pillow
    >>> from vampprompt import Clip, Grid
    >>> pillow.fromarray(np.uint8([[255, 0], [0, 255]])).save("mask.png")
    >>> image("mask.png").array(Clip(Grid(2, 6))).astype(int)
    array([[1, 1, 1, 0, 0, 0],
           [0, 0, 0, 1, 1, 1]])
    """

    path: FilePath

    def keep(self, clip: Evaluation) -> BoolArray:
        bright = _read_image(self.path)
        rows, columns = (
            (np.arange(n) * 2 + 1) * size // (2 * n)
            for n, size in zip(clip.grid.shape, bright.shape, strict=True)
        )
        return bright[np.ix_(rows, columns)]


class Array(Mask):
    """Keep what an array of NumPy says: ``array("keep.npy")``.

    Parameters
    ----------
    path : path
        A file of NumPy with bool ``[codebook, frame]``, as ``vampprompt mask --npy`` writes it for
        a clip of the same length.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> np.save("keep.npy", np.eye(2, 6, dtype=bool))
    >>> array("keep.npy").array(Clip(Grid(2, 6))).astype(int)
    array([[1, 0, 0, 0, 0, 0],
           [0, 1, 0, 0, 0, 0]])
    """

    path: FilePath

    def keep(self, clip: Evaluation) -> BoolArray:
        check_readable(self.path, MaskError)
        try:
            # Of whatever size the file says that it is, nothing is read before it is compared.
            found = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # there is no end to what a damaged file can raise
            what = f"'{self.path}' is not a file of an array"
            raise MaskError(what, hint="write it by numpy.save") from error
        if not isinstance(found, np.ndarray) or found.dtype != np.bool_:
            kind = getattr(found, "dtype", "several arrays")
            raise MaskError(f"'{self.path}' holds {kind}, not bool", hint=_BOOLS)
        _check_fits(f"'{self.path}'", found.shape, clip)
        # Of a damaged file, other bytes than 0 and 1 are true as well.
        keep: BoolArray = found.view(np.uint8) != 0
        return keep


class Given(Mask):
    """Keep what an array in memory says; no text can say that. See `given`."""

    name = "array"
    in_python = True

    shape: tuple[int, ...]
    bits: bytes

    def pieces(self) -> Iterator[str | Mask]:
        yield f"array({'x'.join(map(str, self.shape))} in Python)"

    def __repr__(self) -> str:
        return str(self)

    def keep(self, clip: Evaluation) -> BoolArray:
        _check_fits("the array", self.shape, clip)
        kept = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=math.prod(self.shape))
        keep: BoolArray = kept.reshape(self.shape) != 0
        return keep


def given(values: Any) -> Mask:
    """Return the mask that keeps what an array or a tensor says.

    Parameters
    ----------
    values : array or Tensor
        bool ``[codebook, frame]``, True for what is kept; it is copied.

    Raises
    ------
    MaskTypeError
        If it is something else.

    Examples
    --------
    >>> print(given(np.ones((9, 100), dtype=bool)) & labels("verse.txt"))
    array(9x100 in Python) & labels("verse.txt")
    """
    array = np.asarray(values.cpu() if hasattr(values, "cpu") else values)
    if array.dtype != np.bool_ or array.ndim != 2:
        shape = "x".join(map(str, array.shape)) or "one"
        raise MaskTypeError(f"{shape} values of {array.dtype} are not a mask", hint=_BOOLS)
    return Given(array.shape, np.packbits(array).tobytes())


def _check_fits(what: str, shape: tuple[int, ...], clip: Evaluation) -> None:
    if shape != clip.grid.shape:
        of_clip = " x ".join(map(str, clip.grid.shape))
        size = " x ".join(map(str, shape[:8]))
        raise MaskError(
            f"{what} has {size} values, and the clip has {of_clip}: codebooks x frames",
            hint="vampprompt mask --npy writes arrays of the size of a clip",
        )


def _read_labels(path: str) -> list[tuple[float, float, str]]:
    # A line ends at a line feed only, whatever else Python takes for the end of one.
    lines = read_text(path, MaskError, _LARGEST_LABELS).split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        # A line that begins with a backslash gives the frequencies of the label before it.
        if not line.strip() or line.startswith("\\"):
            continue
        try:
            start, stop, *text = line.split("\t", 2)
            place = _seconds(start), _seconds(stop), "".join(text)
        except (ValueError, MaskError):
            place = np.nan, np.nan, ""
        if not 0 <= place[0] <= place[1] < 1e9:
            hint = "a line is start, end and text with tabs between them, times in seconds"
            wrong = f"line {number} of '{path}' is no label: '{shown(line, 200)}'"
            raise MaskError(wrong, hint=hint)
        found.append(place)
    if not found:
        raise MaskError(f"'{path}' has no labels")
    return found


def _seconds(text: str) -> float:
    """Return a time of a label, which has a decimal comma in some countries, or a colon."""
    if ":" in text:
        return float(Quantity.parse(text.replace(",", ".")).number)
    return float(text if "." in text else text.replace(",", "."))


def _read_image(path: str) -> BoolArray:
    from PIL import Image as pillow  # noqa: N813
    from PIL import UnidentifiedImageError

    content = read_bytes(path, _LARGEST_IMAGE, MaskError)
    is_jpeg = content.startswith(b"\xff\xd8")
    try:
        with pillow.open(io.BytesIO(content), formats=_FORMATS) as opened:
            n_scans = content.count(b"\xff\xda") if is_jpeg else 1
            if (
                opened.width * opened.height > _MOST_PIXELS
                or max(opened.size) > _WIDEST_IMAGE
                or n_scans > _MOST_SCANS
            ):
                raise pillow.DecompressionBombError
            image = opened.convert("RGBA")
    except UnidentifiedImageError:
        hint = f"save it as {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
        raise MaskError(f"'{path}' is not an image of a known kind", hint=hint) from None
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise MaskError(f"'{path}' is too large an image", hint="save it smaller") from None
    except Exception as error:  # there is no end to what a damaged file can raise
        raise MaskError(f"cannot read '{path}': {error}") from None
    backed = pillow.new("RGBA", image.size, "black")
    backed.alpha_composite(image)
    bright: BoolArray = np.asarray(backed.convert("L")) >= 128
    return bright


labels = named(Labels)
audio = named(Sounding)
image = named(Image)
array = named(Array)
