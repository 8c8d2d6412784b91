"""`vampprompt harp`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Batch, Device, Dtype
from .serving import Host, Model, desk, run_until_stopped


def harp(
    model: Model = None,
    root: Annotated[
        Path | None, typer.Option(help="Masks may name files below this folder.")
    ] = None,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it is served.")] = 7860,
    tracks: Annotated[
        int, typer.Option(min=1, max=16, help="The most variations that HARP can ask for.")
    ] = 4,
    device: Device = "auto",
    dtype: Dtype = None,
    batch: Batch = 8,
) -> None:
    """Serve DAWs through HARP 3, and the clients of VampNet's own app."""
    from vampprompt.studio import WebServer

    with (
        desk(model, root, device=device, dtype=dtype, batch=batch) as made,
        WebServer(made, host, port, tracks) as at,
    ):
        run_until_stopped(f"HARP: type {at.address} as the model's path. Ctrl-C ends it.")
