"""The names of samplers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from vampprompt.errors import SamplerError
from vampprompt.language import Registry
from vampprompt.protocols import Sampler
from vampprompt.samplers.blocks import Blocks
from vampprompt.samplers.codebooks import Codebooks
from vampprompt.samplers.confidence import Confidence
from vampprompt.samplers.filters import FILTERS
from vampprompt.samplers.halton import Halton
from vampprompt.samplers.random_order import RandomOrder

# Takes the settings by keyword, as its signature names them.
SamplerFactory: TypeAlias = Callable[..., Sampler]

samplers: Registry[SamplerFactory] = Registry("sampler", "vampprompt.samplers", SamplerError)
"""Samplers by name, those of installed packages included."""

for _sampler in (Confidence, RandomOrder, Halton, Blocks, Codebooks):
    samplers.register(_sampler.name, _sampler)


def _filtered_by(name: str) -> SamplerFactory:
    filter_ = FILTERS[name]
    own = inspect.signature(filter_).parameters
    rest = inspect.signature(Confidence).parameters

    def preset(**settings: Any) -> Confidence:
        of_filter = {each: settings.pop(each) for each in own if each in settings}
        return Confidence(filters=(filter_(**of_filter),), **settings)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.values()]
    parameters += [each for each in rest.values() if each.name != "filters"]
    preset.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    preset.__doc__ = f"`Confidence` with the filter `{name}`; takes the settings of both."
    return preset


for _name in ("typical", "top-p", "top-k", "min-p"):
    samplers.register(_name, _filtered_by(_name))
