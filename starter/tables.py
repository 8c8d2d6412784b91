"""The figures of an evaluation as Markdown tables, each with what it shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from .compression import RATES
from .prompts import BEAT, BY_SHARE

Figures: TypeAlias = dict[str, Any]

_COMPARED = (1, 4, 9)
_COARSE = 4
AIMS = json.loads(Path(__file__).with_name("aims.json").read_text(encoding="utf-8"))
"""What is aimed at, and what the starter before this one reached."""

HELD_OUT, BY_HAND, REAL = "held-out clips", "pieces written by hand", "real recordings"


def codec(figures: Figures) -> str:
    """Show the codec's error by the number of codebooks."""
    errors = figures["codec"]
    counts = range(1, len(next(iter(errors.values()))) + 1)
    return section(
        "Codec: mean absolute log-mel error in dB (80 bands, window 1024, each clip at 0.08 RMS) "
        "by the number of codebooks decoded.",
        ["codebooks", *map(str, counts)],
        [[name, *(f"{error:.2f}" for error in row)] for name, row in errors.items()],
    )


def opus(figures: Figures) -> str:
    """Set the codec beside Opus."""
    if not figures["opus"]:
        return "Opus: not measured, for want of opus-tools."
    counts = [count for count in _COMPARED if count <= len(next(iter(figures["codec"].values())))]
    targets = ["its lowest", *(f"{rate} kb/s" for rate in RATES[1:])]
    return section(
        "Codec and Opus, by the same measure: error in dB. In brackets what Opus's packets took in "
        "kb/s, without their container.",
        [
            "",
            *(f"{_codebooks(count)}, {count * figures['bitrate']:.1f} kb/s" for count in counts),
            *(f"Opus, {target}" for target in targets),
        ],
        [
            [
                name,
                *(f"{figures['codec'][name][count - 1]:.2f}" for count in counts),
                *(f"{one['error']:.2f} ({one['rate']:.1f})" for one in row),
            ]
            for name, row in figures["opus"].items()
        ],
    )


