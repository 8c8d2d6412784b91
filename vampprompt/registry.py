"""Names that third parties can add to: masks, samplers, beat trackers and codecs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from vampprompt.errors import Span, VampPromptError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind, the package's own and those of installed entry points.

    Parameters
    ----------
    kind : str
        What the things are, as the error for an unknown name calls them (``"mask"``).
    group : str
        The entry point group that other packages add to (``"vampprompt.masks"``).
    error : type of VampPromptError
        Raised for an unknown name.
    """

    def __init__(self, kind: str, group: str, error: type[VampPromptError]) -> None:
        self.kind = kind
        self.group = group
        self._error = error
        self._items: dict[str, T] = {}
        self._discovered = False

    def register(self, name: str, item: T) -> T:
        """Add an item, replacing none.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self._items:
            raise ValueError(f"{self.kind} '{name}' is registered twice")
        self._items[name] = item
        return item

    def get(self, name: str, span: Span | None = None) -> T:
        """Return the item of that name.

        Raises
        ------
        VampPromptError
            If there is none, with the nearest known name as a hint.
        """
        if name not in self._items:
            self._discover()
        if name not in self._items:
            known = ", ".join(self)
            hint = did_you_mean(name, self) or f"known: {known}"
            raise self._error(f"unknown {self.kind} '{name}'", hint=hint, span=span)
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._items:
            self._discover()
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._items))

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        for point in entry_points(group=self.group):
            # The package's own names win: an installed plugin must not change what a mask means.
            if point.name not in self._items:
                self._items[point.name] = point.load()
