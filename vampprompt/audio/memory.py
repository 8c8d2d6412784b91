"""How much memory there is, so that what cannot fit is refused before any work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vampprompt.errors import AudioError

# What is smaller is simply tried.
_SMALL = 2**27
_GIB = 2**30


def check_memory(n_bytes: float, what: str) -> None:
    """Refuse what needs more memory than this process can still have, as far as that is known.

    Raises
    ------
    AudioError
        With what is needed and what there is.

    Examples
    --------
    >>> try:
    ...     check_memory(2**60, "a concert of a year")
    ... except AudioError as error:
    ...     print(error.hint)
    take a shorter piece of it, or a machine with more memory
    """
    if n_bytes < _SMALL:
        return
    free = min(_free(), default=float("inf"))
    if n_bytes > free:
        needs, has = n_bytes / _GIB, max(0.0, free) / _GIB
        raise AudioError(
            f"{what} needs {needs:,.1f} GiB of memory, and {has:.1f} GiB are free",
            hint="take a shorter piece of it, or a machine with more memory",
        )


def _free() -> Iterator[float]:
    """Yield what the machine, a container and the user's own limit leave; any may be unknown."""
    with suppress(OSError, ValueError, AttributeError):
        try:
            table = Path("/proc/meminfo").read_text()
            lines = re.findall(r"^(?:MemAvailable|SwapFree): +(\d+) kB", table, re.MULTILINE)
            yield 1024 * sum(map(int, lines))
        except OSError:
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        used = int((group / "memory.current").read_text())
        yield int((group / "memory.max").read_text()) - used
    with suppress(OSError, ValueError, ImportError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield limit - pages * os.sysconf("SC_PAGE_SIZE")
