"""The smallest codec that trains."""

from starter.codec import CodecSettings
from starter.training import Schedule

CODEC = CodecSettings(
    width=8,
    expansion=1,
    encoder_layers=1,
    decoder_layers=1,
    n_codebooks=2,
    schedule=Schedule(3, 1e-3),
    batch=2,
    frames=24,
    unquantized_steps=1,
)
