"""Names that third parties can add to: masks, samplers, beat trackers and codecs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Any, Generic, TypeVar

from vampprompt.errors import Span, VampPromptError, did_you_mean
from vampprompt.language.scan import is_name
from vampprompt.language.term import Term, fields_of

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
        Raised for an unknown name, and for what cannot have its name.
    makes : type, optional
        What the things are, or make when they are called.
    takes : int, optional
        With how many values that can be called.
    plain : bool
        Whether names may have hyphens.

    Examples
    --------
    >>> greetings = Registry("greeting", "my_package.greetings", VampPromptError)
    >>> greetings.register("hello", "Hello")
    'Hello'
    >>> "hello" in greetings, list(greetings), greetings.get("hello")
    (True, ['hello'], 'Hello')
    """

    def __init__(
        self,
        kind: str,
        group: str,
        error: type[VampPromptError],
        makes: type = object,
        *,
        takes: int | None = None,
        plain: bool = True,
    ) -> None:
        self.kind = kind
        self.group = group
        self.error = error
        self.makes = makes
        self.takes = takes
        self.plain = plain
        self._items: dict[str, T] = {}
        self._reserved: dict[str, str] = {}

    @cached_property
    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def reserve(self, what: str, names: Iterable[str]) -> None:
        """Let no item have these names, as they are something else: ``an axis``."""
        self._reserved.update(dict.fromkeys(names, what))

    def register(self, name: str, item: T) -> T:
        """Add an item, replacing none, but for what a cell of a notebook defines anew.

        Raises
        ------
        ValueError
            If the name is taken by another.
        VampPromptError
            If a text could not say the item, or its own text would not be read as it.
        """
        self.check_name(name)
        self._check(name, item)
        if not _is_again(self._items.setdefault(name, item), item):
            raise ValueError(f"{self.kind} '{name}' is registered twice")
        self._items[name] = item
        return item

    def check_name(self, name: str) -> None:
        """Find out whether a text can have a name for something new.

        Raises
        ------
        VampPromptError
            If not.
        """
        if not is_name(name.replace("-", "_") if self.plain else name):
            hint = "a name is letters, digits and underscores, and begins with a letter"
            raise self.error(f"'{name}' cannot be the name of a {self.kind}", hint=hint)
        if what := self._reserved.get(name):
            hint = "choose another name"
            raise self.error(f"'{name}' is already {what} of the language", hint=hint)

    def is_one(self, kind: type) -> bool:
        """Return whether what is of that class is what the things here are or make."""
        if self.takes is None:
            return issubclass(kind, self.makes)
        calls = (vars(base).get("__call__") for base in kind.__mro__)
        try:
            signature(next(filter(None, calls), object)).bind(*range(self.takes + 1))
        except (TypeError, ValueError) as error:
            return isinstance(error, ValueError)  # what is compiled says nothing of itself
        return True

    def _check(self, name: str, item: Any) -> None:
        kind = item if isinstance(item, type) else type(item)
        is_maker = callable(item) and not isinstance(item, (type, Term))
        if not is_maker and not self.is_one(kind):
            raise self.error(f"it is no {self.kind}")
        if not issubclass(kind, Term):
            return
        fields_of(kind)
        own = str(getattr(item, "name", ""))
        # Another name for what the language has anyway does no harm.
        known = self.get(own) if own in self and own != name else None
        if own != name and kind not in (known, type(known)):
            what = f"its texts would say '{own}', the name of its class, and not be read as it"
            raise self.error(what, hint="give both the same name")

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
            # Of several threads that load it, all get what the first one did.
            item = point.load()
            self.check_name(name)
            self._check(name, item)
            return self._items.setdefault(name, item)
        except Exception as error:
            raise self.error(
                f"the {self.kind} '{name}' cannot be loaded from {point.value}: "
                f"{getattr(error, 'message', error)}",
                hint="mend or uninstall the package that brings it",
                span=span,
            ) from error

    def __contains__(self, name: object) -> bool:
        return name in self._items or name in self._installed

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items.keys() | self._installed.keys()))


def _is_again(taken: object, item: object) -> bool:
    """Return whether an item is what has its name already, or that defined anew in a notebook.

    A cell is run again and again, and each time a class in it is another one.
    """
    where = [
        (getattr(one, "__module__", None), getattr(one, "__qualname__", None))
        for one in (taken, item)
    ]
    is_redefined = where[0] == where[1] and where[0][0] == "__main__" and where[0][1] is not None
    return is_redefined or bool(taken == item)
