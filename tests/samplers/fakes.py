"""Token models whose logits are exact, so that results can be compared bit by bit."""

import torch


class NeighbourModel:
    """Logits that depend on the tokens of the frame and those beside it, through a table."""

    def __init__(self, n_codebooks=4, n_conditioning=0, vocab_size=50, spread=2.0):
        self.n_codebooks = n_codebooks
        self.n_conditioning = n_conditioning
        self.vocab_size = vocab_size
        self.mask_token = vocab_size
        self.asked = 0
        chance = torch.Generator().manual_seed(n_codebooks)
        self._table = spread * torch.randn(97, vocab_size, generator=chance)

    def logits(self, tokens):
        self.asked += 1
        factors = torch.arange(1, self.n_codebooks + 1)[:, None]
        frame = (tokens * factors).sum(1, keepdim=True)
        mixed = 5 * frame + 3 * frame.roll(1, -1) + 2 * frame.roll(-1, -1) + 11 * tokens
        place = torch.arange(tokens.shape[-1])
        return self._table[(mixed + 7 * factors + 13 * place)[:, self.n_conditioning :] % 97]


class FixedModel:
    """The same logits at every place, whatever the tokens."""

    def __init__(self, logits, n_codebooks=4, n_conditioning=0):
        self.n_codebooks = n_codebooks
        self.n_conditioning = n_conditioning
        self.vocab_size = len(logits)
        self.mask_token = len(logits)
        self._logits = logits

    def logits(self, tokens):
        n_batch, n_codebooks, n_frames = tokens.shape
        return self._logits.expand(n_batch, n_codebooks - self.n_conditioning, n_frames, -1)


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def tokens_for(model, n_batch=1, n_frames=20, seed=0):
    chance = torch.Generator().manual_seed(seed)
    shape = (n_batch, model.n_codebooks, n_frames)
    return torch.randint(model.vocab_size, shape, generator=chance)


def keep_for(tokens, share=0.2, seed=1):
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(tokens.shape, generator=chance) < share


def fill(sampler, model, share=0.0, seeds=(1,), n_frames=20, on_step=None):
    """What a sampler makes of tokens of which it keeps so large a share."""
    tokens = tokens_for(model, len(seeds), n_frames)
    return sampler(model, tokens, keep_for(tokens, share), generators(*seeds), on_step)
