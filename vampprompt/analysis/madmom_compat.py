"""The one place that knows what madmom 0.16.1 needs of a newer Python and numpy."""

from __future__ import annotations

import collections
import collections.abc
import importlib
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from vampprompt.errors import AnalysisError

INSTALL = (
    "pip install 'cython<3' numpy 'setuptools<80' wheel && "
    "CYTHON_FORCE_REGEN=1 pip install --no-build-isolation madmom==0.16.1"
)

# Names that were there when madmom was written.
_GONE: dict[ModuleType, dict[str, object]] = {
    collections: {
        name: getattr(collections.abc, name)
        for name in ("Callable", "Iterable", "Mapping", "MutableSequence", "Sequence")
    },
    np: {"bool": bool, "complex": complex, "float": float, "int": int, "object": object},
}
_lock = threading.RLock()


@contextmanager
def old_names() -> Iterator[None]:
    """Put names that Python and numpy have dropped back for a while, without any warnings.

    madmom looks them up when it is imported and again while it runs. Nobody else gets to
    depend on them: they go again.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        added = [
            (module, name, value)
            for module, names in _GONE.items()
            for name, value in names.items()
            if name not in vars(module)
        ]
        for module, name, value in added:
            setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, _ in added:
                delattr(module, name)


def import_madmom(module: str) -> ModuleType:
    """Import one of madmom's modules, ``"features.downbeats"``.

    Raises
    ------
    AnalysisError
        If madmom is missing or does not work here, with the command that installs it.
    """
    with old_names():
        try:
            return importlib.import_module(f"madmom.{module}")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "madmom":
                raise AnalysisError("madmom is not installed", hint=INSTALL) from error
            raise AnalysisError(
                f"madmom does not work without {error.name}", hint=INSTALL
            ) from error
        # Binary modules built against another numpy fail in many ways.
        except Exception as error:
            raise AnalysisError(f"madmom does not work here: {error}", hint=INSTALL) from error
