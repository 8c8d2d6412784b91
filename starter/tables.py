"""The figures of an evaluation as Markdown tables, each with what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from .compression import RATES
from .prompts import COMPOSED, RANDOM

Figures: TypeAlias = dict[str, Any]

_COMPARED = (1, 4, 9)
_NEAREST_RATE = 6
# What clips differ by.
_AS_MUCH_DB = 3
_BEAT_PROMPT = "beat & codebook<3"


def codec(figures: Figures) -> str:
    """Show the codec's error by the number of codebooks."""
    errors = figures["codec"]
    counts = range(1, len(next(iter(errors.values()))) + 1)
    return _section(
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
    return _section(
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
    return _section(
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
    """Show what prompts do."""
    return _section(
        f"What prompts do: {figures['prompts']['clips']} held-out clips of 10 s, composed with the "
        "default settings, and compared with what they were composed from; mean ± standard error. "
        "The floors keep the same prompt and draw all other tokens at random by their frequency "
        f"in the training clips. Beats are heard by {figures['prompts']['tracker']} in both; "
        "F-measures, within 70 ms of the beats heard in the clip, 70 ms of its true beats, and "
        "50 ms of its onsets.",
        ["prompt", "kept", "other tokens", "error in dB", "beats", "true beats", "onsets"],
        [
            [
                _prompt(row),
                f"{row['kept']:.1%}",
                "–" if row["kept"] == 1 else row["others"],
                *(
                    "{:.2f} ± {:.2f}".format(*row["likeness"][name])
                    for name in ("error", "beat", "true beat", "onset")
                ),
            ]
            for row in figures["prompts"]["rows"]
        ],
    )


def faults(figures: Figures) -> str:
    """Show what else may be wrong with the sound."""
    forms: dict[str, Callable[[float], str]] = {
        "clicks": "{:.1f}".format,
        "offset": "{:.4f}".format,
        "clipped": "{:.3%}".format,
        "true_peak": "{:.1f}".format,
        "level_change": "{:+.2f}".format,
    }
    return _section(
        "The same outputs' sound: mean, and in brackets the worst. Pulse: how much more the "
        "sound's roughness pulses at the frame rate than at the frequencies beside it, in dB. "
        "Offset: the samples' mean, full scale being 1. Clipped: samples at full scale. True peak, "
        "in dB re full scale. Louder than the clip, in LU.",
        ["prompt", "pulse", "offset", "clipped", "true peak", "louder"],
        [
            [
                _prompt(row),
                *(
                    "{} ({})".format(*map(form, row["faults"][name]))
                    for name, form in forms.items()
                ),
            ]
            for row in figures["prompts"]["rows"]
            if row["others"] == COMPOSED
        ],
    )


def speed(figures: Figures) -> str:
    """Show how long composing takes."""
    times = figures["speed"]
    if times is None:
        return "Speed: not measured."
    return (
        f"Speed: composing {times['seconds']:.0f} s under `{_BEAT_PROMPT}` with the default "
        f"settings (36 coarse steps, 12 fine ones; beat tracking included) takes "
        f"{times['wall']:.1f} s on two CPU cores, and {times['processor']:.1f} s of processor time."
    )


def training(figures: Figures) -> str:
    """Show what was trained for how long."""
    return _section(
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
    """Set the figures beside what was aimed at."""
    return _section(
        "Aims.",
        ["aim", "figure", ""],
        [
            [aim, figure, f"{'met' if margin >= 0 else 'missed'} by {abs(margin):.2f}"]
            for aim, figure, margin in _aims(figures)
        ],
    )


def _aims(figures: Figures) -> Iterable[tuple[str, str, float]]:
    """Give each aim, the figure, and by how much it is met."""
    ours = {name: errors[-1] for name, errors in figures["codec"].items()}
    if figures["opus"]:
        opus = {name: dict(zip(RATES, row, strict=True)) for name, row in figures["opus"].items()}
        below = {name: opus[name][_NEAREST_RATE]["error"] - ours[name] for name in opus}
        worst = min(below, key=below.__getitem__)
        yield (
            f"codec's error below Opus's at {_NEAREST_RATE} kb/s, everywhere",
            f"least on {worst}: {below[worst]:.2f} dB below",
            below[worst],
        )
        if "example.wav" in opus:
            wanted = opus["example.wav"][12]["error"]
            yield (
                "near Opus at 12 kb/s on example.wav",
                f"{ours['example.wav']:.2f} dB against {wanted:.2f}",
                wanted - ours["example.wav"],
            )
    error = ours["held-out clips"]
    yield "codec's error below 4 dB on held-out clips", f"{error:.2f} dB", 4 - error
    gain = figures["coarse"]["unigram"] - figures["coarse"]["50%"]["entropy"]
    yield "coarse model 1.2 nats below the unigram at 50 %", f"{gain:.2f} nats", gain - 1.2

    found = {(row["prompt"], row["others"]): row for row in figures["prompts"]["rows"]}
    beat = found[_BEAT_PROMPT, COMPOSED]["likeness"]["beat"][0]
    floor = found["nothing", RANDOM]["likeness"]["beat"][0]
    yield f"beat F-measure of 0.8 under `{_BEAT_PROMPT}`", f"{beat:.2f}", beat - 0.8
    yield "and 0.3 above that of random tokens", f"{beat - floor:.2f} above", beat - floor - 0.3
    pulse, given = (found[name, COMPOSED]["faults"]["clicks"][0] for name in ("everything", None))
    yield (
        f"no pulse at the frame rate: as much as in the clips, within {_AS_MUCH_DB} dB",
        f"reconstruction: {pulse:.1f} dB against {given:.1f}",
        _AS_MUCH_DB - (pulse - given),
    )
    largest, total = max(figures["files"].values()), sum(figures["files"].values())
    yield "no file above 16 MiB", f"{largest:.2f} MiB", 16 - largest
    yield "files of 32 MiB in all", f"{total:.2f} MiB", 32 - total
    if figures["speed"] is not None:
        wall, seconds = figures["speed"]["wall"], figures["speed"]["seconds"]
        yield "composing takes less time than the clip", f"{wall:.1f} s", seconds - wall


def _codebooks(count: int) -> str:
    return "1 codebook" if count == 1 else f"{count} codebooks"


def _prompt(row: Figures) -> str:
    return "the clip itself" if row["prompt"] is None else f"`{row['prompt']}`"


def _section(text: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join([text, "", *(f"| {' | '.join(line)} |" for line in lines)])
