"""A training loop that can be stopped at any time and goes on where it was."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn


class Stateful(Protocol):
    """Whatever a checkpoint has to hold besides the model."""

    def state_dict(self) -> dict[str, Any]:
        """Give the state."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Take the state up again."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    The rate rises linearly over `warmup` steps, stays for the share `hold` of the others, and
    falls to nothing along a cosine.
    """

    steps: int
    learning_rate: float
    warmup: int = 200
    hold: float = 0.0
    seed: int = 0

    def rate(self, step: int) -> float:
        """Give the learning rate of a step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        falling = max(1.0, (self.steps - self.warmup) * (1 - self.hold))
        progress = min(1.0, max(0.0, 1 - (self.steps - step) / falling))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def train(
    model: nn.Module,
    loss: Callable[[int], dict[str, Tensor]],
    schedule: Schedule,
    folder: Path,
    *,
    optimizers: Sequence[torch.optim.Optimizer] = (),
    others: Mapping[str, Stateful] | None = None,
    validate: Callable[[], dict[str, float]] | None = None,
    log_every: int = 25,
    save_every: float = 120.0,
) -> None:
    """Train `model`, or go on training it from the checkpoint in `folder`.

    Chance is drawn anew at each step from (seed, step), so that a run that was stopped and resumed
    ends in the same state as one that was not.

    Parameters
    ----------
    model
        Trained in place.
    loss
        Gives, for a step, the term to minimise as ``"loss"`` and any others to log.
    schedule
        Number of steps and learning rate.
    folder
        Receives ``checkpoint.pt`` and ``log.csv``.
    optimizers
        Together over all of the model's parameters, all at the schedule's rate; AdamW if none is
        given.
    others
        Further state that belongs in the checkpoint.
    validate
        Measured each twenty log lines, and logged.
    log_every
        Steps between two log lines, which hold means since the last.
    save_every
        Seconds between two checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizers = list(optimizers) or [adam(trainable)]
    stateful: dict[str, Stateful] = {"model": model, **(others or {})}
    stateful |= {f"optimizer {number}": each for number, each in enumerate(optimizers)}
    first, spent = _resume(folder, stateful)
    log = _Log(folder / "log.csv", first)
    started = saved = time.monotonic()

    with _progress(folder.name, first, schedule.steps) as advance:
        model.train()
        for step in range(first, schedule.steps):
            torch.manual_seed(schedule.seed * 1_000_003 + step)
            terms = loss(step)
            model.zero_grad()
            terms["loss"].backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(trainable, 1.0)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = schedule.rate(step)
                optimizer.step()

            log.add({**terms, "gradient": norm})
            done = step + 1
            now = time.monotonic()
            if done % log_every == 0 or done == schedule.steps:
                extra = {}
                if validate and (done % (20 * log_every) == 0 or done == schedule.steps):
                    model.eval()
                    with torch.no_grad():
                        extra = validate()
                    model.train()
                log.write(done, spent + now - started, schedule.rate(step), extra)
            if now - saved > save_every or done == schedule.steps:
                _save(folder, stateful, done, spent + now - started)
                saved = now
            advance(float(terms["loss"].detach()))
    model.eval()


def adam(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Make the optimizer of whatever is not trained by Muon."""
    return torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.01)


def muon_and_adam(
    model: nn.Module, matrices: Sequence[nn.Parameter]
) -> list[torch.optim.Optimizer]:
    """Give Muon [1]_ for `matrices` of a model and AdamW for all its other parameters.

    References
    ----------
    .. [1] Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    muon = torch.optim.Muon(matrices, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return [muon, adam(others)]


def best_device() -> torch.device:
    """Give the device to train on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def finished(folder: Path, schedule: Schedule) -> bool:
    """Say whether `folder` holds a run that has taken all its steps."""
    return _peek(folder)[0] >= schedule.steps


def seconds_spent(folder: Path) -> float:
    """Give the time that the run in `folder` has trained for."""
    return _peek(folder)[1]


def load_model(folder: Path, model: nn.Module) -> None:
    """Read the weights of the run in `folder`."""
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    model.eval()


def _peek(folder: Path) -> tuple[int, float]:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True, mmap=True)
    return int(state["step"]), float(state["seconds"])


def _resume(folder: Path, stateful: Mapping[str, Stateful]) -> tuple[int, float]:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name, part in stateful.items():
        part.load_state_dict(state[name])
    return int(state["step"]), float(state["seconds"])


def _save(folder: Path, stateful: Mapping[str, Stateful], step: int, seconds: float) -> None:
    state: dict[str, Any] = {name: part.state_dict() for name, part in stateful.items()}
    unfinished = folder / "checkpoint.part"
    torch.save({**state, "step": step, "seconds": seconds}, unfinished)
    unfinished.replace(folder / "checkpoint.pt")


class _Log:
    """Means of the logged terms, a line of CSV for each stretch of steps."""

    def __init__(self, path: Path, first_step: int) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if path.exists():
            with path.open(newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) <= first_step]
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, terms: Mapping[str, Tensor]) -> None:
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())
        self.count += 1

    def write(self, step: int, seconds: float, rate: float, extra: Mapping[str, float]) -> None:
        row: dict[str, Any] = {"step": step, "seconds": round(seconds, 1), "rate": f"{rate:.3g}"}
        row |= {name: f"{total / self.count:.5g}" for name, total in self.sums.items()}
        row |= {name: f"{value:.5g}" for name, value in extra.items()}
        self.rows.append(row)
        self.sums, self.count = {}, 0
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)


class _progress:  # noqa: N801 - used like a function
    """A progress bar with the latest loss on it."""

    def __init__(self, name: str, first: int, total: int) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
        )
        self.task = self.bar.add_task(name, completed=first, total=total, loss=math.nan)

    def __enter__(self) -> Callable[[float], None]:
        self.bar.start()
        return lambda loss: self.bar.update(self.task, advance=1, loss=loss)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
