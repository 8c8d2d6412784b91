"""Models on the Hugging Face hub: downloaded once, then read from its cache without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from vampprompt.errors import ModelError, did_you_mean
from vampprompt.models.listing import Listing

__all__ = ["LICENCES", "VAMPNET", "cached", "fetch", "is_repository", "listing"]

VAMPNET = "hugggof/vampnet"
# What the repository's own page says of the weights, where its metadata does not.
LICENCES = {VAMPNET: "CC BY-NC-SA 4.0"}


def is_repository(name: str) -> bool:
    """Return whether a name has the form ``owner/name``."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name) is not None


def fetch(
    repository: str,
    *,
    finetune: str | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Path:
    """Return the folder of a repository's files in the hub's cache, downloading what is missing.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    finetune : str, optional
        Also fetch the files of this fine-tune.
    on_notice : callable, optional
        Called with the licence and the size before anything is downloaded.

    Raises
    ------
    ModelError
        If the repository cannot be reached or holds no model.
    """
    from huggingface_hub import hf_hub_download

    known: set[str] = set()
    for folder in _snapshots(repository):
        here = _local(repository, folder)
        if here.is_complete and (not finetune or finetune in here.finetunes):
            return folder
        known |= here.finetunes.keys()
    if finetune:
        sought, hint = f"the fine-tune '{finetune}' of {repository}", did_you_mean(finetune, known)
    else:
        sought, hint = repository, None
    there = _remote(repository, sought, hint)
    if there.missing:
        raise ModelError(f"{repository} has no {there.missing[0]}", hint=f"try {VAMPNET}")
    wanted = [*there.layout, *_finetune_files(there, finetune)]
    if on_notice is not None:
        megabytes = sum(there.sizes[file] for file in wanted) / 1e6
        on_notice(
            f"downloading {repository} ({megabytes:.0f} MB); "
            f"licence of the weights: {there.licence or 'not stated'}"
        )
    try:
        paths = [hf_hub_download(repository, file, revision=there.revision) for file in wanted]
    except Exception as error:
        raise _unreachable(repository, error) from error
    return Path(paths[0]).parent


def listing(repository: str) -> Listing:
    """Return what a repository offers; from the cache where it cannot be reached.

    Raises
    ------
    ModelError
        If it can be neither reached nor found in the cache.
    """
    try:
        return _remote(repository)
    except ModelError:
        folder = next(iter(_snapshots(repository)), None)
        if folder is None:
            raise
        return _local(repository, folder)


def cached() -> list[Listing]:
    """Return the repositories with models that are in the hub's cache."""
    found = []
    for folder in sorted(_cache().glob("models--*")):
        repository = folder.name.removeprefix("models--").replace("--", "/")
        here = [_local(repository, snapshot) for snapshot in _snapshots(repository)]
        found += [one for one in here[:1] if one.is_complete]
    return found


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _snapshots(repository: str) -> list[Path]:
    """Return the cached revisions of a repository, the newest first."""
    snapshots = _cache() / f"models--{repository.replace('/', '--')}" / "snapshots"
    return sorted(snapshots.glob("*"), key=lambda one: one.stat().st_mtime, reverse=True)


def _local(repository: str, folder: Path) -> Listing:
    return Listing.of_folder(repository, folder, LICENCES.get(repository))


def _remote(repository: str, sought: str | None = None, hint: str | None = None) -> Listing:
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repository, files_metadata=True)
    except Exception as error:
        raise _unreachable(repository, error, sought, hint) from error
    card = info.card_data
    licence = (card.get("license") if card else None) or LICENCES.get(repository)
    sizes = {one.rfilename: one.size or 0 for one in info.siblings or []}
    return Listing(repository, sizes, licence, revision=info.sha)


def _finetune_files(there: Listing, finetune: str | None) -> Iterable[str]:
    if finetune is None:
        return []
    if finetune not in there.finetunes:
        hint = did_you_mean(finetune, there.finetunes) or f"see: vampprompt models {there.name}"
        raise ModelError(f"{there.name} has no fine-tune '{finetune}'", hint=hint)
    return there.finetunes[finetune]


def _unreachable(
    repository: str, error: Exception, sought: str | None = None, hint: str | None = None
) -> ModelError:
    """Return the error for whatever the hub's library raised while something was sought there."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    sought = sought or repository
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{sought} is gated",
            hint=hint or "accept its terms on the hub, then run: hf auth login",
        )
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(f"the hub has no repository '{repository}'", hint=f"try {VAMPNET}")
    if isinstance(error, OfflineModeIsEnabled):
        return ModelError(
            f"{sought} is not in the cache, and HF_HUB_OFFLINE is set", hint=hint or "unset it once"
        )
    reason = str(error).strip().partition("\n")[0]
    return ModelError(
        f"{sought} is not in the cache and cannot be downloaded: {reason}",
        hint=hint or "check the connection, or download its files and give their folder",
    )
