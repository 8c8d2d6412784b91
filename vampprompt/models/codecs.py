"""The classes of the package's codecs under one name; `vampprompt.models.codecs` has all by name."""

from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.spectral import SpectralCodec

__all__ = ["DacCodec", "DacMrfCodec", "SpectralCodec"]
