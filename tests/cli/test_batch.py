"""`vampprompt batch`: what is made, what is skipped, what fails, and what is told of it."""

import csv
import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from vampprompt_cli import batch as worker

import vampprompt as vp

RATE = 44100


@pytest.fixture
def loops(folder):
    """Three short recordings, one of them in a folder of its own, and something else."""
    (folder / "loops" / "more").mkdir(parents=True)
    for seed, name in enumerate(("a", "b", "more/c")):
        record(f"loops/{name}.wav", seed)
    (folder / "loops" / "about.txt").write_text("three loops")
    return folder


def record(path, seed):
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, RATE // 4), RATE)


QUICK = ("--steps", "1", "--beats", "librosa")


@pytest.fixture
def batch(vampprompt):
    """Run a quick batch; return exit code, {recording: rest of its line}, and stderr."""

    def call(*arguments, mask="periodic(7)", output="out"):
        code, out, err = vampprompt("batch", "-m", mask, *QUICK, "-o", output, *arguments)
        lines = [line.split("\t") for line in out.splitlines()]
        return code, {cells[0]: cells[1:] for cells in lines[1:-1]}, err

    return call


@pytest.fixture
def results(batch):
    """Run a quick batch; return what became of each recording."""
    return lambda *arguments, **settings: results_of(batch(*arguments, **settings)[1])


def results_of(rows):
    return {name.removeprefix("loops/"): cells[0] for name, cells in rows.items()}


def test_a_folder_is_made_once(loops, batch):
    def written():
        return {str(path): path.stat().st_mtime_ns for path in Path("out").rglob("*.*")}

    code, rows, err = batch("loops")
    assert code == 0, err
    assert results_of(rows) == {"a.wav": "made", "b.wav": "made", "more/c.wav": "made"}
    assert rows["loops/more/c.wav"][-1] == "out/more/c.wav"
    assert rows["loops/a.wav"][1].endswith("%")
    before = written()
    assert before.keys() == {
        f"out/{name}{ending}" for name in ("a", "b", "more/c") for ending in (".wav", ".json")
    }
    code, rows, err = batch("loops")
    assert code == 0, err
    assert {*results_of(rows).values()} == {"unchanged"}
    assert written() == before


@pytest.mark.parametrize(
    "settings",
    [
        "-m nothing",
        "--sampler typical(mass=0.3) --steps 2 --variations 2 --seed 5",
        "-m ..0.1s --passes 2 --stretch 2 --pitch 1.0",
        "-m everything --keep-audio",
    ],
)
def test_a_recipe_is_foretold(loops, results, settings):
    assert results("loops/a.wav", *settings.split()) == {"a.wav": "made"}
    assert results("loops/a.wav", *settings.split()) == {"a.wav": "unchanged"}


def test_a_song_is_that_of_compose(loops, batch, told):
    assert batch("loops/a.wav", "--seed", "4")[0] == 0
    told("compose", "loops/a.wav", "-m", "periodic(7)", *QUICK, "--seed", "4", "-o", "one.wav")
    assert Path("out/a.wav").read_bytes() == Path("one.wav").read_bytes()


def test_what_changed_is_made_again(loops, results):
    both = {"a.wav": "made", "b.wav": "made"}
    assert results("loops/*.wav") == both, "a pattern stays in its folder"
    record("loops/a.wav", 9)
    assert results("loops/*.wav") == both | {"b.wav": "unchanged"}
    Path("out/b.wav").unlink()
    assert results("loops/*.wav") == both | {"a.wav": "unchanged"}
    Path("out/b.json").write_text("half writ")
    assert results("loops/*.wav") == {"a.wav": "unchanged", "b.wav": "failed"}, "not ours"
    Path("out/b.json").unlink()
    Path("out/b.wav").unlink()
    assert results("loops/*.wav", "--seed", "1") == both
    assert results("loops/*.wav", "--seed", "1", "--again") == both


def test_what_is_in_a_file_that_the_mask_reads_counts_as_a_setting(loops, results):
    labels = Path("verse.txt")
    mask = 'labels("verse.txt") & codebook<2'
    for stop, result in (("0.1", "made"), ("0.1", "unchanged"), ("0.2", "made")):
        labels.write_text(f"0.0\t{stop}\tverse\n")
        assert results("loops/a.wav", mask=mask) == {"a.wav": result}


