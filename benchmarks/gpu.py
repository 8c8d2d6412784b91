"""What a sampling step takes on a GPU, beside its matrix products alone.

    python benchmarks/gpu.py                 # says so if there is none
    python benchmarks/gpu.py --device cpu    # the same figures, but for the graph

The model is VampNet's coarse one at full size, of random weights, in bfloat16, on ten seconds.
Whatever waits for the host after the first step is an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Annotated

import torch
import typer
from torch import Tensor, nn

from vampprompt.models import VampNet
from vampprompt.protocols import Step
from vampprompt.samplers import from_text

FRAMES, WIDTH, HEADS, CODEBOOKS, VOCABULARY = 574, 1280, 20, 4, 1024


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def milliseconds(work: Callable[[], object], device: torch.device, turns: int) -> float:
    taken = []
    for _ in range(turns + 1):  # the first warms up
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        taken.append(1e3 * (time.perf_counter() - start))
    return median(taken[1:])


def multiply(model: VampNet, tokens: Tensor) -> None:
    """Do the matrix products of a forward pass and nothing else."""
    layers = [one for one in model.modules() if isinstance(one, nn.Linear)]
    kind = {"dtype": layers[0].weight.dtype, "device": tokens.device}
    batch = len(tokens)
    for layer in layers:
        layer(torch.empty(batch, FRAMES, layer.in_features, **kind))
    weight = torch.empty(CODEBOOKS * VOCABULARY, WIDTH, **kind)
    nn.functional.linear(torch.empty(batch, FRAMES, WIDTH, **kind), weight)
    heads = torch.empty(batch, HEADS, FRAMES, WIDTH // HEADS, **kind)
    for _ in range(model.config["n_layers"]):
        (heads @ heads.mT) @ heads


def step_milliseconds(model: VampNet, text: str, tokens: Tensor, turns: int) -> float:
    """Return how long each step after the first takes."""
    keep = torch.zeros_like(tokens, dtype=torch.bool)
    taken = []
    for _ in range(turns + 1):
        start = steps = 0.0

        def note(step: Step) -> None:
            nonlocal start, steps
            if step.index == 0:
                wait(tokens.device)
                start, steps = time.perf_counter(), step.total - 1
                if tokens.is_cuda:
                    torch.cuda.set_sync_debug_mode("error")

        chance = [torch.Generator().manual_seed(item) for item in range(len(tokens))]
        try:
            from_text(text)(model, tokens, keep, chance, note)
        finally:
            if tokens.is_cuda:
                torch.cuda.set_sync_debug_mode("default")
        wait(tokens.device)
        taken.append(1e3 * (time.perf_counter() - start) / steps)
    return median(taken[1:])


def main(
    device: Annotated[str, typer.Option(help="cuda, or cpu to try it.")] = "cuda",
    layers: Annotated[int, typer.Option(help="Of the model.")] = 20,
    batch: Annotated[int, typer.Option(help="Windows in a forward pass.")] = 1,
    sampler: Annotated[str, typer.Option(help="As compose takes it, of two steps at least.")] = (
        "confidence"
    ),
    turns: Annotated[int, typer.Option(help="How often to measure.")] = 5,
) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA device here: nothing is measured")
        return
    there = torch.device(device)
    model = VampNet(CODEBOOKS, 0, WIDTH, HEADS, layers, latents=torch.randn(4, VOCABULARY, 8))
    model.eval().requires_grad_(False).to(there, torch.bfloat16)
    tokens = torch.randint(0, VOCABULARY, (batch, CODEBOOKS, FRAMES), device=there)
    rows = {"matrix products": milliseconds(lambda: multiply(model, tokens), there, turns)}
    for form in ("", ", as a graph") if there.type == "cuda" else ("",):
        if form:
            forward = torch.cuda.make_graphed_callables(model.forward, (tokens,))
            model.forward = forward  # type: ignore[method-assign]
        rows[f"forward{form}"] = milliseconds(lambda: model.logits(tokens), there, turns)
        rows[f"step{form}"] = step_milliseconds(model, sampler, tokens, turns)
    print(f"{there}, PyTorch {torch.__version__}, {layers} layers, batch {batch}, {sampler}")
    for what, taken in rows.items():
        share = rows["matrix products"] / taken
        print(f"{what:22} {taken:8.2f} ms, of which the products would take {share:.0%}")


if __name__ == "__main__":
    typer.run(main)
