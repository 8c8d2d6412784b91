"""Measure full-size models of random weights: `.venv/bin/python benchmarks/models.py`.

Each figure is a ratio of two times taken in turns, so that what else the machine does matters
little; the median of all turns is printed, with the least and the most.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Sequence
from statistics import median
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from vampprompt.models import VampNet
from vampprompt.models.dac import DacMrfCodec
from vampprompt.models.files import remove_weight_norm
from vampprompt.models.windowed import decode

FRAMES = 574  # ten seconds
WIDTH, LAYERS, HEADS, CODEBOOKS, VOCABULARY = 1280, 20, 20, 4, 1024
CODEC = {"encoder_rates": (2, 4, 8, 12), "decoder_rates": (12, 8, 4, 2), "n_codebooks": 14}


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(values: list[float], form: str) -> tuple[str, str]:
    return form.format(median(values)), f"{form.format(min(values))} – {form.format(max(values))}"


def forward(table: Table, turns: int) -> None:
    model = VampNet(CODEBOOKS, 0, WIDTH, HEADS, LAYERS, latents=torch.randn(4, VOCABULARY, 8))
    model.eval().requires_grad_(False)
    tokens = torch.randint(0, VOCABULARY + 1, (1, CODEBOOKS, FRAMES))
    rows, matrix = torch.randn(FRAMES, WIDTH), torch.randn(4 * WIDTH, WIDTH)
    product_work = 2 * FRAMES * WIDTH * 4 * WIDTH
    # projections and feed-forward, attention, classifier
    layer = 2 * FRAMES * WIDTH * 10 * WIDTH + 4 * FRAMES * FRAMES * WIDTH
    forward_work = LAYERS * layer + 2 * FRAMES * WIDTH * CODEBOOKS * VOCABULARY

    def products() -> None:
        for _ in range(10):
            functional.linear(rows, matrix)

    products()
    model.logits(tokens)
    short = copy.deepcopy(model).to(torch.bfloat16)
    short.logits(tokens)
    rates, seconds, shares, gains = [], [], [], []
    for _ in range(turns):
        before = timed(products)
        seconds.append(timed(lambda: model.logits(tokens)))
        rates.append(10 * product_work / ((before + timed(products)) / 2))
        shares.append(forward_work / seconds[-1] / rates[-1])
        gains.append(seconds[-1] / timed(lambda: short.logits(tokens)))
    gigaflops = [rate / 1e9 for rate in rates]
    table.add_row("574x1280x5120 product, GFLOP/s", *spread(gigaflops, "{:.0f}"), "")
    table.add_row("coarse forward pass, seconds", *spread(seconds, "{:.2f}"), "")
    table.add_row("coarse forward, share of that rate", *spread(shares, "{:.0%}"), "65%")
    table.add_row("the same in bfloat16, times as fast", *spread(gains, "{:.1f}"), "")


class Residual(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class Mean(nn.ModuleList):
    def forward(self, x: Tensor) -> Tensor:
        first, second, third = (stack(x) for stack in self)
        return (first + second + third) / 3


def original_decoder(latent_dim: int, width: int, rates: Sequence[int]) -> nn.Sequential:
    """The decoder of plain layers, each weight worked out from its norm at every call."""
    from dac.nn.layers import Snake1d, WNConv1d, WNConvTranspose1d

    def stack(width: int, kernel: int) -> nn.Sequential:
        half = kernel // 2
        return nn.Sequential(
            *(
                Residual(
                    Snake1d(width),
                    WNConv1d(width, width, kernel, dilation=dilation, padding=half * dilation),
                    Snake1d(width),
                    WNConv1d(width, width, kernel, padding=half),
                )
                for dilation in (1, 3, 5)
            )
        )

    layers: list[nn.Module] = [WNConv1d(latent_dim, width, 7, padding=3)]
    for rate in rates:
        upsample = WNConvTranspose1d(width, width // 2, 2 * rate, stride=rate, padding=rate // 2)
        layers += [Snake1d(width), upsample]
        width //= 2
        layers.append(Mean(stack(width, kernel) for kernel in (3, 7, 11)))
    return nn.Sequential(*layers, Snake1d(width), WNConv1d(width, 1, 7, padding=3), nn.Tanh())


@torch.no_grad()
def codec_decode(table: Table, turns: int, seconds: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        codec = DacMrfCodec(**CODEC).eval()
        original = original_decoder(1024, 1536, CODEC["decoder_rates"])
    for theirs, ours in zip(original.parameters(), codec.decoder.parameters(), strict=True):
        theirs.copy_(ours)
    remove_weight_norm(codec)
    frames = round(seconds * codec.sample_rate / codec.hop_length)
    tokens = torch.randint(0, 1024, (1, codec.n_codebooks, frames))
    ratios, whole, windows = [], [], []
    outputs: list[Tensor] = []
    for _ in range(turns):
        outputs.clear()
        whole.append(timed(lambda: outputs.append(original(codec.quantizer.from_codes(tokens)[0]))))
        windows.append(timed(lambda: outputs.append(decode(codec, tokens))))
        ratios.append(whole[-1] / windows[-1])
    difference = (outputs[0] - outputs[1]).abs().max() / outputs[0].std()
    table.add_row(f"decode {seconds:g} s unfolded, in one piece, seconds", *spread(whole, "{:.1f}"))
    table.add_row("the same folded, in windows, seconds", *spread(windows, "{:.1f}"))
    table.add_row("decode, times as fast", *spread(ratios, "{:.1f}"), "2.5")
    table.add_row("largest difference, of the spread", f"{difference:.0e}", "", "1e-5")


def main(
    turns: Annotated[int, typer.Option(help="How often to measure.")] = 5,
    decode_turns: Annotated[int, typer.Option(help="How often to decode.")] = 3,
    seconds: Annotated[float, typer.Option(help="Length of what is decoded.")] = 10.0,
) -> None:
    torch.manual_seed(0)
    table = Table("what", "median", "least – most", "to reach", box=None)
    forward(table, turns)
    codec_decode(table, decode_turns, seconds)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
