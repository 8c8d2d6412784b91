"""`vampprompt models` and `vampprompt convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from vampprompt.errors import shown

from .options import model_names
from .output import AsJson, as_json, notice, results

if TYPE_CHECKING:
    from vampprompt.models import Listing

_LONGEST = 400


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            help="'starter', a folder, or a repository.",
            show_default=False,
            autocompletion=model_names,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """List the models that are here, or what one of them offers."""
    from vampprompt.models import available, offered

    if json:
        for listing in available() if name is None else [offered(name)]:
            as_json(**_told(listing))
        return
    console = results()
    if name is None:
        console.print(_overview(available()))
        console.print("vampprompt models NAME shows what a folder or a repository offers.")
    else:
        listing = offered(name)
        console.print(_files(listing))
        if listing.card is not None:
            from rich.markdown import Markdown
            from rich.segment import Segment, Segments

            drawn = console.render(Markdown(listing.card, hyperlinks=False))
            # Markdown has its own ways to write signs that steer a terminal
            harmless = [
                Segment(one.text if one.text == "\n" else shown(one.text), one.style)
                for one in drawn
            ]
            console.print(Segments(harmless), soft_wrap=False)


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FROM",
            help="A folder in VampNet's layout, or a repository.",
            autocompletion=model_names,
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="TO", help="The folder to make.")],
    finetune: Annotated[str | None, typer.Option(help="Fold this fine-tune in.")] = None,
    lora: Annotated[
        Path | None, typer.Option(help="Fold the low-rank updates of this file in.")
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Round to half precision.")] = False,
) -> None:
    """Write a model as config.json and safetensors, which hold no code and load faster."""
    from vampprompt.models import load

    bundle = load(source, finetune=finetune, lora=lora, on_notice=notice)
    bundle.save(output, half=half)
    results().print(f"wrote {shown(output)}")


def _told(listing: Listing) -> dict[str, object]:
    return {
        "name": listing.name,
        "licence": listing.licence,
        "folder": listing.folder,
        "revision": listing.revision,
        "missing": list(listing.missing),
        "sizes": {file: listing.sizes.get(file) for file in listing.layout},
        "finetunes": {name: list(files) for name, files in listing.finetunes.items()},
        "config": listing.config,
    }


def _overview(listings: list[Listing]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("model", "size", "licence", "fine-tunes"):
        table.add_column(column, justify="right" if column == "size" else "left")
    for one in listings:
        size = sum(one.sizes.get(file, 0) for file in one.layout)
        tuned = ", ".join(one.finetunes) or "–"
        licence = one.licence or "not stated"
        table.add_row(
            *(shown(text, _LONGEST) for text in (one.name, _megabytes(size), licence, tuned))
        )
    return table


def _files(listing: Listing) -> Table:
    table = Table.grid(padding=(0, 2))
    where = listing.folder or (f"the hub, commit {listing.revision}" if listing.revision else "–")
    tuned = [
        f"{name} ({', '.join(Path(file).stem for file in files)})"
        for name, files in listing.finetunes.items()
    ]
    rows = {
        "model": [listing.name],
        "licence": [listing.licence or "not stated"],
        "where": [str(where)],
        "missing": listing.missing,
        **{file: [_megabytes(listing.sizes.get(file, 0))] for file in listing.layout},
        **_facts(listing),
        "fine-tunes": tuned,
    }
    for label, lines in rows.items():
        if lines:
            table.add_row(label, "\n".join(shown(line, _LONGEST) for line in lines))
    return table


def _facts(listing: Listing) -> dict[str, list[str]]:
    """Return what the configuration of a model in our layout tells."""
    facts = {
        part: [", ".join(f"{name} {value}" for name, value in listing.config[part].items())]
        for part in ("codec", "coarse", "fine")
        if part in listing.config
    }
    named = listing.config.get("defaults", {}).items()
    return facts | {"defaults": [f"--{name.replace('_', '-')} {text}" for name, text in named]}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "missing"
