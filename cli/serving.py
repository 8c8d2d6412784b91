"""What the servers have in common: the models that they offer, and that they run until stopped."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import vampprompt as vp
from vampprompt import VampPromptError

from .options import model_names
from .output import results

if TYPE_CHECKING:
    from vampprompt.studio import Desk

Model = Annotated[
    list[str] | None,
    typer.Option(
        help="A model to offer, the first one if none is asked for. Repeatable.",
        show_default="all that are here",
        autocompletion=model_names,
    ),
]
Host = Annotated[str, typer.Option(help="0.0.0.0 serves all who can reach this computer.")]


@contextmanager
def desk(
    model: list[str] | None, root: Path | None, *, device: str, dtype: str | None, batch: int
) -> Iterator[Desk]:
    """Give a desk that composes with these models.

    Raises
    ------
    VampPromptError
        If one of them, or the root, is not there.
    """
    from vampprompt.studio import Desk

    if root is not None and not root.is_dir():
        raise VampPromptError(f"there is no folder '{root}'", hint="name one with --root")
    names = model or [one.name for one in vp.models.available()]
    for name in names:
        # So that a mistake shows here, and not to the first client.
        missing = vp.models.offered(name).missing
        if missing:
            raise VampPromptError(f"the model '{name}' lacks {missing[0]}")
    precision = {"dtype": dtype} if dtype else {}
    with Desk(names, root=root, batch=batch, device=device, **precision) as made:
        made.warm_up()
        yield made


def run_until_stopped(*lines: str) -> None:
    """Say that something is served, and wait until somebody stops it, by Ctrl-C or a signal."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for line in lines:
        results().print(line)
    sys.stdout.flush()  # for whoever waits for the line at the other end of a pipe
    before = signal.signal(signal.SIGTERM, stop)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    signal.signal(signal.SIGTERM, before)
