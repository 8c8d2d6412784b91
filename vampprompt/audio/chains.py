"""Files that were put behind one another: libsndfile hears only the first."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

_HEADER = 27
_BEGINS, _ENDS = 2, 4
# How a FLAC file begins, and its first block of 34 bytes.
_FLAC = b"fLaC\0\0\0\x22"
_BLOCK = 1 << 20


class Part(io.RawIOBase):
    """A stretch of a file, as a file of its own that never raises: that would get lost in C.

    Attributes
    ----------
    failure : OSError or None
        Why the file could not be read.
    """

    def __init__(self, file: BinaryIO, start: int, stop: int) -> None:
        self._file, self._start, self._size, self._place = file, start, stop - start, 0
        self.failure: OSError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max(0, offset + (0, self._place, self._size)[whence])
        return self._place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            self._file.seek(self._start + self._place)
            found = self._file.read(max(0, min(len(view), self._size - self._place)))
        except OSError as error:
            self.failure = error
            return 0
        view[: len(found)] = found
        self._place += len(found)
        return len(found)


def streams(file: BinaryIO, size: int) -> tuple[list[Part], bool]:
    """Return each of the files that a file is a chain of, and whether the last has its end."""
    file.seek(0)
    starts, has_end = _KINDS.get(file.read(4), _no_chain)(file, size)
    ends = zip(starts, [*starts[1:], size], strict=True)
    return [Part(file, *one) for one in ends], has_end


def _no_chain(file: BinaryIO, size: int) -> tuple[list[int], bool]:
    return [0], True


def _ogg(file: BinaryIO, size: int) -> tuple[list[int], bool]:
    starts: list[int] = []
    place, flags, was_beginning = 0, _ENDS, False
    while True:
        file.seek(place)
        page = file.read(_HEADER + 255)
        if page[:4] != b"OggS" or len(page) < _HEADER:
            return starts or [0], bool(flags & _ENDS) and place <= size
        flags, n_segments = page[5], page[26]
        # Streams that sound together begin on pages side by side.
        if flags & _BEGINS and not was_beginning:
            starts.append(place)
        was_beginning = bool(flags & _BEGINS)
        place += _HEADER + n_segments + sum(page[_HEADER : _HEADER + n_segments])


def _flac(file: BinaryIO, size: int) -> tuple[list[int], bool]:
    starts = []
    for place in range(0, size, _BLOCK):
        file.seek(place)
        block = file.read(_BLOCK + len(_FLAC) - 1)
        found = block.find(_FLAC)
        while found >= 0:
            starts.append(place + found)
            found = block.find(_FLAC, found + 1)
    return starts or [0], True


def _riff(file: BinaryIO, size: int) -> tuple[list[int], bool]:
    starts, place = [0], 0
    while True:
        file.seek(place)
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return starts, True
        starts += [place] if place else []
        place += 8 + int.from_bytes(head[4:8], "little")
        place += place % 2


_KINDS = {b"OggS": _ogg, b"fLaC": _flac, b"RIFF": _riff}
