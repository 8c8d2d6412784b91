"""The command line: its commands, and what it exits with."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vampprompt.errors import VampPromptError

from .batch import batch
from .compose import compose
from .doctor import doctor
from .examples import epilog
from .harp import harp
from .mask import mask
from .masks import masks
from .models import convert, models
from .options import with_volume
from .osc import osc
from .output import complaints, standard_streams


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
for command in (compose, batch, mask, masks, models, convert, harp, osc, doctor):
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
    with standard_streams() as lost:
        status = _status()
        if (error := lost()) and not status:
            status = _complain(
                VampPromptError(f"cannot write to standard output: {error.strerror}")
            )
    sys.exit(status)


def _status() -> int:
    try:
        return int(app(standalone_mode=False) or 0)
    except VampPromptError as error:
        return _complain(error)
    except MemoryError:
        return _complain(VampPromptError("this takes more memory than there is"))
    except OSError as error:  # the machine's: no working folder, a name too long
        place = f" '{error.filename}'" if error.filename else ""
        return _complain(VampPromptError(f"cannot use{place}: {error.strerror or error}"))
    except Exception as error:
        # Typer's own, of options: their class lies elsewhere in other versions of it.
        if message := getattr(error, "format_message", None):
            command = getattr(getattr(error, "ctx", None), "command_path", "vampprompt")
            return _complain(VampPromptError(message(), hint=f"see {command} --help"))
        complaints().print_exception()
        fault = "this is a fault of vampprompt, not yours: please report it"
        complaints().print(fault, style="red")
        return 1


def _complain(error: VampPromptError) -> int:
    if error.message:  # which it lacks where help was all that was wanted
        complaints().print(f"error: {error}", style="red")
    return 2
