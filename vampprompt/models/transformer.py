"""VampNet's token model: a bidirectional transformer that predicts masked tokens."""

from __future__ import annotations

import inspect
import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["VampNet", "position_buckets"]

_BUCKETS = 32
_MAX_DISTANCE = 128
_EPSILON = 1e-6


class VampNet(nn.Module):
    """Predicts masked tokens from all others, those before and those behind [1]_.

    Meets `vampprompt.protocols.TokenModel`. Parameters are named as in VampNet's files, with
    weight normalisation and LoRA folded in (see `vampprompt.models.files`).

    Parameters
    ----------
    n_codebooks : int
        Codebooks of the tokens that go in.
    n_conditioning_codebooks : int
        How many of them, the coarsest, are given and never predicted.
    embedding_dim, n_heads, n_layers : int
        The transformer's size.
    vocab_size : int
        Entries of a codebook. The token of that number, one past the last entry, is the mask.
    latent_dim : int
        Length of a codebook's rows.
    dropout : float
        Share of each block's output that training drops.
    latents : Tensor, optional
        The rows of the codec's codebooks, ``[n_codebooks, vocab_size, latent_dim]``, not
        normalised: what the model knows of a token. They belong to the codec and are not part
        of the state dict. Give them here or to `bind`.

    References
    ----------
    .. [1] Garcia et al., "VampNet: Music Generation via Masked Acoustic Token Modeling",
       ISMIR 2023.

    Examples
    --------
    >>> model = VampNet(4, embedding_dim=16, n_heads=2, n_layers=1)
    >>> tokens = torch.full((1, 4, 10), model.mask_token)
    >>> model.logits(tokens).shape
    torch.Size([1, 4, 10, 1024])
    """

    latents: Tensor

    def __init__(
        self,
        n_codebooks: int,
        n_conditioning_codebooks: int = 0,
        embedding_dim: int = 1280,
        n_heads: int = 20,
        n_layers: int = 16,
        vocab_size: int = 1024,
        latent_dim: int = 8,
        dropout: float = 0.0,
        *,
        latents: Tensor | None = None,
    ) -> None:
        given, known = locals(), inspect.signature(VampNet).parameters.keys() - {"latents"}
        self.config = {name: value for name, value in given.items() if name in known}
        super().__init__()
        if embedding_dim % n_heads:
            raise ValueError(f"embedding_dim {embedding_dim} is no multiple of n_heads {n_heads}")
        if not 0 <= n_conditioning_codebooks < n_codebooks:
            raise ValueError(
                f"{n_conditioning_codebooks} of {n_codebooks} codebooks cannot be conditioning"
            )
        self.n_codebooks = n_codebooks
        self.n_conditioning = n_conditioning_codebooks
        self.vocab_size = vocab_size
        self.mask_token = vocab_size
        n_predicted = n_codebooks - n_conditioning_codebooks
        self.embedding = _Embedding(n_codebooks, latent_dim, embedding_dim)
        self.transformer = _Transformer(embedding_dim, n_heads, n_layers, dropout)
        self.classifier = _Classifier(embedding_dim, vocab_size * n_predicted)
        shape = (n_codebooks, vocab_size, latent_dim)
        self.register_buffer("latents", torch.zeros(shape), persistent=False)
        if latents is not None:
            self.bind(latents)

    def bind(self, latents: Tensor) -> None:
        """Take the codec's codebook rows, ``[n_codebooks, vocab_size, latent_dim]``.

        Raises
        ------
        ValueError
            If their shape is not the model's.
        """
        if latents.shape != self.latents.shape:
            raise ValueError(
                f"codebooks of shape {list(latents.shape)}, not {list(self.latents.shape)}"
            )
        like = self.embedding.special["MASK"]
        device = latents.device if like.is_meta else like.device
        self.latents = latents.detach().to(device, like.dtype, copy=True)

    def logits(self, tokens: Tensor) -> Tensor:
        """Return logits ``[batch, n_codebooks - n_conditioning, frame, vocab]``, float32.

        Parameters
        ----------
        tokens : Tensor
            int64, ``[batch, n_codebooks, frame]``, with `mask_token` where one is unknown.
        """
        # Whatever the model computes in, probabilities are to add up.
        return cast(Tensor, self(tokens)).float()

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what `logits` does, in the precision that the model computes in."""
        logits = self.classifier(self.transformer(self.embedding(tokens, self.latents)))
        # the channels count through the codebooks first and through the vocabulary last
        logits = logits.unflatten(-1, (self.vocab_size, -1))
        return cast(Tensor, logits.permute(0, 3, 1, 2).contiguous())


class _Pointwise(nn.Conv1d):
    """A convolution of one tap, over the last axis."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight[..., 0], self.bias)


