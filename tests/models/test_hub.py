from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

import vampprompt as vp
from vampprompt.errors import ModelError
from vampprompt.models import available, hub, offered
from vampprompt.models.layout import starter_folder

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache in the hub's layout, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def offline(*_, **__):
        raise OfflineModeIsEnabled("offline")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", offline)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    return tmp_path / "hub"


def snapshot(cache: Path, repository: str) -> Path:
    return cache / f"models--{repository.replace('/', '--')}" / "snapshots" / REVISION


@pytest.fixture
def cached(cache, folder):
    shutil.copytree(folder, snapshot(cache, hub.VAMPNET))


@pytest.fixture
def online(cache, folder, monkeypatch):
    """A hub with one repository, and a record of what is downloaded from it."""
    downloaded = []

    def model_info(_, repository, files_metadata):
        assert files_metadata
        files = {
            file.relative_to(folder).as_posix(): file.stat().st_size
            for file in folder.rglob("*")
            if file.is_file()
        }
        siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in files.items()]
        card = {"license": "cc-by-nc-sa-4.0"}
        return SimpleNamespace(sha=REVISION, card_data=card, siblings=siblings)

    def download(repository, file, revision):
        target = snapshot(cache, repository) / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / file, target)
        downloaded.append(file)
        return str(target)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return downloaded


def test_what_is_cached_needs_no_network(cached, folder):
    bundle = vp.load(hub.VAMPNET)
    assert bundle.identity == vp.load(folder).identity
    assert bundle.licence == "CC BY-NC-SA 4.0"
    assert vp.load(hub.VAMPNET, finetune="updates").identity != bundle.identity


def test_the_licence_is_shown_before_the_download(online):
    notices = []
    vp.load("someone/vampnet", on_notice=lambda text: notices.append((text, list(online))))
    what = "downloading someone/vampnet (1 MB); licence of the weights: cc-by-nc-sa-4.0"
    assert notices == [(what, [])]


def test_only_what_is_needed_is_downloaded_once(online):
    vp.load("someone/vampnet")
    assert online == ["codec.pth", "coarse.pth", "c2f.pth"]
    vp.load("someone/vampnet")
    assert len(online) == 3
    vp.load("someone/vampnet", finetune="updates")
    assert online[3:] == ["codec.pth", "coarse.pth", "c2f.pth", "loras/updates/coarse.pth"]


@pytest.mark.parametrize(
    ("hub_state", "complaint"),
    [
        ("online", "hugggof/vampnet has no fine-tune 'update'"),
        ("cached", "the fine-tune 'update' of hugggof/vampnet is not in the cache.*"),
    ],
)
def test_unknown_finetune(request, hub_state, complaint):
    request.getfixturevalue(hub_state)
    with pytest.raises(ModelError, match=f"{complaint}\ndid you mean 'updates'"):
        vp.load(hub.VAMPNET, finetune="update")


def test_a_repository_of_something_else(online, folder):
    (folder / "c2f.pth").unlink()
    with pytest.raises(ModelError, match=r"someone/vampnet has no c2f.pth"):
        vp.load("someone/vampnet")
    assert online == []


def refusal(kind, *arguments):
    error = kind.__new__(kind)
    Exception.__init__(error, *arguments)
    return error


LOOKING, FETCHING = "HfApi.model_info", "hf_hub_download"
MISSING = refusal(RepositoryNotFoundError)


@pytest.mark.parametrize(
    ("step", "error", "complaint"),
    [
        (LOOKING, OfflineModeIsEnabled("offline"), "not in the cache, and HF_HUB_OFFLINE is set"),
        (LOOKING, refusal(GatedRepoError), "is gated"),
        (LOOKING, MISSING, "no repository 'someone/vampnet'\ntry hugggof/vampnet"),
        (LOOKING, OSError("Name or service not known"), "be downloaded: Name or service not known"),
        (FETCHING, OSError("connection reset"), "connection reset"),
    ],
)
def test_the_hub_cannot_be_reached(online, monkeypatch, step, error, complaint):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(f"huggingface_hub.{step}", fail)
    with pytest.raises(ModelError, match=complaint):
        vp.load("someone/vampnet")


def test_what_is_here(cached, cache):
    (snapshot(cache, "other/bert") / "model").mkdir(parents=True)
    (snapshot(cache, "other/bert") / "config.json").write_text("{}")
    names = [one.name for one in available()]
    assert names == ["starter", hub.VAMPNET]
    assert sorted(available()[1].finetunes) == ["updates", "whole"]


def test_links_to_nowhere_and_damaged_models_in_the_cache(cached, cache):
    snapshots = snapshot(cache, hub.VAMPNET).parent
    (snapshots / "gone").symlink_to("nowhere")
    (snapshots / "loop").symlink_to("loop")
    shutil.copytree(starter_folder(), snapshot(cache, "other/ours"))
    (snapshot(cache, "other/ours") / "config.json").write_text("{")
    (cache / "models--file").write_text("")
    assert [one.name for one in available()] == ["starter", hub.VAMPNET]
    with pytest.raises(ModelError, match="is not JSON"):
        vp.load("other/ours")
    blob = snapshot(cache, hub.VAMPNET) / "coarse.pth"
    blob.unlink()
    blob.symlink_to("../../blobs/nowhere")
    with pytest.raises(ModelError, match="is not in the cache"):
        vp.load(hub.VAMPNET)


def test_a_licence_from_the_hub_steers_no_terminal(online, monkeypatch):
    info = huggingface_hub.HfApi.model_info
    odd = {"license": ["\x1b[2J" + "a" * 1000]}

    def model_info(self, repository, files_metadata):
        given = vars(info(self, repository, files_metadata))
        return SimpleNamespace(**{**given, "card_data": odd})

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    notices = []
    vp.load("someone/vampnet", on_notice=notices.append)
    assert notices[0].isprintable()
    assert len(notices[0]) < 400


def test_what_a_repository_offers(online):
    listing = offered("someone/vampnet")
    assert (listing.missing, listing.licence) == ([], "cc-by-nc-sa-4.0")
    tuned = {name: [f"loras/{name}/coarse.pth"] for name in ("updates", "whole")}
    assert listing.finetunes == tuned
    assert listing.sizes["codec.pth"] > 100_000
    assert online == []


def test_what_is_offered_without_a_network(cached, folder):
    assert offered(hub.VAMPNET).missing == offered(str(folder)).missing == []
    with pytest.raises(ModelError, match="not in the cache"):
        offered("someone/else")
    (folder / "coarse.pth").unlink()
    assert offered(str(folder)).missing == ["coarse.pth"]


def test_names_of_repositories():
    names = ["hugggof/vampnet", "a/b", "./a", "../a", "/a/b", "a/b/c", "starter"]
    assert [name for name in names if hub.is_repository(name)] == ["hugggof/vampnet", "a/b"]
