"""A model of a given codec, whose token models have learnt nothing."""

import torch

from vampprompt.models import Bundle, codecs
from vampprompt.models.transformer import VampNet


def save_untrained(folder, family):
    codec = codecs.get(family)()
    codec.config = {"family": family}
    torch.manual_seed(0)
    size = {"embedding_dim": 16, "n_heads": 2, "n_layers": 1}
    coarse = VampNet(4, latents=codec.codebooks[:4], **size)
    fine = VampNet(codec.n_codebooks, 4, latents=codec.codebooks, **size)
    Bundle(codec, coarse, fine, family, "").save(folder)
