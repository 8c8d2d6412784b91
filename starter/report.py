"""The figures in the README, and the curves beside it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write_figures(readme: Path, figures: dict[str, Any]) -> None:
    """Replace what stands between the two marks of `readme` by the tables."""
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    readme.write_text(f"{head}{BEGIN}\n\n{tables(figures)}\n\n{END}{tail}")


def tables(figures: dict[str, Any]) -> str:
    """Lay the figures out as Markdown."""
    codec = figures["codec"]
    counts = range(1, len(codec["held-out clips"]) + 1)
    errors = _table(
        ["codebooks", *map(str, counts)],
        [[name, *(f"{error:.2f}" for error in row)] for name, row in codec.items()],
    )
    shares = [share for share in figures["coarse"] if share != "unigram"]
    predictions = _table(
        ["masked", *shares, "unigram"],
        [
            [
                name,
                *(
                    f"{figures[name][share]['entropy']:.2f} "
                    f"({figures[name][share]['accuracy']:.1%})"
                    for share in shares
                ),
                f"{figures[name]['unigram']:.2f}",
            ]
            for name in ("coarse", "fine")
        ],
    )
    training = _table(
        ["model", "parameters", "steps", "batch", "training time"],
        [
            [
                name,
                f"{run['parameters'] / 1e6:.2f} M",
                str(run["schedule"]["steps"]),
                f"{run['batch']} × {run['frames']} frames",
                f"{run['seconds'] / 60:.0f} min",
            ]
            for name, run in figures["training"].items()
        ],
    )
    return "\n\n".join(
        [
            "Codec: mean absolute log-mel error in dB (80 bands, window 1024) by the number of "
            "codebooks decoded.",
            errors,
            "Token models on held-out clips: cross-entropy in nats, and accuracy, of the masked "
            "tokens by the share that is masked; beside it the cross-entropy of the training "
            "clips' token frequencies.",
            predictions,
            "Training, wall time on two CPU cores that other programs used as well.",
            training,
        ]
    )


def plot_curves(work: Path, target: Path) -> None:
    """Plot the losses that the runs in `work` logged."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.use("agg")
    figure = Figure(figsize=(12, 3), layout="constrained")
    curves = {
        "codec": ["mel"],
        "refine": ["mel", "discriminator", "features", "adversarial"],
        "coarse": ["loss", "held-out loss"],
        "fine": ["loss", "held-out loss"],
    }
    units = {
        "codec": "mel error in dB",
        "refine": "mel error in dB, other losses",
        "coarse": "nats",
        "fine": "nats",
    }
    for axes, (name, terms) in zip(figure.subplots(1, 4), curves.items(), strict=True):
        with (work / name / "log.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        for term in terms:
            points = [(int(row["step"]), float(row[term])) for row in rows if row.get(term)]
            axes.plot(*zip(*points, strict=True), label=term)
        axes.set(title=name, xlabel="step", ylabel=units[name])
        axes.legend()
    figure.savefig(target, dpi=90)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
