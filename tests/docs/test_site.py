"""The manual builds without a warning, and its pages hang together."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from docs.examples import DOCS, source_of

PICTURE = re.compile(r"!\[([^\]]*)\]\(((?:\.\./)?pictures/[^)]+)\)")


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    build += ["-d", tmp_path / "trees", DOCS, tmp_path / "site"]
    ran = subprocess.run(build, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "site" / "recipes" / "index.html").is_file()


SHOWN = [
    pytest.param(page, text, (page.parent / picture).resolve(), id=Path(picture).stem)
    for page in sorted(DOCS.rglob("*.md"))
    for text, picture in PICTURE.findall(page.read_text(encoding="utf-8"))
]


def test_every_picture_is_shown():
    shown = {one.values[2] for one in SHOWN}
    assert shown == {path.resolve() for path in (DOCS / "pictures").iterdir()}


@pytest.mark.parametrize(("page", "text", "path"), SHOWN)
def test_a_picture_is_drawn_from_what_its_page_says(page, text, path):
    with Image.open(path) as picture:
        assert picture.text["Source"] == source_of(text, page), "run `make docs-pictures`"


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in (DOCS / "pictures").iterdir()) < 3_000_000
