"""`vampprompt compose --report`."""

from pathlib import Path

import pytest


def test_a_report_lies_beside_the_song(folder, vampprompt):
    arguments = ["in.wav", "-m", "periodic(7)", "--variations", "2", "--steps", "2"]
    code, out, err = vampprompt("compose", *arguments, "-o", "out.wav", "--report", "out.html")
    assert code == 0, err
    assert len(out.splitlines()) == 1
    assert "out.html" in out
    page = Path("out.html").read_text(encoding="utf-8")
    for expected in ("in.wav", "periodic(7)", "Variation 2", "2 coarse, 2 fine", "decode"):
        assert expected in page
    assert {path.name for path in folder.iterdir()} == {
        *("in.wav", "out.html", "out-1.wav", "out-2.wav", "out-1.json", "out-2.json")
    }


def test_a_song_made_from_a_recipe_has_a_report_too(folder, vampprompt):
    made = vampprompt("compose", "in.wav", "-m", "everything", "--steps", "2", "-o", "out.wav")
    assert made[0] == 0
    code, _, err = vampprompt("compose", "--recipe", "out.json", "--report", "again.html")
    assert code == 0, err
    assert "in.wav" in Path("again.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("report", "complaint"),
    [
        ("out.pdf", "does not end in .html"),
        ("no/such/out.html", "folder 'no/such' does not exist"),
        ("sub.html", "is a folder"),
        ("in.html", "never overwritten"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_the_work(folder, vampprompt, report, complaint):
    (folder / "sub.html").mkdir()
    (folder / "in.wav").rename("in.html")
    code, out, err = vampprompt("compose", "in.html", "-m", "everything", "--report", report)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert {path.name for path in folder.iterdir()} == {"in.html", "sub.html"}
