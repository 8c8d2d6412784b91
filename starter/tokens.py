"""Tokens of the clips, and training the models that predict them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.transformer import VampNet

from .attention import SpelledOutAttention
from .codebooks import loaded
from .training import Schedule, best_device, muon_and_adam, train

_PARTS = (3, 3, 2, 1)
"""Into how many windows one is cut, step by step."""
_UNPROMPTED = 0.06
"""The share of items of which the coarse model is given nothing."""


@dataclass(frozen=True)
class TokenSettings:
    """A token model's size and how it is trained.

    Parameters
    ----------
    n_codebooks, n_conditioning_codebooks, embedding_dim, n_heads, n_layers
        As `VampNet` takes them.
    schedule
        Steps and learning rate.
    batch
        Windows in a step.
    frames
        Length of a window.
    """

    n_codebooks: int
    n_conditioning_codebooks: int = 0
    embedding_dim: int = 256
    n_heads: int = 4
    n_layers: int = 6
    schedule: Schedule = field(default_factory=lambda: Schedule(3000, 1e-3))
    batch: int = 6
    frames: int = 574

    def build(self, codebooks: Tensor) -> VampNet:
        """Make an untrained model over a codec's codebooks, ``[codebook, entry, dim]``."""
        return VampNet(
            self.n_codebooks,
            self.n_conditioning_codebooks,
            self.embedding_dim,
            self.n_heads,
            self.n_layers,
            vocab_size=codebooks.shape[1],
            latent_dim=codebooks.shape[2],
            latents=codebooks[: self.n_codebooks],
        )


@torch.no_grad()
def tokenize(
    codec: PhaselessCodec,
    levels_path: Path,
    target: Path,
    on_clip: Callable[[], None] = lambda: None,
) -> None:
    """Write the tokens of an array file of levels, int16 ``[clip, codebook, frame]``."""
    tokens = []
    for levels in np.load(levels_path, mmap_mode="r"):
        tokens.append(codec.quantize(loaded(levels)).numpy().astype(np.int16))
        on_clip()
    unfinished = target.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.save(file, np.stack(tokens))
    unfinished.rename(target)


