"""An evaluation goes on where it stopped, and its figures come out as tables."""

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from starter import choose, prompts, report, tables
from starter.__main__ import app
from starter.evaluate import Evaluation
from starter.prompts import BEAT, BY_SHARE, HELD_OUT
from starter.settings import quick
from vampprompt.models.layout import starter_folder


@pytest.fixture
def evaluation(tmp_path):
    return Evaluation(quick(tmp_path), starter_folder(), [Path("example.wav")])


def row(prompt, error=4.0, chroma=0.9, flatness=1.0, beat=0.95, pulse=0.0, *, floor=False):
    names = ("offset", "clipped", "true_peak", "level_change")
    faults = {name: [0.0, 0.1] for name in names}
    return {
        "prompt": prompt,
        "floor": floor,
        "kept": 0.1,
        "repeats": None if floor or prompt is None else [0.5, 0.4, 0.3, 0.2, 0.9],
        "error": [error, 0.1],
        "chroma": [chroma, 0.01],
        "flatness": flatness,
        "clear": 0.8,
        "beat": [beat, 0.01],
        "faults": faults | {"clicks": [pulse, 9.0]},
    }


@pytest.fixture
def figures():
    shares = {share: {"entropy": 5.0, "accuracy": 0.1} for share in ("50%", "100%")}
    opus = [{"error": error, "rate": 6.0} for error in (16.0, 14.5, 14.0, 5.0, 3.4)]
    run = {"parameters": 5e6, "seconds": 60, "schedule": {"steps": 9}, "batch": 2, "frames": 64}
    errors = dict(zip(BY_SHARE, (4.0, 4.5, 5.0, 6.0, 8.0, 12.0), strict=True))
    clips = [row(None, 0.0, pulse=0.5)]
    clips += [row(prompt, errors.get(prompt, 7.0), pulse=2.5) for prompt in HELD_OUT]
    pieces = [row(None), row("everything", chroma=0.94), row("periodic(7)", chroma=0.85)]
    pieces += [row("periodic(7)", chroma=0.9, floor=True)]
    pieces += [row("codebook<1", flatness=2.5), row("codebook<1", chroma=0.1, floor=True)]
    pieces += [row(BEAT, chroma=0.5), row(BEAT, chroma=0.4, floor=True), row("nothing")]
    groups = {tables.HELD_OUT: clips, tables.BY_HAND: pieces, tables.REAL: [row(BEAT, beat=0.7)]}
    codec = {"held-out clips": [6.0, 5.0, 4.0, 3.75, *[3.5] * 5], "example.wav": [3.9] * 9}
    return {
        "identity": "0123",
        "data": {"clips": 90, "held_out": 4, "seconds": 20.0},
        "bitrate": 0.574,
        "chord": [0.1, 0.2, 0.25, 0.26, 1.0],
        "codec": codec,
        "opus": dict.fromkeys(codec, opus),
        "coarse": shares | {"unigram": 6.5},
        "fine": shares | {"unigram": 6.5},
        "tracker": "madmom",
        "prompts": {name: {"clips": 4, "rows": rows} for name, rows in groups.items()},
        "speed": {"seconds": 10.0, "wall": 4.0, "processor": 7.5},
        "files": {"codec.safetensors": 14.0, "coarse.safetensors": 17.0},
        "training": dict.fromkeys(("codec", "coarse"), run),
    }


