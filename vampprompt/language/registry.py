"""Names that third parties can add to: masks, samplers, beat trackers and codecs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
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
        self.error = error
        self._items: dict[str, T] = {}

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

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
        """Return the item of that name, loading it first if another package has it.

        Raises
        ------
        VampPromptError
            If there is none, with the nearest known name as a hint; or if it cannot be loaded.
        """
        hyphened = name.replace("_", "-")
        if name not in self and hyphened in self:
            name = hyphened
        # The package's own names win: an installed plugin must not change what a mask means.
        if name in self._items:
            return self._items[name]
        if name not in self._installed:
            hint = did_you_mean(name, self) or f"known: {', '.join(self)}"
            raise self.error(f"unknown {self.kind} '{name}'", hint=hint, span=span)
        point = self._installed[name]
        try:
            return self.register(name, point.load())
        except Exception as error:
            raise self.error(
                f"the {self.kind} '{name}' cannot be loaded from {point.value}: {error}",
                hint="mend or uninstall the package that brings it",
                span=span,
            ) from error

    def __contains__(self, name: object) -> bool:
        return name in self._items or name in self._installed

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items.keys() | self._installed.keys()))