def train_tokens(
    settings: TokenSettings,
    codebooks: Tensor,
    tokens: NDArray[np.int16],
    held_out: NDArray[np.int16],
    folder: Path,
) -> None:
    """Train a token model, its run kept in `folder`."""
    torch.manual_seed(settings.schedule.seed)
    device = best_device()
    model = settings.build(codebooks)
    start_from_codebooks(model)
    model.to(device)
    # autocast would sum the layers in bfloat16 as well
    model.embedding.register_forward_hook(lambda _module, _given, x: x.float())

    def loss(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([settings.schedule.seed, step])
        # attention over short windows costs less, and short clips are composed too
        parts = _PARTS[step % len(_PARTS)]
        windows = draw_windows(tokens, settings, settings.batch * parts, rng, parts)
        shares = drawn_shares(len(windows), rng)
        if not model.n_conditioning:
            # what guidance compares with: nothing kept at all
            shares[rng.random(len(shares)) < _UNPROMPTED] = 1.0
        with torch.autocast(device.type, dtype=torch.bfloat16), SpelledOutAttention():
            logits, wanted = hidden_logits(model, windows, shares)
        return {"loss": functional.cross_entropy(logits.float(), wanted)}

    def validate() -> dict[str, float]:
        rng = np.random.default_rng(settings.schedule.seed)
        torch.manual_seed(settings.schedule.seed)
        windows = draw_windows(held_out, settings, 4 * settings.batch, rng)
        shares = drawn_shares(len(windows), rng)
        pairs = zip(
            torch.split(windows, settings.batch), torch.split(shares, settings.batch), strict=True
        )
        entropies = [masked_prediction(model, *pair)[0] for pair in pairs]
        return {"held-out loss": float(torch.stack(entropies).mean())}

    train(
        model,
        loss,
        settings.schedule,
        folder,
        optimizers=optimizers_of(model),
        validate=validate,
    )


def optimizers_of(model: VampNet) -> list[torch.optim.Optimizer]:
    """Give Muon for the transformer's matrices: half of AdamW's steps to the same loss here."""
    matrices = [
        parameter
        for name, parameter in model.transformer.named_parameters()
        if parameter.ndim == 2 and "bias" not in name
    ]
    return muon_and_adam(model, matrices)


@torch.no_grad()
def start_from_codebooks(model: VampNet) -> None:
    """Read tokens out along the directions that they come in by.

    A frame that looks like its neighbour's token then begins by predicting that token, and tokens
    that are alike begin alike. It saves more than half of the training.
    """
    weight, bias = model.classifier.layers[0].parameters()
    width, (_, _, dim) = weight.shape[1], model.latents.shape
    incoming = model.embedding.out_proj.weight[..., 0].view(width, -1, dim)
    directions = functional.normalize(incoming[:, model.n_conditioning :], dim=0)
    rows = functional.normalize(model.latents[model.n_conditioning :], dim=-1)
    logits = 0.3 * torch.einsum("ced,wcd->ecw", rows, directions)
    weight.copy_(logits.reshape(-1, width, 1))
    bias.zero_()


def draw_windows(
    tokens: NDArray[np.int16],
    settings: TokenSettings,
    count: int,
    rng: np.random.Generator,
    parts: int = 1,
) -> Tensor:
    """Draw windows of clips' tokens, int64 ``[count, codebook, frame // parts]``."""
    frames = settings.frames // parts
    rows = rng.integers(len(tokens), size=count)
    starts = rng.integers(tokens.shape[2] - frames + 1, size=count)
    cut = [
        tokens[r, : settings.n_codebooks, s : s + frames] for r, s in zip(rows, starts, strict=True)
    ]
    return torch.from_numpy(np.stack(cut).astype(np.int64))


def drawn_shares(count: int, rng: np.random.Generator) -> Tensor:
    """Draw the share of tokens to mask as VampNet does: the cosine of a uniform angle."""
    return torch.from_numpy(np.cos(rng.uniform(0, np.pi / 2, count))).float()


def hide(tokens: Tensor, shares: Tensor, n_conditioning: int) -> Tensor:
    """Choose each token of the predicted codebooks with its item's share, at least one in all.

    Returns
    -------
    Tensor
        bool, ``[batch, predicted codebook, frame]``, True where hidden.
    """
    hidden = torch.rand(tokens[:, n_conditioning:].shape) < shares[:, None, None]
    hidden[:, 0, 0] |= ~hidden.flatten(1).any(1)
    return hidden


def masked_prediction(model: VampNet, tokens: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Hide a share of each item's tokens and predict them: cross-entropy (nats) and accuracy."""
    logits, wanted = hidden_logits(model, tokens, shares)
    accuracy = (logits.argmax(-1) == wanted).float().mean()
    return functional.cross_entropy(logits.float(), wanted), accuracy


def hidden_logits(model: VampNet, tokens: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Hide a share of each item's tokens: give their logits ``[token, vocab]`` and themselves."""
    device = next(model.parameters()).device
    hidden = hide(tokens, shares, model.n_conditioning).to(device)
    tokens = tokens.to(device)
    given = tokens.clone()
    given[:, model.n_conditioning :][hidden] = model.mask_token
    # codebook by codebook, as the logits come
    wanted = tokens[:, model.n_conditioning :].transpose(0, 1)[hidden.transpose(0, 1)]
    return _logits_where(hidden, model, given), wanted


def _logits_where(hidden: Tensor, model: VampNet, given: Tensor) -> Tensor:
    """Give the model's logits of hidden tokens only, ``[token, vocab]``, codebook by codebook.

    Logits of all tokens would take most of a training step's time and memory.
    """
    frames = model.transformer(model.embedding(given, model.latents))
    weight, bias = (p.squeeze(-1) for p in model.classifier.layers[0].parameters())
    n_predicted = hidden.shape[1]
    return torch.cat(
        [
            functional.linear(
                frames[where], weight[codebook::n_predicted], bias[codebook::n_predicted]
            )
            for codebook, where in enumerate(hidden.unbind(1))
        ]
    )


def token_counts(tokens: NDArray[np.int16]) -> NDArray[np.int64]:
    """Count each token in ``[clip, codebook, frame]``, giving ``[codebook, vocab]``."""
    return np.stack([np.bincount(row.ravel(), minlength=1024) for row in tokens.swapaxes(0, 1)])


def unigram_entropy(tokens: NDArray[np.int16], held_out: NDArray[np.int16]) -> NDArray[np.float64]:
    """Give each codebook's cross-entropy under the training clips' token frequencies, in nats."""
    entropies = []
    for codebook, counts in enumerate(token_counts(tokens) + 1.0):
        frequencies = counts / counts.sum()
        entropies.append(-np.log(frequencies[held_out[:, codebook].ravel()]).mean())
    return np.array(entropies)
