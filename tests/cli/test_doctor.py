"""`vampprompt doctor`: what it tells of a healthy installation, and of each illness."""

import sys
import tomllib
from pathlib import Path
from unittest.mock import Mock

import pytest
from vampprompt_cli import doctor
from vampprompt_cli.doctor import EXAMINATIONS

from vampprompt.errors import ModelError

ROOT = Path(__file__).parents[2]


def found(title):
    return {one.what: one for one in EXAMINATIONS[title]()}


@pytest.fixture
def examined(monkeypatch, vampprompt):
    """Let the doctor look at some things alone; return the exit code and the lines."""

    def call(examinations):
        monkeypatch.setattr(doctor, "EXAMINATIONS", examinations)
        code, out, _ = vampprompt("doctor")
        return code, out.splitlines()

    return call


def test_a_healthy_installation(examined):
    code, lines = examined(EXAMINATIONS)
    assert code == 0
    assert not any("\x1b" in line or "broken" in line for line in lines)
    assert [line for line in lines if line in EXAMINATIONS] == list(EXAMINATIONS)
    assert lines[-1] == "composing works"


def test_every_library_is_looked_at(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"]
    monkeypatch.setattr(doctor, "requires", lambda name: [*needed, 'mido>=1; extra == "starter"'])
    libraries = found("libraries")
    assert {one.state for one in libraries.values()} == {"ok"}
    assert len(libraries) == len(needed) + 2, "and python and vampprompt"
    assert "mido" not in libraries


def test_a_missing_library(monkeypatch, examined):
    monkeypatch.setattr(doctor, "requires", lambda name: ["nosuch-library[fast]>=3; os_name != ''"])
    code, lines = examined({"libraries": EXAMINATIONS["libraries"]})
    assert code == 2
    assert any(line.startswith("  missing  nosuch-library ") for line in lines)
    assert any(line.endswith("-m pip install 'nosuch-library[fast]>=3'") for line in lines)
    assert lines[-1] == "composing does not work: see nosuch-library"


def test_a_broken_library(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda name: ["soxr>=0.3"])
    error = OSError("lib.so: cannot open shared object file")
    monkeypatch.setattr(doctor, "import_module", Mock(side_effect=error))
    soxr = found("libraries")["soxr"]
    assert (soxr.state, soxr.is_needed) == ("broken", True)
    assert "cannot open shared object" in soxr.detail
    assert soxr.mend.endswith("install --force-reinstall 'soxr>=0.3'")


def test_without_madmom(monkeypatch):
    monkeypatch.setitem(sys.modules, "madmom", None)
    trackers = found("beat trackers")
    states = {name: one.state for name, one in trackers.items()}
    assert states == {"auto": "ok", "librosa": "ok", "madmom": "missing"}
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


def test_composing_that_fails_is_told(monkeypatch, examined):
    missing = Mock(side_effect=ModelError("there are no weights"))
    monkeypatch.setattr("vampprompt.models.bundle.load", missing)
    monkeypatch.setattr("vampprompt.models.load", missing)
    code, lines = examined({"composing": EXAMINATIONS["composing"]})
    assert code == 2
    assert "  broken   compose               there are no weights" in lines


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
    assert {one.state for one in found("audio formats").values()} == {"ok"}
    monkeypatch.setattr("soundfile.available_formats", lambda: {"WAV": "", "AIFF": "", "OGG": ""})
    assert found("audio formats")["libsndfile"].detail.endswith("without FLAC MP3")


def test_plugins(tmp_path, installed):
    assert found("plugins")["none"].state == "ok"
    (tmp_path / "good_one.py").write_text("from vampprompt.masks import onset as mine\n")
    package = tmp_path / "others-1.2.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.2\n")
    (package / "entry_points.txt").write_text(
        "[vampprompt.masks]\nmine = good_one:mine\nbeat = good_one:mine\n"
        "[vampprompt.samplers]\nlost = not_there:sampler\n"
    )
    _, _, plugins = installed("doctor", PYTHONPATH=str(tmp_path)).stdout.partition("\nplugins\n")
    mine, beat, beat_mend, lost, lost_mend = plugins.splitlines()[:5]
    assert mine.split() == ["ok", "mask", "mine", "others", "1.2"]
    assert beat.startswith("  broken   mask beat ")
    assert beat.endswith("others 1.2 has a name that is taken")
    assert lost.startswith("  broken   sampler lost ")
    assert "not_there" in lost
    assert beat_mend == lost_mend
    assert lost_mend.endswith("-m pip uninstall others")


def test_a_doctor_does_not_fall_ill(examined):
    def ill():
        yield doctor.Finding("first", "ok", "")
        raise RuntimeError("an infection")

    code, lines = examined({"fever": ill})
    assert code == 0
    assert lines[1:3] == [
        "  ok       first",
        "  broken   fever                 RuntimeError: an infection",
    ]
