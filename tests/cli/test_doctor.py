"""`vampprompt doctor`: what it tells of a healthy installation, and of each illness."""

import sys
import tomllib
from pathlib import Path

from vampprompt_cli import doctor
from vampprompt_cli.doctor import EXAMINATIONS

from vampprompt.errors import ModelError

ROOT = Path(__file__).parents[2]


def found(title):
    return {one.what: one for one in EXAMINATIONS[title]()}


def only(monkeypatch, *titles):
    kept = {title: EXAMINATIONS[title] for title in titles}
    monkeypatch.setattr(doctor, "EXAMINATIONS", kept)


def test_a_healthy_installation(vampprompt):
    code, out, _ = vampprompt("doctor")
    assert code == 0
    assert "\x1b" not in out
    assert [line for line in out.splitlines() if line in EXAMINATIONS] == list(EXAMINATIONS)
    assert out.splitlines()[-1] == "composing works"
    assert "broken" not in out


def test_every_library_is_looked_at(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"]
    monkeypatch.setattr(doctor, "requires", lambda name: [*needed, 'mido>=1; extra == "starter"'])
    libraries = found("libraries")
    assert {one.state for one in libraries.values()} == {"ok"}
    assert len(libraries) == len(needed) + 2, "and python and vampprompt"
    assert "mido" not in libraries


def test_a_missing_library(monkeypatch, vampprompt):
    only(monkeypatch, "libraries")
    monkeypatch.setattr(doctor, "requires", lambda name: ["nosuch-library[fast]>=3; os_name != ''"])
    code, out, _ = vampprompt("doctor")
    assert code == 2
    assert "  missing  nosuch-library " in out
    assert "-m pip install 'nosuch-library[fast]>=3'\n" in out
    assert out.splitlines()[-1] == "composing does not work: see nosuch-library"


def test_a_broken_library(monkeypatch):
    def broken(name):
        raise OSError("lib.so: cannot open shared object file")

    monkeypatch.setattr(doctor, "requires", lambda name: ["soxr>=0.3"])
    monkeypatch.setattr(doctor, "import_module", broken)
    soxr = found("libraries")["soxr"]
    assert (soxr.state, soxr.is_needed) == ("broken", True)
    assert "cannot open shared object" in soxr.detail
    assert soxr.mend.endswith("install --force-reinstall 'soxr>=0.3'")


def test_without_madmom(monkeypatch):
    monkeypatch.setitem(sys.modules, "madmom", None)
    trackers = found("beat trackers")
    assert {name: one.state for name, one in trackers.items()} == {
        "auto": "ok",
        "librosa": "ok",
        "madmom": "missing",
    }
    assert "librosa" in trackers["auto"].detail
    first, second = trackers["madmom"].mend.split(" && ")
    assert " -m pip install 'cython<3'" in first
    assert " -m pip install --no-build-isolation madmom" in second
    assert not trackers["madmom"].is_needed


def test_without_the_starter(monkeypatch, tmp_path):
    monkeypatch.setattr("vampprompt.models.hub.starter_folder", lambda: tmp_path)
    starter = found("models")["starter"]
    assert starter.state == "missing"
    assert "coarse.pth" in starter.detail or "coarse.safetensors" in starter.detail
    assert starter.mend.endswith("vampprompt")


def test_composing_that_fails_is_told(monkeypatch, vampprompt):
    def missing(*arguments, **settings):
        raise ModelError("there are no weights")

    only(monkeypatch, "composing")
    monkeypatch.setattr("vampprompt.models.bundle.load", missing)
    monkeypatch.setattr("vampprompt.models.load", missing)
    code, out, _ = vampprompt("doctor")
    assert code == 2
    assert "  broken   compose               there are no weights\n" in out


def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path / "file"))
    analyses = found("cache")["analyses"]
    assert analyses.state == "broken"
    assert analyses.mend.startswith("export VAMPPROMPT_CACHE=")
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "analyses").mkdir(parents=True)
    (tmp_path / "cache" / "analyses" / "some").write_bytes(bytes(2_500_000))
    assert found("cache")["analyses"].detail.endswith(", 2.5 MB")


def test_formats_that_libsndfile_lacks(monkeypatch):
    monkeypatch.setattr("soundfile.available_formats", lambda: {"WAV": "", "AIFF": "", "OGG": ""})
    detail = found("audio formats")["libsndfile"].detail
    assert detail.endswith("without FLAC MP3")


def test_plugins(monkeypatch, tmp_path):
    assert found("plugins")["none"].state == "ok"
    (tmp_path / "good_one.py").write_text("from vampprompt.masks import onset as mine\n")
    package = tmp_path / "others-1.2.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.2\n")
    (package / "entry_points.txt").write_text(
        "[vampprompt.masks]\nmine = good_one:mine\nbeat = good_one:mine\n"
        "[vampprompt.samplers]\nlost = not_there:sampler\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from vampprompt import masks

    # What is installed is looked up once.
    monkeypatch.delitem(vars(masks.masks), "_installed", raising=False)
    plugins = found("plugins")
    monkeypatch.delitem(vars(masks.masks), "_installed", raising=False)
    masks.masks._items.pop("mine", None)
    assert {what: one.state for what, one in plugins.items()} == {
        "mask mine": "ok",
        "mask beat": "broken",
        "sampler lost": "broken",
    }
    assert plugins["mask mine"].detail == "others 1.2"
    assert "name that is taken" in plugins["mask beat"].detail
    assert "not_there" in plugins["sampler lost"].detail
    assert plugins["sampler lost"].mend.endswith("-m pip uninstall others")


def test_a_doctor_does_not_fall_ill(monkeypatch, vampprompt):
    def ill():
        yield doctor.Finding("first", "ok", "")
        raise RuntimeError("an infection")

    monkeypatch.setattr(doctor, "EXAMINATIONS", {"fever": ill})
    code, out, _ = vampprompt("doctor")
    assert code == 0
    assert out.splitlines()[1:3] == [
        "  ok       first",
        "  broken   fever                 RuntimeError: an infection",
    ]
