"""`vampprompt batch`: what is made, what is skipped, what fails, and what is told of it."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from vampprompt_cli import batch as worker
from vampprompt_cli.options import Plan
from vampprompt_cli.places import jobs

import vampprompt as vp

RATE = 44100


@pytest.fixture
def loops(folder):
    """Three short recordings, one of them in a folder of its own, and something else."""
    (folder / "loops" / "more").mkdir(parents=True)
    for seed, name in enumerate(("a", "b", "more/c")):
        samples = np.random.default_rng(seed).normal(0, 0.1, RATE // 4)
        soundfile.write(f"loops/{name}.wav", samples, RATE)
    (folder / "loops" / "about.txt").write_text("three loops")
    return folder


@pytest.fixture
def batch(vampprompt):
    """Run a quick batch; return exit code, {recording: rest of its line}, and stderr."""

    def call(*arguments, mask=("-m", "periodic(7)"), output="out"):
        settings = [*mask, "--steps", "1", "--beats", "librosa", "-o", output]
        code, out, err = vampprompt("batch", *arguments, *settings)
        lines = [line.split("\t") for line in out.splitlines()]
        return code, {cells[0]: cells[1:] for cells in lines[1:-1]}, err

    return call


def results(rows):
    return {name: cells[0] for name, cells in rows.items()}


def test_a_folder_is_made_once(loops, batch):
    code, rows, err = batch("loops")
    assert code == 0, err
    names = ["loops/a.wav", "loops/b.wav", "loops/more/c.wav"]
    assert results(rows) == dict.fromkeys(names, "made")
    assert rows["loops/more/c.wav"][-1] == "out/more/c.wav"
    assert rows["loops/a.wav"][1].endswith("%")
    written = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.*")}
    assert sorted(map(str, written)) == sorted(
        f"out/{name}{ending}" for name in ("a", "b", "more/c") for ending in (".wav", ".json")
    )
    code, rows, err = batch("loops")
    assert code == 0, err
    assert results(rows) == dict.fromkeys(names, "unchanged")
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.*")} == written


def test_a_song_is_that_of_compose(loops, batch, vampprompt):
    assert batch("loops/a.wav", "--seed", "4")[0] == 0
    settings = ["-m", "periodic(7)", "--steps", "1", "--seed", "4", "--beats", "librosa"]
    assert vampprompt("compose", "loops/a.wav", *settings, "-o", "one.wav")[0] == 0
    assert Path("out/a.wav").read_bytes() == Path("one.wav").read_bytes()


def test_what_changed_is_made_again(loops, batch):
    assert batch("loops/*.wav")[0] == 0
    assert not Path("out/c.wav").exists(), "a pattern stays in its folder"
    samples = np.random.default_rng(9).normal(0, 0.1, RATE // 4)
    soundfile.write("loops/a.wav", samples, RATE)
    assert results(batch("loops/*.wav")[1]) == {"loops/a.wav": "made", "loops/b.wav": "unchanged"}
    Path("out/b.wav").unlink()
    assert results(batch("loops/*.wav")[1]) == {"loops/a.wav": "unchanged", "loops/b.wav": "made"}
    Path("out/b.json").write_text("{}")
    assert results(batch("loops/*.wav")[1]) == {"loops/a.wav": "unchanged", "loops/b.wav": "failed"}
    rows = batch("loops/*.wav", "--force")[1]
    assert results(rows) == {"loops/a.wav": "unchanged", "loops/b.wav": "made"}
    made = {"loops/a.wav": "made", "loops/b.wav": "made"}
    assert results(batch("loops/*.wav", "--seed", "1")[1]) == made
    assert results(batch("loops/*.wav", "--seed", "1", "--again")[1]) == made


def test_a_file_that_the_mask_reads_counts_as_a_setting(loops, batch):
    labels = Path("verse.txt")
    labels.write_text("0.0\t0.1\tverse\n")
    mask = ("-m", 'labels("verse.txt") & codebook<2')
    assert results(batch("loops/a.wav", mask=mask)[1]) == {"loops/a.wav": "made"}
    os.utime(labels, (0, 0))
    assert results(batch("loops/a.wav", mask=mask)[1]) == {"loops/a.wav": "unchanged"}
    labels.write_text("0.1\t0.2\tverse\n")
    os.utime(labels, (0, 0))
    assert results(batch("loops/a.wav", mask=mask)[1]) == {"loops/a.wav": "made"}


def test_a_bad_recording_does_not_stop_the_others(loops, batch):
    Path("loops/about.wav").write_text("no sound at all")
    code, rows, err = batch("loops", "--csv", "table.csv", "--variations", "2")
    assert code == 2
    assert "Traceback" not in err
    assert results(rows) == {
        "loops/a.wav": "made",
        "loops/about.wav": "failed",
        "loops/b.wav": "made",
        "loops/more/c.wav": "made",
    }
    assert "is not audio that can be read" in rows["loops/about.wav"][-1]
    with Path("table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["song"] for row in table] == [
        "out/a-1.wav", "out/a-2.wav", "", "out/b-1.wav", "out/b-2.wav",
        "out/more/c-1.wav", "out/more/c-2.wav",
    ]  # fmt: skip
    assert table[0]["kept"] == "0.200000"
    assert "is not audio" in table[2]["error"]
    assert not list(Path("out").glob("about*"))


def test_our_own_faults_stop_nothing_either(loops, batch, monkeypatch, caplog):
    compose = vp.compose

    def broken(source, *arguments, **settings):
        if source.path.name == "a.wav":
            raise ZeroDivisionError("a bug")
        return compose(source, *arguments, **settings)

    monkeypatch.setattr("vampprompt.compose", broken)
    code, rows, _ = batch("loops/*.wav")
    assert code == 1
    assert results(rows) == {"loops/a.wav": "failed", "loops/b.wav": "made"}
    assert "please report it" in rows["loops/a.wav"][-1]
    assert "ZeroDivisionError" in caplog.text, "which goes to stderr otherwise"


def test_workers_make_the_same(loops, batch):
    Path("loops/about.wav").write_text("no sound at all")
    assert batch("loops")[0] == 2
    code, rows, err = batch("loops", "--workers", "2", output="other")
    assert code == 2, err
    assert list(results(rows).values()) == ["made", "failed", "made", "made"]
    for name in ("a.wav", "b.wav", "more/c.wav"):
        assert Path("out", name).read_bytes() == Path("other", name).read_bytes()


def test_a_recipe_for_all(loops, batch, vampprompt):
    settings = ["-m", "periodic(5)", "--seed", "3", "--steps", "1", "--sampler", "halton"]
    assert vampprompt("compose", "in.wav", *settings, "-o", "good.wav")[0] == 0
    code, _, err = vampprompt("batch", "loops/a.wav", "--recipe", "good.json", "-o", "out")
    assert code == 0, err
    made, good = (json.loads(Path(name).read_text()) for name in ("out/a.json", "good.json"))
    assert made.pop("source")["path"] == "../loops/a.wav"
    assert good.pop("source")["path"] == "in.wav"
    assert made == good


@pytest.mark.parametrize(
    "settings",
    [
        {"mask": "nothing"},
        {"mask": "periodic(7)", "sampler": "typical(mass=0.3, steps=2)", "variations": 2},
        {"mask": "..0.1s", "passes": 2, "stretch": 2, "pitch": 1.0, "beats": "librosa"},
        {"mask": "everything", "keep_audio": True},
    ],
    ids=str,
)
def test_a_recipe_is_foretold(loops, settings):
    plan = Plan.of(settings, steps=1)
    bundle = plan.load()
    source = Path("loops/a.wav")
    made = plan.compose(bundle, vp.read(source)).recipe
    assert vp.Recipe.of(plan.settings, bundle, vp.Source.of(source)) == made


BAD = [
    (["none.wav"], "there is no recording 'none.wav'"),
    (["loops/*.flac"], "there is no recording 'loops/*.flac'"),
    (["**a"], "'**a' is no place or pattern"),
    (["loops", "--workers", "0"], "workers"),
    (["loops", "-m", "beet"], "did you mean 'beat'?"),
    (["loops", "-o", "loops"], "would be taken for recordings"),
    (["loops/a.wav", "-o", "loops"], "never overwritten"),
    (["loops/a.wav", "twins/a.wav"], "would be made of both"),
    (["loops", "-o", "loops/about.txt"], "cannot make the folder"),
    (["loops", "--csv", "no/such.csv"], "folder"),
]


@pytest.mark.parametrize(("arguments", "complaint"), BAD, ids=lambda value: " ".join(value))
def test_what_is_wrong_comes_out_before_the_work(loops, vampprompt, arguments, complaint):
    Path("twins").mkdir()
    soundfile.write("twins/a.wav", np.zeros(100), RATE)
    given = ["-m", "beat", "-o", "out", *arguments]
    code, out, err = vampprompt("batch", *given)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert not list(Path().rglob("*.json"))


def test_what_is_taken_for_a_recording(loops):
    def sources(*given):
        return [str(job.source) for job in jobs(given, Path("loops/more"), [0])]

    assert sources("loops") == ["loops/a.wav", "loops/b.wav"], "the output is no input"
    assert sources("loops/b.wav", "loops/?.wav") == ["loops/b.wav", "loops/a.wav"]
    assert sources("**/*.wav") == ["in.wav", "loops/a.wav", "loops/b.wav"]
    assert sources(str(loops / "in.wav")) == [str(loops / "in.wav")]
    Path("[a].wav").touch()
    assert sources("[a].wav") == ["[a].wav"], "a name may look like a pattern"


def test_an_interrupt_keeps_what_is_done(loops, batch, vampprompt, monkeypatch):
    compose = vp.compose

    def interrupted(source, *arguments, **settings):
        if source.path.name == "b.wav":
            raise KeyboardInterrupt
        return compose(source, *arguments, **settings)

    with monkeypatch.context() as patched:
        patched.setattr("vampprompt.compose", interrupted)
        code, rows, err = batch("loops")
    assert (code, rows) == (130, {})
    assert "interrupted" in err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.json", "a.wav"]
    assert list(results(batch("loops")[1]).values()) == ["unchanged", "made", "made"]


def test_an_interrupted_worker_takes_no_more_work(monkeypatch):
    monkeypatch.setattr(worker, "_attempt_here", None, raising=False)
    with pytest.raises(SystemExit):
        worker._leave()
    with pytest.raises(SystemExit):
        worker._work(None)
