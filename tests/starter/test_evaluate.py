"""An evaluation goes on where it stopped, and its figures come out as tables."""

import json
from functools import partial
from pathlib import Path

import pytest

from starter import report, tables
from starter.evaluate import Evaluation
from starter.prompts import COMPOSED, RANDOM
from starter.settings import quick
from vampprompt.models.layout import starter_folder


@pytest.fixture
def evaluation(tmp_path):
    return Evaluation(quick(tmp_path), starter_folder(), [Path("example.wav")])


def row(prompt, others, beat, pulse=1.0):
    likeness = {name: [beat, 0.01] for name in ("error", "beat", "true beat", "onset")}
    names = ("offset", "clipped", "true_peak", "level_change")
    faults = {name: [0.0, 0.1] for name in names} | {"clicks": [pulse, 9.0]}
    told = {"prompt": prompt, "others": others, "likeness": likeness, "faults": faults}
    return told | {"kept": 1.0 if prompt in (None, "everything") else 0.1}


@pytest.fixture
def figures():
    shares = {share: {"entropy": 5.0, "accuracy": 0.1} for share in ("50%", "100%")}
    opus = [{"error": error, "rate": 6.0} for error in (16.0, 14.5, 14.0, 5.0, 3.4)]
    run = {"parameters": 5e6, "seconds": 60, "schedule": {"steps": 9}, "batch": 2, "frames": 64}
    rows = [
        row(None, COMPOSED, 1.0),
        row("everything", COMPOSED, 1.0, pulse=11.0),
        row("beat & codebook<3", COMPOSED, 0.85),
        row("nothing", COMPOSED, 0.3),
        row("nothing", RANDOM, 0.25),
    ]
    codec = {"held-out clips": [6.0, 4.5, *[4.25] * 7], "example.wav": [7.0, 5.5, *[4.5] * 7]}
    return {
        "identity": "0123",
        "data": {"clips": 90, "held_out": 4, "seconds": 20.0},
        "bitrate": 0.574,
        "codec": codec,
        "opus": dict.fromkeys(codec, opus),
        "coarse": shares | {"unigram": 6.5},
        "fine": shares | {"unigram": 6.5},
        "prompts": {"clips": 4, "tracker": "madmom", "rows": rows},
        "speed": {"seconds": 10.0, "wall": 4.0, "processor": 7.5},
        "files": {"codec.safetensors": 14.0, "coarse.safetensors": 19.0},
        "training": dict.fromkeys(("codec", "coarse"), run),
    }


def test_only_what_is_missing_is_measured(evaluation):
    evaluation.parts = {"two": partial(int, "2"), "three": partial(int, "3")}
    evaluation.folder.mkdir(parents=True)
    (evaluation.folder / "two.json").write_text("0")
    counted = []
    evaluation.measure(lambda: counted.append(1))
    assert len(counted) == 1
    found = [json.loads((evaluation.folder / f"{n}.json").read_text()) for n in ("two", "three")]
    assert found == [0, 3]
    assert not evaluation.missing


def test_figures_belong_to_the_weights(evaluation):
    assert evaluation.folder.name == evaluation.bundle.identity
    names = {"prompts 00", "prompts 01", "coarse", "fine", "codec held-out clips"}
    assert names | {"codec example.wav"} <= evaluation.missing.keys()


def test_aims_tell_by_how_much_they_are_met(figures):
    shown = tables.aims(figures)
    for told in (
        "example.wav: 10.00 dB below | met by 10.00",
        "4.50 dB against 5.00 | met by 0.50",
        "4.25 dB | missed by 0.25",
        "1.50 nats | met by 0.30",
        "0.85 | met by 0.05",
        "0.60 above | met by 0.30",
        "11.0 dB against 1.0 | missed by 7.00",
        "19.00 MiB | missed by 3.00",
        "33.00 MiB | missed by 1.00",
        "4.0 s | met by 6.00",
    ):
        assert told in shown


def test_floors_are_told_from_compositions_and_nothing_of_what_was_not_measured(figures):
    shown = tables.prompts(figures)
    assert "| `nothing` | 10.0% | composed | 0.30 ± 0.01 |" in shown
    assert "| `nothing` | 10.0% | random | 0.25 ± 0.01 |" in shown
    assert "| `everything` | 100.0% | – |" in shown
    figures |= {"opus": {}, "speed": None}
    assert "not measured" in tables.opus(figures)
    assert "not measured" in tables.speed(figures)
    assert "Opus" not in tables.aims(figures)


@pytest.mark.parametrize(
    "show",
    [tables.aims, tables.codec, tables.opus, tables.predictions, tables.prompts, tables.faults],
)
def test_tables_have_as_many_cells_in_every_row(show, figures):
    lines = [line for line in show(figures).splitlines() if line.startswith("|")]
    assert len(lines) > 2
    assert len({line.count("|") for line in lines}) == 1


def test_readme_and_card_hold_the_figures(tmp_path, figures):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_figures(readme, figures)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    report.write_figures(readme, figures)
    assert readme.read_text() == text
    report.write_card(Path(report.__file__).with_name("card.md"), tmp_path / "card.md", figures)
    card = (tmp_path / "card.md").read_text()
    for told in ("Weights: 0123.", "90 clips of 20 s (0.5 hours)", tables.prompts(figures)):
        assert told in card
