"""From what the command line was given to a song."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vampprompt.errors import VampPromptError

from .masks import definitions_of
from .options import Settings
from .output import notice

if TYPE_CHECKING:
    from vampprompt import Audio, Bundle, Recipe, Song
    from vampprompt.masks import Mask

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Settings that make sense, as far as can be told before a model is loaded.

    Attributes
    ----------
    settings : Settings
        As given.
    recipe : Recipe or None
        What to compose like where the settings say nothing.
    changes : dict
        Arguments of `vampprompt.compose` that the settings name.
    model : dict
        Arguments of `vampprompt.load` that they name.
    """

    settings: Settings
    recipe: Recipe | None
    changes: dict[str, Any]
    model: dict[str, Any]

    @classmethod
    def of(cls, settings: Settings) -> Plan:
        """Read settings.

        Raises
        ------
        VampPromptError
            If one of them makes no sense, or no mask is among them.
        """
        import vampprompt as vp

        recipe = None if settings.recipe is None else vp.Recipe.read(settings.recipe)
        if settings.mask is None and recipe is None:
            raise VampPromptError("no mask is given", hint='try --mask "beat & codebook<3"')
        names = ("seed", "variations", "passes", "stretch", "pitch", "keep_audio")
        changes = {name: getattr(settings, name) for name in names}
        if settings.mask is not None:
            own = definitions_of(settings.define or [], settings.masks)
            changes["mask"] = vp.parse(settings.mask, own)
        if settings.beats is not None:
            changes["beats"] = vp.analysis.tracker(settings.beats)
        if settings.sampler is not None or settings.steps is not None:
            like = recipe.sampler if recipe else "confidence"
            sampler = vp.samplers.from_text(settings.sampler or like)
            if settings.steps is not None:
                sampler = vp.samplers.with_steps(sampler, settings.steps)
            changes["sampler"] = sampler
        model = {
            "name": settings.model,
            "finetune": settings.finetune,
            "lora": settings.lora,
            "dtype": settings.dtype,
        }
        return cls(settings, recipe, _given(changes), _given(model))

    @property
    def variations(self) -> list[int]:
        """The indices of the songs that it makes of each recording."""
        if "variations" in self.changes:
            return list(range(self.changes["variations"]))
        return self.recipe.variations if self.recipe else [0]

    def load(self) -> Bundle:
        """Load the model.

        Raises
        ------
        VampPromptError
            If it is not there, or no longer the one that the recipe was made with.
        """
        import vampprompt as vp
        from vampprompt.compose import bundle_of

        how: dict[str, Any] = {"device": self.settings.device, "on_notice": notice}
        if self.recipe is not None and not self.model.keys() - {"dtype"}:
            bundle = bundle_of(self.recipe, **self.model, **how)
        else:
            like = dict(self.recipe.model) if self.recipe else {}
            like.pop("identity", None)
            bundle = vp.load(**like | self.model, **how)
        _log.info(
            "loaded %s (%s) on %s in %s",
            *(bundle.name, bundle.identity, bundle.device, bundle.reference["dtype"]),
        )
        return bundle

    def compose(self, bundle: Bundle, audio: Audio | None = None, **watching: Any) -> Song:
        """Compose, without a recording from that of the recipe.

        Raises
        ------
        VampPromptError
            As `vampprompt.compose` does.
        """
        import vampprompt as vp

        given = self.changes | ({} if audio is None else {"source": audio}) | watching
        given |= {"cache": self.settings.cache, "batch": self.settings.batch}
        if self.recipe is None:
            return vp.compose(bundle=bundle, **given)
        return vp.remake(self.recipe, bundle, **given)

    def recipe_of(self, source: Path, bundle: Bundle) -> Recipe:
        """Return the recipe that a song from a recording will have, without its versions."""
        import vampprompt as vp
        from vampprompt.compose import FINE_STEPS
        from vampprompt.recipe import Source

        said = dict(self.changes)
        like = self.recipe or vp.Recipe("", "", "")
        if "mask" in said:
            said["mask"] = str(said["mask"])
        said["variations"] = self.variations
        sampler = said.get("sampler")
        if self.recipe is None:
            sampler = sampler or vp.samplers.from_text("confidence")
        if sampler is not None:
            fine = vp.samplers.fewer_steps(sampler, FINE_STEPS)
            said |= {"sampler": str(sampler), "fine_sampler": str(fine)}
        said["beats"] = (said.get("beats") or vp.analysis.tracker(like.beats)).name
        said |= {"model": bundle.reference, "source": Source.of(source), "versions": {}}
        return replace(like, **said)

    def files(self) -> list[Path]:
        """Return the files that the mask reads: what it keeps depends on them too."""
        import vampprompt as vp

        mask = self.changes.get("mask")
        if mask is None and self.recipe is not None:
            mask = vp.parse(self.recipe.mask)
        return [] if mask is None else list(_files(mask))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _files(mask: Mask) -> Iterator[Path]:
    path = getattr(mask, "path", None)
    if path is not None:
        yield Path(path)
    for part in mask.children:
        yield from _files(part)