def predictions(figures: Figures) -> str:
    """Show how well the token models predict."""
    shares = [share for share in figures["coarse"] if share != "unigram"]
    return section(
        "Token models on held-out clips: cross-entropy in nats, and accuracy, of the masked "
        "tokens by the share that is masked; beside it the cross-entropy of the training "
        "clips' token frequencies.",
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


def prompts(figures: Figures) -> str:
    """Show what prompts do, on clips, pieces and recordings."""
    shown = figures["prompts"]
    text = (
        "What prompts do: {count} {name}, composed with the default settings, and compared with "
        "what they were composed from; mean ± standard error, flatness as geometric mean."
    )
    more = (
        "Repeats: tokens of codebooks 0 to 3 that equal the one before. Chroma: correlation of the "
        "12 pitch classes. Flatness: of the spectrum, output over input; 1 is alike, more is "
        "noisier. Clear: seconds with a pitch class as clear as in three quarters of the input's. "
        f"Beats: F-measure of those that {figures['tracker']} hears in both, within 70 ms. Floors "
        "hold each kept token until the next, without a token model."
    )
    return "\n\n".join(
        [
            more,
            *(
                section(
                    text.format(count=group["clips"], name=name),
                    ["prompt", "kept", "repeats", "error in dB", "chroma", "flatness", "clear",
                     "beats"],
                    map(_prompt_cells, group["rows"]),
                )
                for name, group in shown.items()
            ),
        ]
    )  # fmt: skip


def _prompt_cells(row: Figures) -> list[str]:
    def cell(name: str, form: str) -> str:
        return "" if row[name] is None else format(row[name], form)

    def spread(name: str) -> str:
        return "" if row[name] is None else "{:.2f} ± {:.2f}".format(*row[name])

    return [
        _prompt(row) + (", floor" if row["floor"] else ""),
        cell("kept", ".1%"),
        "" if row["repeats"] is None else f"{mean_repeats(row):.0%}",
        spread("error"),
        spread("chroma"),
        cell("flatness", ".2f"),
        cell("clear", ".0%"),
        spread("beat"),
    ]


def mean_repeats(row: Figures) -> float:
    """Give how often tokens of the coarse codebooks equal the one before, on average."""
    rates = row["repeats"][:_COARSE]
    return float(sum(rates) / len(rates))


def faults(figures: Figures) -> str:
    """Show what else may be wrong with the sound."""
    forms: dict[str, Callable[[float], str]] = {
        "clicks": "{:.1f}".format,
        "offset": "{:.4f}".format,
        "clipped": "{:.3%}".format,
        "true_peak": "{:.1f}".format,
        "level_change": "{:+.2f}".format,
    }
    return section(
        "The sound of what was composed from the held-out clips: mean, and in brackets the worst. "
        "Pulse: how much more the sound's roughness pulses at the frame rate than at the "
        "frequencies beside it, in dB. Offset: the samples' mean, full scale being 1. Clipped: "
        "samples at full scale. True peak, in dB re full scale. Louder than the clip, in LU.",
        ["prompt", "pulse", "offset", "clipped", "true peak", "louder"],
        [
            [
                _prompt(row),
                *(
                    "{} ({})".format(*map(form, row["faults"][name]))
                    for name, form in forms.items()
                ),
            ]
            for row in figures["prompts"][HELD_OUT]["rows"]
            if not row["floor"]
        ],
    )


def speed(figures: Figures) -> str:
    """Show how long composing takes."""
    times = figures["speed"]
    if times is None:
        return "Speed: not measured."
    return (
        f"Speed: composing {times['seconds']:.0f} s under `{BEAT}` with the default "
        f"settings (36 coarse steps, 12 fine ones; beat tracking included) takes "
        f"{times['wall']:.1f} s on two CPU cores, and {times['processor']:.1f} s of processor time."
    )


def training(figures: Figures) -> str:
    """Show what was trained for how long."""
    return section(
        "Training, wall time on two CPU cores that other programs used as well.",
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


def aims(figures: Figures) -> str:
    """Set the figures beside those of the starter before, and beside what is aimed at."""
    found = values(figures)
    return section(
        "Aims. Chroma and flatness are of the pieces written by hand. Before: what was known of "
        "the former starter; in brackets, what this evaluation measures of it, on clips like "
        "those that it was made with.",
        ["figure", "before", "now", "aim", ""],
        [_aim_cells(aim, found.get(aim["key"]), found) for aim in AIMS],
    )


def _aim_cells(aim: Figures, now: Sequence[float] | None, found: Figures) -> list[str]:
    least = aim.get("least", [None] * len(aim.get("most", ())))
    most = aim.get("most", [None] * len(least))
    floor = found.get(f"{aim['key']}, floor") if aim.get("floor") else None
    wanted = [_wanted(*ends) for ends in zip(least, most, strict=True)]
    if floor is not None:
        wanted[0] += f" and above holding ({floor[0]:.2f})"
    shown = [aim["figure"], aim["before"]]
    if aim["key"] == "order":
        shown += ["–" if now is None else ("rising" if now[0] else "not rising"), "rising"]
    else:
        shown += ["–" if now is None else ", ".join(map(_number, now)), "; ".join(wanted)]
    if now is None:
        return [*shown, "not measured"]
    met = [
        (low is None or value >= low) and (high is None or value <= high)
        for value, low, high in zip(now, least, most, strict=True)
    ]
    if floor is not None:
        met.append(now[0] > floor[0])
    return [*shown, "met" if all(met) else "missed"]


def values(figures: Figures) -> dict[str, Sequence[float] | None]:
    """Give what `AIMS` are about: the figures of each by its key, None where not measured."""
    groups = {
        name: {(row["prompt"], row["floor"]): row for row in group["rows"]}
        for name, group in figures["prompts"].items()
    }
    clips, pieces, recordings = (groups.get(name, {}) for name in (HELD_OUT, BY_HAND, REAL))
    codec = {name: [errors[_COARSE - 1], errors[-1]] for name, errors in figures["codec"].items()}
    files = figures["files"].values()
    order = [clips[prompt, False]["error"][0] for prompt in BY_SHARE]
    beats = [rows[BEAT, False]["beat"][0] for rows in (clips, recordings) if rows]
    rates = clips["everything", False]["repeats"][:_COARSE]
    pulses = [clips[prompt, False]["faults"]["clicks"][0] for prompt in ("everything", None)]
    found: dict[str, Sequence[float] | None] = {
        "repeats": [100 * rate for rate in rates],
        "chord": [100 * rate for rate in figures["chord"][:_COARSE]],
        "codec held-out clips": codec[HELD_OUT],
        "codec example.wav": codec["example.wav"][-1:] if "example.wav" in codec else None,
        "pulse": [pulses[0] - pulses[1]],
        "beat": beats if len(beats) == 2 else None,
        "order": [float(all(a < b for a, b in pairwise(order)))],
        "speed": [figures["speed"]["wall"]] if figures["speed"] else None,
        "files": [sum(files), max(files)],
    }
    for (prompt, floor), row in pieces.items():
        if prompt is not None:
            name = f"{prompt}, floor" if floor else prompt
            found[name] = [row["chroma"][0], row["flatness"]]
    if "nothing" in found:
        found["nothing"] = [pieces["nothing", False]["flatness"], clips["nothing", False]["clear"]]
    return found


def _wanted(least: float | None, most: float | None) -> str:
    if most is None:
        return f"at least {least:g}"
    return f"at most {most:g}" if least is None else f"{least:g} to {most:g}"


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _codebooks(count: int) -> str:
    return "1 codebook" if count == 1 else f"{count} codebooks"


def _prompt(row: Figures) -> str:
    return "the clip itself" if row["prompt"] is None else f"`{row['prompt']}`"


def section(text: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown under its text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join([text, "", *(f"| {' | '.join(line)} |" for line in lines)])
