"""Reading files that are none, and writing ones that appear whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vampprompt import files
from vampprompt.errors import FileError, shown
from vampprompt.files import atomic


def test_atomic_keeps_the_old_file_when_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")

    def interrupted() -> None:
        with atomic(path) as part:
            part.write_text("half of the n")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_atomic_replaces_what_a_link_points_to_with_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "ordinary").touch()
    (tmp_path / "link.json").symlink_to("real.json")
    with atomic(tmp_path / "link.json") as part:
        part.write_text("new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"
    assert (tmp_path / "real.json").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_atomic_passes_on_whatever_fails_within(tmp_path: Path) -> None:
    def fill(error: Exception) -> None:
        with atomic(tmp_path / "out.json"):
            raise error

    with pytest.raises(ValueError, match="mine"):
        fill(ValueError("mine"))
    with pytest.raises(FileError, match=r"cannot write '.*out\.json': the disk is full"):
        fill(OSError(28, "No space left on device"))
    (tmp_path / "circle").symlink_to("circle")
    for path in (tmp_path / "circle", "nul\0"):
        with pytest.raises(FileError, match="cannot write"), atomic(path):
            pass


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
@pytest.mark.parametrize("read", [files.read_text, files.read_json])
def test_what_is_no_file_is_neither_read_nor_replaced(make, read, tmp_path: Path) -> None:
    make(tmp_path / "thing.json")
    with pytest.raises(FileError, match=r"folder|pipe"):
        read(tmp_path / "thing.json")
    with pytest.raises(FileError, match=r"folder|pipe"), atomic(tmp_path / "thing.json"):
        pass


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(FileError, match="a device or a pipe"):
        files.read_text("/dev/zero")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1001))
    assert files.read_bytes(tmp_path / "large", 1001) == bytes(1001)
    with pytest.raises(FileError, match="is larger than"):
        files.read_bytes(tmp_path / "large", 1000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_encoding_that_it_names(encoding, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Strophe\u2028é\n", encoding=encoding)
    assert files.read_text(tmp_path / "text") == "Strophe\u2028é\n"
    (tmp_path / "text").write_bytes(b"\xff\xff\xff")
    with pytest.raises(FileError, match="is not text"):
        files.read_text(tmp_path / "text")


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "NaN", "-Infinity", "[" * 100_000, "9" * 5000]
)
def test_json_that_means_nothing_is_refused(text, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(FileError, match="is not JSON"):
        files.read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(json.dumps({"a": [1.5]}))
    assert files.read_json(tmp_path / "a.json") == {"a": [1.5]}


KILLED = """
import os, signal
from vampprompt.files import atomic, scratch_folder
from pathlib import Path
with scratch_folder(Path(".")) as folder, atomic("out.json") as part:
    (folder / "some").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_leaves_goes_with_the_next(tmp_path: Path) -> None:
    root = str(Path(files.__file__).parent.parent)
    subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env={"PYTHONPATH": root}, check=False
    )
    assert len(list(tmp_path.iterdir())) == 2
    with atomic(tmp_path / "mine.json") as mine, atomic(tmp_path / "other.json"):
        # what runs now is left alone
        assert mine.exists()
        assert len(list(tmp_path.iterdir())) == 2
    assert {one.name for one in tmp_path.iterdir()} == {"mine.json", "other.json"}


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "out").touch(0o640)
    (tmp_path / "out").chmod(0o640)
    with atomic(tmp_path / "out") as part:
        part.write_text("new")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\u202e", "\n", "\udce9", "\0"])
def test_nothing_from_elsewhere_is_shown_raw(sign) -> None:
    assert shown(f"a{sign}b") == f"a{sign.encode('unicode_escape').decode()}b"
    message = str(FileError(f"bad{sign}name" * 10_000, hint=sign * 10_000))
    assert sign not in message.replace("\n", "", 1)
    assert len(message) <= 2000