class _Embedding(nn.Module):
    """The latents of a frame's tokens, side by side, through one linear layer."""

    def __init__(self, n_codebooks: int, latent_dim: int, width: int) -> None:
        super().__init__()
        masks = nn.init.normal_(torch.empty(n_codebooks, latent_dim))
        self.special = nn.ParameterDict({"MASK": masks})
        self.out_proj = _Pointwise(n_codebooks * latent_dim, width, 1)

    def forward(self, tokens: Tensor, latents: Tensor) -> Tensor:
        rows = torch.cat([latents, self.special["MASK"][:, None]], dim=1)
        n_codebooks, n_entries, _ = rows.shape
        first_rows = torch.arange(0, n_codebooks * n_entries, n_entries, device=tokens.device)
        latent = functional.embedding(tokens.transpose(1, 2) + first_rows, rows.flatten(0, 1))
        return cast(Tensor, self.out_proj(latent.flatten(2)))


class _Classifier(nn.Module):
    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(_Pointwise(width, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x))


class _Transformer(nn.Module):
    def __init__(self, width: int, n_heads: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, n_heads, dropout) for _ in range(n_layers))
        self.norm = nn.RMSNorm(width, eps=_EPSILON)
        first = cast(_Layer, self.layers[0])
        first.self_attn.relative_attention_bias = nn.Embedding(_BUCKETS, n_heads)

    def forward(self, x: Tensor) -> Tensor:
        first = cast(_Layer, self.layers[0])
        weight = first.self_attn.relative_attention_bias.weight
        bias = _position_bias(weight, x.shape[1]).to(x.dtype)
        for layer in self.layers:
            x = layer(x, bias)
        return cast(Tensor, self.norm(x))


class _Layer(nn.Module):
    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_1 = nn.RMSNorm(width, eps=_EPSILON)
        self.self_attn = _Attention(width, n_heads)
        self.norm_3 = nn.RMSNorm(width, eps=_EPSILON)
        self.feed_forward = _FeedForward(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.dropout(self.self_attn(self.norm_1(x), bias))
        return x + cast(Tensor, self.dropout(self.feed_forward(self.norm_3(x))))


class _Attention(nn.Module):
    # only the first layer has one, and all layers use it
    relative_attention_bias: nn.Embedding

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.w_qs = nn.Linear(width, width, bias=False)
        self.w_ks = nn.Linear(width, width, bias=False)
        self.w_vs = nn.Linear(width, width, bias=False)
        self.fc = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        query, key, value = (
            project(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for project in (self.w_qs, self.w_ks, self.w_vs)
        )
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return cast(Tensor, self.fc(heads.transpose(1, 2).flatten(2)))


class _FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(width, 4 * width, bias=False)
        self.w_2 = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.w_1(x).chunk(2, dim=-1)
        return cast(Tensor, self.w_2(value * functional.gelu(gate, approximate="tanh")))


def _position_bias(weight: Tensor, n_frames: int) -> Tensor:
    """Return what is added to attention, ``[1, head, query, key]``, from ``[bucket, head]``."""
    distances = torch.arange(1 - n_frames, n_frames, device=weight.device)
    by_distance = functional.embedding(position_buckets(distances), weight).T
    # a row for each query is a window over the distances, the last query's being the first
    return by_distance.unfold(-1, n_frames, 1).flip(1)[None].contiguous()


def position_buckets(distances: Tensor) -> Tensor:
    """Return T5's bidirectional bucket of each distance, key minus query, in frames [1]_.

    Of the 32 buckets half are for each direction: distances below 8 have one each, larger ones
    share them logarithmically up to 128.

    References
    ----------
    .. [1] Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
       Transformer", JMLR 2020.
    """
    per_side = _BUCKETS // 2
    exact = per_side // 2
    size = distances.abs()
    octaves = torch.log(size.clamp(min=1) / exact) / math.log(_MAX_DISTANCE / exact)
    far = (exact + (octaves * (per_side - exact)).long()).clamp(max=per_side - 1)
    return torch.where(size < exact, size, far) + per_side * (distances > 0)
