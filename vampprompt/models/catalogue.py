"""Which models there are, and what each offers."""

from __future__ import annotations

from pathlib import Path

from vampprompt.models import hub
from vampprompt.models.bundle import STARTER, find_folder, starter_folder
from vampprompt.models.listing import Listing

__all__ = ["available", "offered"]


def available() -> list[Listing]:
    """Return the models that need no download: the starter and those in the hub's cache."""
    return [Listing.of_folder(STARTER, starter_folder()), *hub.cached()]


def offered(name: str) -> Listing:
    """Return what a folder or a repository offers.

    Parameters
    ----------
    name : str
        As `vampprompt.load` takes it. Repositories are looked up on the hub, and in its cache
        where they cannot be reached.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if hub.is_repository(name) and not Path(name).exists():
        return hub.listing(name)
    return Listing.of_folder(name, find_folder(name))
