"""What a sampling step costs beside the model's forward pass, as a share of it.

    python benchmarks/samplers.py [sampler text ...]

The model is a stand-in that takes no time, of VampNet's coarse size: 4 codebooks, 574 frames
(10 s), 1024 entries. Its logits are as peaked as a trained model's. The forward pass it is set
against is estimated within the same run: 385 GFLOP of matrix work at the rate at which this
machine multiplies matrices of the model's size.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from vampprompt.protocols import Step
from vampprompt.samplers import from_text, samplers

N_CODEBOOKS, N_FRAMES, VOCAB = 4, 574, 1024
FORWARD_FLOP = 385e9


class InstantModel:
    n_codebooks = N_CODEBOOKS
    n_conditioning = 0
    vocab_size = VOCAB
    mask_token = VOCAB

    def __init__(self) -> None:
        noise = torch.randn(
            1, N_CODEBOOKS, N_FRAMES, VOCAB, generator=torch.Generator().manual_seed(0)
        )
        self._logits = 2 * noise

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._logits.expand(len(tokens), -1, -1, -1)


def forward_seconds() -> float:
    a, b = torch.randn(N_FRAMES, 1280), torch.randn(1280, 5120)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return FORWARD_FLOP * statistics.median(times) / (2 * N_FRAMES * 1280 * 5120)


def step_seconds(text: str) -> list[float]:
    sampler, model = from_text(text), InstantModel()
    tokens = torch.zeros(1, N_CODEBOOKS, N_FRAMES, dtype=torch.int64)
    ends: list[float] = []

    def note(step: Step) -> None:
        ends.append(time.perf_counter())

    for _ in range(2):  # the first call warms up
        ends.clear()
        start = time.perf_counter()
        generator = torch.Generator().manual_seed(0)
        sampler(model, tokens, torch.zeros_like(tokens, dtype=torch.bool), [generator], note)
    return [end - begin for begin, end in zip([start, *ends], ends, strict=False)]


def main() -> None:
    forward = forward_seconds()
    print(f"forward pass at this machine's matrix rate: {forward:.2f} s")
    for text in sys.argv[1:] or [*samplers, "confidence(temperature=0)"]:
        steps = step_seconds(text)
        mean, worst = statistics.mean(steps), max(steps)
        print(
            f"{text:28} {1e3 * mean:6.1f} ms a step, {1e3 * worst:6.1f} ms the longest: "
            f"{mean / forward:6.2%} and {worst / forward:6.2%} of a forward pass"
        )


if __name__ == "__main__":
    main()