def verdicts(figures):
    lines = tables.aims(figures).splitlines()[4:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {aim["key"]: tuple(row[-3:]) for aim, row in zip(tables.AIMS, cells, strict=True)}


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
    names = {"clip 00", "clip 01", "coarse", "fine", "chord", "codec held-out clips"}
    assert names | {"codec example.wav", "recording example"} <= evaluation.missing.keys()


def test_aims_tell_whether_they_are_met(figures):
    found = verdicts(figures)
    told = {key: (now, verdict) for key, (now, _, verdict) in found.items()}
    assert told == {
        "repeats": ("50.0, 40.0, 30.0, 20.0", "met"),
        "chord": ("10.0, 20.0, 25.0, 26.0", "missed"),
        "codec held-out clips": ("3.75, 3.50", "missed"),
        "codec example.wav": ("3.90", "met"),
        "everything": ("0.94, 1.00", "missed"),
        "pulse": ("2.00", "met"),
        "periodic(7)": ("0.85, 1.00", "missed"),
        "codebook<1": ("0.90, 2.50", "missed"),
        BEAT: ("0.50, 1.00", "met"),
        "beat": ("0.95, 0.70", "missed"),
        "nothing": ("1.00, 0.80", "met"),
        "order": ("rising", "met"),
        "speed": ("4.00", "met"),
        "files": ("31.0, 17.0", "missed"),
    }
    assert found["everything"][1] == "at least 0.95; 0.7 to 1.5"
    assert found["periodic(7)"][1] == "at least 0.8 and above holding (0.90); 0.6 to 2"


def test_aims_are_judged_one_by_one(figures):
    rows = {row["prompt"]: row for row in figures["prompts"][tables.HELD_OUT]["rows"]}
    rows["codebook<2"]["error"] = rows["codebook<4"]["error"]
    rows["everything"]["faults"]["clicks"] = [3.6, 9.0]
    figures["chord"][3] = 0.25
    figures["codec"]["held-out clips"][-1] = 3.2
    told = {key: row[-1] for key, row in verdicts(figures).items()}
    assert (told["order"], told["pulse"], told["chord"]) == ("missed", "missed", "met")
    assert told["codec held-out clips"] == "met"


def test_nothing_is_told_of_what_was_not_measured(figures):
    figures |= {"opus": {}, "speed": None}
    for name in (tables.BY_HAND, tables.REAL):
        del figures["prompts"][name]
    assert "not measured" in tables.opus(figures)
    assert "not measured" in tables.speed(figures)
    unknown = [key for key, row in verdicts(figures).items() if row[-1] == "not measured"]
    assert unknown == ["everything", "periodic(7)", "codebook<1", BEAT, "beat", "nothing", "speed"]


def test_floors_are_told_from_compositions(figures):
    shown = tables.prompts(figures)
    assert f"| `{BEAT}` | 10.0% | 35% | 4.00 ± 0.10 | 0.50 ± 0.01 | 1.00 | 80% |" in shown
    assert f"| `{BEAT}`, floor | 10.0% |  | 4.00 ± 0.10 | 0.40 ± 0.01 |" in shown
    assert "4 pieces written by hand" in shown


def test_pairs_of_samplers_are_measured_once(tmp_path, monkeypatch):
    def measure(bundle, audio, names, seed, sampler="", fine_sampler=""):
        made = [row(name, chroma=len(sampler) / 10, flatness=2.0) for name in names]
        return [row(None), *made, row(names[0], floor=True)]

    def summary(measured):
        assert len(measured) == 2  # clips
        return measured[0]

    monkeypatch.setattr(choose, "clip_of", lambda settings, clip: clip)
    monkeypatch.setattr(prompts, "measure", measure)
    monkeypatch.setattr(prompts, "summary", summary)
    pairs = ["confidence", "halton"], ["confidence(steps=2)"]
    choice = choose.Choice(quick(tmp_path), starter_folder(), *pairs, clips=3)
    assert len(choice.missing) == 3
    for name, part in choice.missing.items():
        choice.write(name, part())
    again = choose.Choice(quick(tmp_path), starter_folder(), *pairs, clips=3)
    assert not again.missing
    lines = again.table().splitlines()
    assert "35% in the clips" in lines[0]
    assert lines[-2].startswith("| `confidence` | `confidence(steps=2)` | 1.00, 2.00, 35% |")
    assert lines[-1].startswith("| `halton` | `confidence(steps=2)` | 0.60, 2.00, 35% |")
    assert lines[-1].endswith(" 0.80, 2.00, 35% |")
    more = choose.Choice(quick(tmp_path), starter_folder(), pairs[0], ["top-p"], clips=3)
    assert len(more.missing) == 2


@pytest.mark.parametrize("text", ["confidnce", "confidence(steps=0)"])
def test_what_is_no_sampler_is_refused_before_work(text, tmp_path):
    ran = CliRunner().invoke(app, ["--work", str(tmp_path), "--quick", "choose", text])
    assert ran.exit_code == 2
    assert "choose" in ran.output
    assert not list(tmp_path.iterdir())


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
    readme.write_text(f"before\n{report.BEGIN}\nlast time\n{report.END}\nafter\n")
    report.write_figures(readme, figures)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "last time" not in text
    report.write_figures(readme, figures)
    assert readme.read_text() == text
    report.write_card(Path(report.__file__).with_name("card.md"), tmp_path / "card.md", figures)
    card = (tmp_path / "card.md").read_text()
    for told in ("Weights: 0123.", "90 clips of 20 s (0.5 hours)", tables.prompts(figures)):
        assert told in card