def test_a_bad_recording_does_not_stop_the_others(loops, batch):
    Path("loops/about.wav").write_text("no sound at all")
    code, rows, err = batch("loops", "--csv", "table.csv", "--variations", "2")
    assert code == 2
    assert "Traceback" not in err
    made = dict.fromkeys(("a.wav", "b.wav", "more/c.wav"), "made")
    assert results_of(rows) == made | {"about.wav": "failed"}
    assert "is not audio that can be read" in rows["loops/about.wav"][-1]
    with Path("table.csv").open() as file:
        table = list(csv.DictReader(file))
    songs = [row["song"].removeprefix("out/") for row in table]
    assert songs == ["a-1.wav", "a-2.wav", "", "b-1.wav", "b-2.wav", "more/c-1.wav", "more/c-2.wav"]
    assert table[0]["kept"] == "0.200000"
    assert "is not audio" in table[2]["error"]
    assert not list(Path("out").glob("about*"))


@contextmanager
def failing(name, error):
    """Let composing from one recording fail with an error."""
    compose = vp.compose

    def broken(source, *arguments, **settings):
        if source.path.name == name:
            raise error
        return compose(source, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vampprompt.compose", broken)
        yield


def test_our_own_faults_stop_nothing_either(loops, batch, caplog):
    with failing("a.wav", ZeroDivisionError("a bug")):
        code, rows, _ = batch("loops/*.wav")
    assert code == 1
    assert results_of(rows) == {"a.wav": "failed", "b.wav": "made"}
    assert "please report it" in rows["loops/a.wav"][-1]
    assert "ZeroDivisionError" in caplog.text, "which goes to stderr otherwise"


def test_an_interrupt_keeps_what_is_done(loops, batch, results):
    with failing("b.wav", KeyboardInterrupt):
        code, rows, err = batch("loops")
    assert (code, rows) == (130, {})
    assert "interrupted" in err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.json", "a.wav"]
    assert list(results("loops").values()) == ["unchanged", "made", "made"]


def test_workers_make_the_same(loops, batch):
    Path("loops/about.wav").write_text("no sound at all")
    assert batch("loops")[0] == 2
    code, rows, err = batch("loops", "--workers", "2", output="other")
    assert code == 2, err
    assert list(results_of(rows).values()) == ["made", "failed", "made", "made"]
    for name in ("a.wav", "b.wav", "more/c.wav"):
        assert Path("out", name).read_bytes() == Path("other", name).read_bytes()


def test_a_recipe_for_all(loops, told):
    settings = ["-m", "periodic(5)", "--seed", "3", "--steps", "1", "--sampler", "halton"]
    told("compose", "in.wav", *settings, "-o", "good.wav")
    told("batch", "loops/a.wav", "--recipe", "good.json", "-o", "out")
    made, good = (json.loads(Path(name).read_text()) for name in ("out/a.json", "good.json"))
    assert made.pop("source")["path"] == "../loops/a.wav"
    assert good.pop("source")["path"] == "in.wav"
    assert (made.pop("song"), good.pop("song")) == ("a.wav", "good.wav")
    assert made.pop("song_sha256") != good.pop("song_sha256")
    assert made == good


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
def test_what_is_wrong_comes_out_before_the_work(loops, refused, arguments, complaint):
    Path("twins").mkdir()
    soundfile.write("twins/a.wav", np.zeros(100), RATE)
    assert complaint in refused("batch", "-m", "beat", "-o", "out", *arguments)
    assert not list(Path().rglob("*.json"))


def test_what_is_taken_for_a_recording(loops, results):
    def sources(*given):
        return [*results(*given, output="loops/more")]

    assert sources("loops") == ["a.wav", "b.wav"], "the output is no input"
    assert sources("loops/b.wav", "loops/?.wav") == ["b.wav", "a.wav"]
    assert sources("**/*.wav") == ["in.wav", "a.wav", "b.wav"]
    assert sources(str(loops / "in.wav")) == [str(loops / "in.wav")]
    Path("[a].wav").touch()
    assert sources("[a].wav") == ["[a].wav"], "a name may look like a pattern"


def test_an_interrupted_worker_takes_no_more_work(monkeypatch):
    monkeypatch.setattr(worker, "_attempt_here", None, raising=False)
    with pytest.raises(SystemExit):
        worker._leave()
    with pytest.raises(SystemExit):
        worker._work(None)
