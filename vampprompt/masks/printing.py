"""The text of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vampprompt.masks.base import Mask


def print_mask(mask: Mask) -> tuple[str, dict[int, tuple[int, int]]]:
    """Return the canonical text of a mask, and where in it each part stands, by its id."""
    written: list[str] = []
    places: dict[int, tuple[int, int]] = {}

    def write(part: Mask, start: int) -> int:
        stop = start
        for piece in part.pieces():
            if isinstance(piece, str):
                written.append(piece)
                stop += len(piece)
            else:
                stop = write(piece, stop)
        places.setdefault(id(part), (start, stop))
        return stop

    write(mask, 0)
    return "".join(written), places


def spell(value: object) -> str:
    """Return the text of an argument that is no mask."""
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
