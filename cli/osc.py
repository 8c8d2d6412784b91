"""`vampprompt osc`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Batch, Device, Dtype
from .serving import Host, Model, desk, run_until_stopped


def osc(
    model: Model = None,
    root: Annotated[
        Path, typer.Option(help="Recordings, and files that masks name, are read below it.")
    ] = Path(),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The folder for songs.", show_default="vamps in --root"
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 is any.")] = 8001,
    reply_host: Annotated[
        str | None, typer.Option(help="Where answers go.", show_default="the sender's")
    ] = None,
    reply_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="The same, for Max: 8003.", show_default="the sender's"
        ),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = None,
    batch: Batch = 8,
) -> None:
    """Serve Max, Pure Data, SuperCollider and others by Open Sound Control."""
    from vampprompt.studio import OscServer

    folder = output or root / "vamps"
    with (
        desk(model, root, device=device, dtype=dtype, batch=batch) as made,
        OscServer(made, folder, host, port, reply_host=reply_host, reply_port=reply_port) as server,
    ):
        here, number = server.address
        run_until_stopped(f"OSC: send /vampprompt/compose to {here}:{number}. Ctrl-C ends it.")
