"""Where models are: with the package, in folders, or on the Hugging Face hub.

What is on the hub is downloaded once, then read from its cache without a network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from vampprompt.errors import ModelError, did_you_mean, shown
from vampprompt.models.layout import STARTER, Listing, starter_folder

__all__ = ["LICENCES", "VAMPNET", "available", "find_folder", "is_repository", "offered"]

VAMPNET = "hugggof/vampnet"
# What the repository's own page says of the weights, where its metadata does not.
LICENCES = {VAMPNET: "CC BY-NC-SA 4.0"}
_LONGEST = 200


def available() -> list[Listing]:
    """Return the models that need no download: the starter and those in the hub's cache.

    Examples
    --------
    >>> available()[0].name
    'starter'
    """
    found = [Listing.of_folder(STARTER, starter_folder())]
    for folder in sorted(_cache().glob("models--*")):
        name = folder.name.removeprefix("models--").replace("--", "/")
        with suppress(ModelError):  # of one that cannot be used, when it is named
            found += [one for one in islice(_cached(name), 1) if not one.missing]
    return found


def offered(name: str) -> Listing:
    """Return what a folder or a repository offers.

    Parameters
    ----------
    name : str
        As `vampprompt.load` takes it. Repositories are looked up on the hub, and in its cache
        where they cannot be reached.

    Raises
    ------
    ModelError
        If there is no such model.

    Examples
    --------
    >>> import vampprompt as vp
    >>> vp.load("starter").save("mine")
    >>> offered("mine").name
    'mine'
    """
    if not is_repository(name) or os.path.exists(name):  # noqa: PTH110 - Path's raises for some
        return Listing.of_folder(name, find_folder(name))
    try:
        return _remote(name)
    except ModelError:
        here = next(_cached(name), None)
        if here is None:
            raise
        return here


def find_folder(
    name: str,
    *,
    finetune: str | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Path:
    """Return the folder of a model's files, downloading them if need be; as `load` does."""
    path = Path(name)
    if name == STARTER:
        return starter_folder()
    # names that no file can have are none, where the methods of paths would raise
    if os.path.isdir(name):  # noqa: PTH112
        return path
    if os.path.isfile(name):  # noqa: PTH113
        raise ModelError(f"{name} is a file", hint=f"give its folder: --model {path.parent}")
    if is_repository(name):
        return _fetch(name, finetune, on_notice)
    raise ModelError(
        f"there is no model '{name}'",
        hint=did_you_mean(name, [STARTER])
        or f"give '{STARTER}', a folder, or a repository such as {VAMPNET}",
    )


def is_repository(name: str) -> bool:
    """Return whether a name has the form ``owner/name``."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name) is not None


def _fetch(repository: str, finetune: str | None, on_notice: Callable[[str], None] | None) -> Path:
    """Return the folder of a repository's files in the hub's cache, downloading what is missing.

    The licence and the size are told before anything is downloaded.
    """
    from huggingface_hub import hf_hub_download

    known: set[str] = set()
    for here in _cached(repository):
        if here.folder and not here.missing and (not finetune or finetune in here.finetunes):
            return here.folder
        known |= here.finetunes.keys()
    sought = f"the fine-tune '{finetune}' of {repository}" if finetune else repository
    there = _remote(repository, sought, did_you_mean(finetune or "", known))
    if there.missing:
        raise ModelError(f"{repository} has no {there.missing[0]}", hint=f"try {VAMPNET}")
    wanted = [*there.layout, *there.finetune(finetune)]
    if on_notice is not None:
        megabytes = sum(there.sizes[file] for file in wanted) / 1e6
        on_notice(
            f"downloading {repository} ({megabytes:.0f} MB); "
            f"licence of the weights: {shown(there.licence or 'not stated', _LONGEST)}"
        )
    try:
        paths = [hf_hub_download(repository, file, revision=there.revision) for file in wanted]
    except Exception as error:
        raise _unreachable(repository, error) from error
    return Path(paths[0]).parent


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _cached(repository: str) -> Iterator[Listing]:
    """Return what the cached revisions of a repository offer, the newest first."""
    snapshots = _cache() / f"models--{repository.replace('/', '--')}" / "snapshots"
    folders = [one for one in snapshots.glob("*") if one.is_dir()]  # not links to nowhere
    folders.sort(key=lambda one: one.stat().st_mtime, reverse=True)
    return (Listing.of_folder(repository, one, LICENCES.get(repository)) for one in folders)


def _remote(repository: str, sought: str | None = None, hint: str | None = None) -> Listing:
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repository, files_metadata=True)
    except Exception as error:
        raise _unreachable(repository, error, sought, hint) from error
    card = info.card_data
    stated = card.get("license") if card else None
    licence = f"{stated}" if stated else LICENCES.get(repository)
    sizes = {one.rfilename: one.size or 0 for one in info.siblings or []}
    return Listing(repository, sizes, licence, revision=info.sha)


def _unreachable(
    repository: str, error: Exception, sought: str | None = None, hint: str | None = None
) -> ModelError:
    """Return the error for whatever the hub's library raised while something was sought there."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    sought = sought or repository
    if isinstance(error, GatedRepoError):
        what, way = f"{sought} is gated", "accept its terms on the hub, then run: hf auth login"
    elif isinstance(error, RepositoryNotFoundError):
        what, way, hint = f"the hub has no repository '{repository}'", f"try {VAMPNET}", None
    elif isinstance(error, OfflineModeIsEnabled):
        what, way = f"{sought} is not in the cache, and HF_HUB_OFFLINE is set", "unset it once"
    else:
        reason = str(error).strip().partition("\n")[0]
        what = f"{sought} is not in the cache and cannot be downloaded: {reason}"
        way = "check the connection, or download its files and give their folder"
    return ModelError(what, hint=hint or way)
