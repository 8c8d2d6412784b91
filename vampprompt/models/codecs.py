"""The classes of the package's own codecs; their registry is `vampprompt.models.codecs`."""

from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.spectral import SpectralCodec

__all__ = ["DacCodec", "DacMrfCodec", "PhaselessCodec", "SpectralCodec"]
