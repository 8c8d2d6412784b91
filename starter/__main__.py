"""``python -m starter all``: the starter checkpoint from nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress

from vampprompt import VampPromptError, samplers

from . import corpus, opus, pieces, recordings, report, tables
from .choose import FINE, SAMPLERS, Choice
from .codec import analyse, place_codebooks, train_decoder
from .evaluate import Evaluation
from .loop import make_loop
from .pack import pack as pack_models
from .pack import trained_codec
from .render import available, render_clips
from .settings import Settings, large, quick
from .tokens import TokenSettings, tokenize, train_tokens
from .training import best_device, finished

HERE = Path(__file__).parent
ROOT = HERE.parent

app = typer.Typer(help="Make the starter checkpoint.", no_args_is_help=True)
console = Console()


@app.callback()
def prepare(
    context: typer.Context,
    work: Annotated[Path, typer.Option(help="Folder for all that is not shipped.")] = HERE / "work",
    small: Annotated[
        bool, typer.Option("--quick", help="Run all stages in a minute, to try.")
    ] = False,
    target: Annotated[Path | None, typer.Option(help="Folder for the packed checkpoint.")] = None,
) -> None:
    """Take what all stages share."""
    if small:
        settings = quick(work / "quick")
    else:
        settings = large(work) if best_device().type == "cuda" else Settings(work)
    default = settings.work / "packed" if small else ROOT / "vampprompt" / "models" / "starter"
    context.obj = Stages(settings, target or default, publish=not small)


class Stages:
    """The stages; each leaves its result in a file and is skipped where that is there."""

    def __init__(self, settings: Settings, target: Path, *, publish: bool) -> None:
        self.settings = settings
        self.work = settings.work
        self.target = target
        self.publish = publish

    def render(self) -> None:
        """Compose and record the clips."""
        for split, seeds in self.settings.seeds.items():
            array = self.work / f"{split}.npy"
            if array.exists():
                continue
            if not available():
                raise typer.BadParameter("rendering needs FluidSynth and both sound banks")
            folder = self.work / "clips" / split
            with _counting(f"render {split}", len(seeds)) as count:
                render_clips(folder, seeds, self.settings.seconds, on_clip=count)
            corpus.gather(folder, array)

    def codebooks(self) -> None:
        """Analyse the clips, place the codec's codebooks and tokenize."""
        settings, placed = self.settings.codec, self.work / "codebooks.pt"
        for split, seeds in self.settings.seeds.items():
            if not self._levels(split).exists():
                with _counting(f"analyse {split}", len(seeds)) as count:
                    analyse(
                        settings.build(), self.work / f"{split}.npy", self._levels(split), count
                    )
        if not placed.exists():
            with _counting("codebooks", settings.n_codebooks) as count:
                place_codebooks(settings, self._levels("train"), placed, count)
        for split, seeds in self.settings.seeds.items():
            target = self.work / f"{split}.tokens.npy"
            if not target.exists():
                codec = trained_codec(self.settings)
                with _counting(f"tokenize {split}", len(seeds)) as count:
                    tokenize(codec, self._levels(split), target, count)

    def decoder(self) -> None:
        """Train what makes sound of tokens."""
        folder = self.work / "decoder"
        if not finished(folder, self.settings.codec.schedule):
            train_decoder(
                self.settings.codec,
                self.work / "train.npy",
                self._levels("train"),
                self.work / "codebooks.pt",
                folder,
            )

    def _levels(self, split: str) -> Path:
        return self.work / f"{split}.levels.npy"

    def coarse(self) -> None:
        """Train the coarse model."""
        self._train_tokens("coarse", self.settings.coarse)

    def fine(self) -> None:
        """Train the coarse-to-fine model."""
        self._train_tokens("fine", self.settings.fine)

    def _train_tokens(self, name: str, settings: TokenSettings) -> None:
        folder = self.work / name
        if not finished(folder, settings.schedule):
            codebooks = trained_codec(self.settings).codebooks
            tokens, held_out = (
                np.load(self.work / f"{split}.tokens.npy") for split in self.settings.seeds
            )
            train_tokens(settings, codebooks, tokens, held_out, folder)

    def pack(self) -> None:
        """Write the checkpoint."""
        sizes = pack_models(self.settings, self.target)
        console.print(", ".join(f"{name} {size:.2f} MiB" for name, size in sizes.items()))

    def evaluate(self) -> None:
        """Measure the packed checkpoint; the figures go into the README and the model card."""
        evaluation = self._evaluation()
        for lacking in _not_measured():
            typer.echo(f"not measured: {lacking}", err=True)
        with _counting("evaluate", len(evaluation.missing)) as count:
            evaluation.measure(count)
        if not evaluation.is_timed:
            evaluation.time()
        self._publish(evaluation)
        if self.publish:
            evaluation.draw(HERE / "spectrograms.png")

    def speed(self) -> None:
        """Measure anew how long composing takes, which the machine must be idle for."""
        evaluation = self._evaluation()
        evaluation.time()
        self._publish(evaluation)

    def _evaluation(self) -> Evaluation:
        recordings = sorted((ROOT / "tests" / "data" / "audio").glob("*.wav"))
        return Evaluation(self.settings, self.target, recordings)

    def _publish(self, evaluation: Evaluation) -> None:
        figures = evaluation.figures()
        typer.echo(tables.aims(figures))
        report.write_card(HERE / "card.md", self.target / "card.md", figures)
        if self.publish:
            (HERE / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n")
            report.write_figures(HERE / "README.md", figures)
            report.plot_curves(self.work, HERE / "curves.png")

    def loop(self) -> None:
        """Make the demo's loop."""
        if self.publish:
            make_loop(ROOT / "docs" / "audio")


def _check_samplers(texts: list[str]) -> None:
    """Refuse what is no sampler before anything is measured."""
    for text in texts:
        try:
            samplers.from_text(text)
        except VampPromptError as error:
            raise typer.BadParameter(str(error)) from None


def _not_measured() -> Iterator[str]:
    """Say what cannot be measured here."""
    if not opus.available():
        yield "Opus, for want of opus-tools"
    if not pieces.available():
        yield "pieces written by hand, for want of FluidSynth and its sound banks"
    for package in recordings.missing():
        yield f"game music, for want of Debian's {package}"


@contextmanager
def _counting(description: str, total: int) -> Iterator[Callable[[], None]]:
    with Progress(console=console) as progress:
        task = progress.add_task(description, total=total)
        yield lambda: progress.advance(task)


_STAGES = ("render", "codebooks", "decoder", "coarse", "fine", "pack", "evaluate", "loop")


def _command(name: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        getattr(context.obj, name)()

    command.__doc__ = getattr(Stages, name).__doc__
    return command


for _name in (*_STAGES, "speed"):
    app.command(_name)(_command(_name))


@app.command("choose")
def choose_samplers(
    context: typer.Context,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="SAMPLER…", help="For the coarse codebooks.")
    ] = None,
    fine: Annotated[list[str] | None, typer.Option(help="For the fine ones; repeat it.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="How many held-out clips.")] = 4,
) -> None:
    """Compare samplers on held-out clips, each with each fine one."""
    pairs = list(texts or SAMPLERS), list(fine or FINE)
    _check_samplers(pairs[0] + pairs[1])
    choice = Choice(context.obj.settings, context.obj.target, *pairs, clips)
    with _counting("choose", len(choice.missing)) as count:
        choice.measure(count)
    typer.echo(choice.table())


@app.command("all")
def everything(context: typer.Context) -> None:
    """Run all stages that are not done yet."""
    for name in _STAGES:
        getattr(context.obj, name)()


if __name__ == "__main__":
    app()
