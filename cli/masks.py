"""`vampprompt masks`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from vampprompt import VampPromptError

from .options import Define, Masks, definitions_of
from .output import results


def masks(define: Define = None, file: Masks = None) -> None:
    """List the names of the mask language, its presets, and your own definitions."""
    from vampprompt.masks import PRESETS, parse
    from vampprompt.masks import masks as registered

    own = definitions_of(define or [], file)
    parse("nothing", own)
    console = results()
    names = [_line(name) for name in registered]
    axes = [
        ("codebook<3", "Keep codebooks 0, 1 and 2; also <= > >= == !=, and 2<=codebook<4."),
        ("frame<100", "Keep the first hundred frames."),
        ("time>=2s", "Keep all from two seconds on; 2s..4s is the same as 2s<=time<4s."),
    ]
    _print(console, "masks", names + axes)
    operators = [
        ("~a", "Keep what a does not."),
        ("a - b", "Keep what a keeps and b does not."),
        ("a & b", "Keep what both keep."),
        ("a ^ b", "Keep what one of them keeps, and not the other."),
        ("a | b", "Keep what one of them keeps, or both."),
    ]
    _print(console, "operators, the one that binds tightest first", operators)
    presets = [(name, f"{preset.text}: {preset.help}") for name, preset in PRESETS.items()]
    _print(console, "presets", presets)
    if own:
        _print(console, "your own", list(own.items()))


def _line(name: str) -> tuple[str, str]:
    from vampprompt.language import summary, usage
    from vampprompt.masks import masks as registered

    try:
        entry = registered.get(name)
    except VampPromptError as error:
        # Another package's, and broken: the other names are still worth listing.
        return name, error.message
    return usage(name, entry), summary(entry)


def _print(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left")
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for row in rows:
        table.add_row(*row)
    console.print(table, soft_wrap=False)
    console.print()
