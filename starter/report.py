"""The figures in the README and the model card, and the curves."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

from . import tables
from .tables import Figures

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write_figures(readme: Path, figures: Figures) -> None:
    """Replace what stands between the two marks of `readme` by the tables."""
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    shown = (
        tables.aims,
        tables.codec,
        tables.opus,
        tables.predictions,
        tables.prompts,
        tables.faults,
        tables.speed,
        tables.training,
    )
    readme.write_text(f"{head}{BEGIN}\n\n{_joined(shown, figures)}\n\n{END}{tail}")


def write_card(template: Path, target: Path, figures: Figures) -> None:
    """Write the model card that is shipped with the weights."""
    data = figures["data"]
    target.write_text(
        template.read_text().format(
            identity=figures["identity"],
            clips=data["clips"],
            seconds=data["seconds"],
            hours=data["clips"] * data["seconds"] / 3600,
            held_out=data["held_out"],
            parameters=sum(run["parameters"] for run in figures["training"].values()) / 1e6,
            training=tables.training(figures),
            figures=_joined(
                (
                    tables.codec,
                    tables.predictions,
                    tables.prompts,
                    tables.speed,
                ),
                figures,
            ),
        )
    )


def plot_curves(work: Path, target: Path) -> None:
    """Plot the losses that the runs in `work` logged."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("agg")
    figure = Figure(figsize=(9, 3), layout="constrained")
    curves = {
        "decoder": ["mel", "level"],
        "coarse": ["loss", "held-out loss"],
        "fine": ["loss", "held-out loss"],
    }
    units = {
        "decoder": "error in dB",
        "coarse": "nats",
        "fine": "nats",
    }
    for axes, (name, terms) in zip(figure.subplots(1, 3), curves.items(), strict=True):
        with (work / name / "log.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        for term in terms:
            points = [(int(row["step"]), float(row[term])) for row in rows if row.get(term)]
            axes.plot(*zip(*points, strict=True), label=term)
        axes.set(title=name, xlabel="step", ylabel=units[name])
        axes.legend()
    figure.savefig(target, dpi=90)


def _joined(shown: Iterable[Callable[[Figures], str]], figures: Figures) -> str:
    return "\n\n".join(show(figures) for show in shown)
