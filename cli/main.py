"""The command line: its commands, and what it exits with."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from vampprompt.errors import VampPromptError

from .batch import batch
from .compose import compose
from .doctor import doctor
from .examples import epilog
from .mask import mask
from .masks import masks
from .models import convert, models
from .options import with_volume


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Typer would exit with 1, which is for our faults.
            typer.echo("interrupted: no file was left half written", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    name="vampprompt",
    cls=_Commands,
    help="Compose music with VampNet by writing prompts.",
    epilog="vampprompt COMMAND --help has examples.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (compose, batch, mask, masks, models, convert, doctor):
    app.command(epilog=epilog(command.__name__))(with_volume(command))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"vampprompt {version('vampprompt')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Compose music with VampNet by writing prompts."""


def run() -> None:
    """Run the command line and exit: 0, 2 for what the user can mend, 1 for our fault."""
    complaint = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        app()
    except VampPromptError as error:
        complaint.print(f"error: {error}", style="red", markup=False)
        sys.exit(2)
    except Exception:
        complaint.print_exception()
        complaint.print("this is a fault of vampprompt, not yours: please report it", style="red")
        sys.exit(1)
