"""Keeping a residual quantizer's codebooks alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from dac.nn.quantize import ResidualVectorQuantize, VectorQuantize


class CodebookKeeper:
    """Moves the rows of each codebook to the running mean of what they stand for.

    Rows that nothing falls to are placed anew on a latent of the batch at hand. Codebooks are not
    given to the optimizer.

    Parameters
    ----------
    quantizer
        Whose codebooks to keep.
    decay
        Of the running means, for each step.
    """

    def __init__(self, quantizer: ResidualVectorQuantize, decay: float = 0.99) -> None:
        self.levels: list[VectorQuantize] = list(quantizer.quantizers)
        self.decay = decay
        for level in self.levels:
            level.codebook.weight.requires_grad_(False)
        rows = torch.stack([level.codebook.weight for level in self.levels])
        self.sums = rows.clone()
        self.counts = torch.ones(rows.shape[:2], device=rows.device)

    @torch.no_grad()
    def initialise(self, latents: Tensor) -> None:
        """Place projections and rows by what is seen in `latents`, ``[item, width]``.

        Each level projects on the main directions of what the levels before it left over, and
        its rows are found there by k-means.
        """
        residual = latents
        for index, level in enumerate(self.levels):
            mean = residual.mean(0)
            _, _, directions = torch.pca_lowrank(residual - mean, level.codebook_dim, niter=4)
            basis = directions.T
            _set_convolution(level.in_proj, basis, -basis @ mean)
            _set_convolution(level.out_proj, basis.T, mean)
            projected = (residual - mean) @ basis.T
            rows, codes = _k_means(projected, level.codebook_size)
            level.codebook.weight.copy_(rows)
            residual = residual - rows[codes] @ basis - mean
            counts = torch.bincount(codes, minlength=level.codebook_size).clamp(min=1).float()
            self.counts[index] = counts / counts.mean()
            self.sums[index] = rows * self.counts[index, :, None]

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor) -> None:
        """Learn from a batch: latents ``[batch, codebook * dim, frame]`` and their codes."""
        split = latents.view(len(latents), len(self.levels), -1, latents.shape[-1])
        for index, level in enumerate(self.levels):
            items = split[:, index].transpose(1, 2).flatten(0, 1)
            chosen = codes[:, index].flatten()
            counts = torch.bincount(chosen, minlength=level.codebook_size).float()
            share = level.codebook_size / len(chosen)
            sums = torch.zeros_like(self.sums[index]).index_add_(0, chosen, items)
            self.counts[index].lerp_(counts * share, 1 - self.decay)
            self.sums[index].lerp_(sums * share, 1 - self.decay)
            dead = self.counts[index] < 0.03
            drawn = items[torch.randint(len(items), (int(dead.sum()),))]
            self.sums[index, dead] = drawn * 0.3
            self.counts[index, dead] = 0.3
            level.codebook.weight.copy_(self.sums[index] / self.counts[index, :, None])

    def perplexity(self) -> Tensor:
        """Give the effective number of rows in use, for each codebook."""
        share = self.counts / self.counts.sum(1, keepdim=True)
        entropy: Tensor = -(share * (share + 1e-12).log()).sum(1)
        return entropy.exp()

    def state_dict(self) -> dict[str, Any]:
        """Give the running means."""
        return {"sums": self.sums, "counts": self.counts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up running means again."""
        self.sums.copy_(state["sums"])
        self.counts.copy_(state["counts"])


def _set_convolution(convolution: nn.Module, weight: Tensor, bias: Tensor) -> None:
    """Set a weight-normed 1x1 convolution to ``weight`` ``[out, in]``."""
    weight = weight[:, :, None]
    convolution.load_state_dict(
        {"weight_v": weight, "weight_g": weight.norm(dim=(1, 2), keepdim=True), "bias": bias}
    )


def _k_means(items: Tensor, size: int, rounds: int = 8) -> tuple[Tensor, Tensor]:
    """Cluster by direction, as the quantizer looks rows up; means keep their lengths."""
    rows = items[torch.randperm(len(items))[:size]].clone()
    directions = functional.normalize(items)
    for _ in range(rounds):
        codes = (directions @ functional.normalize(rows).T).argmax(1)
        counts = torch.bincount(codes, minlength=size).float()
        means = torch.zeros_like(rows).index_add_(0, codes, items) / counts.clamp(min=1)[:, None]
        rows = torch.where(counts[:, None] > 0, means, items[torch.randint(len(items), (size,))])
    return rows, (directions @ functional.normalize(rows).T).argmax(1)
