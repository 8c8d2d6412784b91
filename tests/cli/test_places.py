"""Where the command line reads and writes: nothing is lost, and nothing steers a terminal."""

import errno
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from rich.console import Console
from rich.markdown import Markdown
from vampprompt_cli import output, places
from vampprompt_cli.grid import draw
from vampprompt_cli.options import Plan
from vampprompt_cli.places import check_owner, check_places, jobs

import vampprompt as vp
from vampprompt.units import Beats, Grid

RATE = 44100
COMMAND = Path(sys.executable).with_name("vampprompt")
EVIL = "\x1b]0;x\x07\x1b[2J\u009b2J\u202eevil\udce9"
RAW = ("\x1b]", "\x1b[2J", "\u009b", "\u202e", "\udce9")
QUICK = ("-m", "periodic(7)", "--steps", "1")


def is_clean(text):
    return all(sign.isprintable() or sign in "\n\t" for sign in text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("mask", f"gone{EVIL}.wav", "-m", "beat"),
        ("mask", "in.wav", "-m", f"beat & {EVIL}"),
        ("mask", "in.wav", "-m", "beat", f"--x{EVIL}"),
        ("mask", "in.wav", "-m", "beat", "--seed", f"x{EVIL}"),
        (f"x{EVIL}",),
        ("compose", "in.wav", "-m", "beat", "--beats", f"x{EVIL}"),
        ("compose", "in.wav", "-m", "beat", "-o", f"{EVIL * 20000}.wav"),
        ("batch", f"x{EVIL}*.wav", "-m", "beat", "-o", "out"),
        ("batch", "x" * 5000, "-m", "beat", "-o", "out"),
        ("batch", "in.wav", "-m", "beat", "-o", "out", "--workers", "9" * 30),
        ("compose", "in.wav", "-m", "beat", "--batch", "0"),
    ],
    ids=lambda one: ascii(" ".join(one))[:60],
)
def test_a_refusal_is_one_short_message_without_anything_raw(folder, vampprompt, arguments):
    code, out, err = vampprompt(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert is_clean(err)
    assert len(err) <= 2000
    assert len(err.splitlines()) <= 6


@pytest.mark.parametrize("what", [EVIL, Markdown(f"# {EVIL}\n[x](http://a/{EVIL}) &#27;[2J")])
def test_whatever_is_printed_is_escaped(monkeypatch, what):
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    for console in (output.results(), output.complaints()):
        console.file = io.StringIO()
        console.print(what)
        assert "evil" in console.file.getvalue()
        raw = [one for one in RAW if one in console.file.getvalue()]
        assert not raw


def test_notes_logs_and_rows_are_escaped_too(capfd):
    with output.volume(quiet=False, verbose=True):
        output.notice(EVIL * 1000)
        logging.getLogger("vampprompt").info(EVIL)
        logging.getLogger("of.another").warning(EVIL)
        logging.getLogger("of.another").info("not said")
    output.tabbed("a\tb", EVIL)
    out, err = capfd.readouterr()
    assert is_clean(out + err)
    assert out.startswith("a b\t\\x1b]0;x")
    assert len(err.splitlines()) == 3
    assert max(map(len, err.splitlines())) < 1400


class Broken(io.StringIO):
    """A stream that takes nothing."""

    number = errno.ENOSPC

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))

    def fileno(self):
        return self.other


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 2), (errno.EPIPE, 0)])
def test_a_lost_stream_loses_no_song(folder, vampprompt, monkeypatch, tmp_path, number, code):
    broken = Broken()
    broken.number, broken.other = number, os.open(tmp_path / "other", os.O_CREAT | os.O_WRONLY)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", broken)
        ended, _, err = vampprompt("compose", "in.wav", *QUICK, "-o", "out.wav")
    assert ended == code
    assert ("cannot write to standard output: No space" in err) == bool(code)
    assert soundfile.info("out.wav").frames == 2 * RATE


def test_closed_streams_and_code_pages_are_no_fault(folder):
    name = "音 ♥.wav"
    Path("in.wav").rename(name)
    shell = f'"{COMMAND}" mask "{name}" -m everything --beats librosa'
    for way in ("<&- >&- 2>&-", "2>/dev/full"):
        subprocess.run(["bash", "-c", f"{shell} {way}"], check=True)
    env = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [COMMAND, "compose", name, *QUICK, "-o", "out.wav", "--report", f"{name}.html"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\\u97f3" in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "vampprompt", "mask", "none.wav", "-m", "beat"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith("error: there is no file")) == (2, True)


@pytest.fixture
def loops(folder):
    (folder / "loops").mkdir()
    return folder / "loops"


def named(*given, variations=(0,), folder="out"):
    return {str(job.source): str(job.output) for job in jobs(given, Path(folder), variations)}


def test_songs_of_one_stem_keep_apart(loops, capfd):
    for name in ("a.wav", "a.FLAC", "a.flac.mp3", "b.wav", "B.flac"):
        (loops / name).touch()
    assert named("loops") == {
        "loops/B.flac": "out/B.flac.wav",
        "loops/a.FLAC": "out/a.FLAC.wav",
        "loops/a.flac.mp3": "out/a.flac.mp3.wav",
        "loops/a.wav": "out/a.wav.wav",
        "loops/b.wav": "out/b.wav.wav",
    }
    assert "share a name" in capfd.readouterr().err
    written = [("-o", Path(song)) for song in ("out/b.wav.wav", "out/B.wav.wav")]
    check_places(written, [])
    (loops / "x.wav").touch()
    (loops / "x-1.wav").touch()
    for variations in ((0,), (0, 1)):
        assert named("loops/x*.wav", variations=variations) == {
            "loops/x.wav": "out/x.wav",
            "loops/x-1.wav": "out/x-1.wav",
        }


def test_a_long_name_leaves_room_for_what_is_added(loops):
    (loops / f"{'é' * 125}.wav").touch()
    (song,) = named("loops").values()
    assert len(os.fsencode(Path(song).name)) < 250


def test_what_is_left_out_is_told(loops, capfd):
    (loops / ".git").mkdir()
    os.mkfifo(loops / "pipe.wav")
    Path(loops / "broken.wav").symlink_to("gone.wav")
    Path(loops / "round.wav").symlink_to("round.wav")
    for name in ("one.WAV", "._one.wav", ".hid.wav", "cover.jpg", ".git/x.wav"):
        (loops / name).touch()
    assert list(named("loops")) == ["loops/one.WAV"]
    told = capfd.readouterr().err
    for name in ("._one.wav", ".hid.wav", "cover.jpg", ".git", "pipe.wav", "broken.wav"):
        assert f"loops/{name}" in told
    for number in range(100):
        (loops / f"{number}.jpg").touch()
    named("loops")
    assert "and 81 more" in capfd.readouterr().err


def test_links_are_followed_once(loops):
    (loops / "in").mkdir()
    (loops / "in" / "a.wav").touch()
    Path(loops / "linked").symlink_to("in")
    Path(loops / "in" / "up").symlink_to("..")
    Path(loops.parent / "entry").symlink_to(loops / "in")
    assert list(named("loops")) == ["loops/in/a.wav"]
    assert list(named("entry")) == ["entry/a.wav"]


def test_brackets_in_the_name_of_a_folder(folder):
    (folder / "[2024] takes").mkdir()
    (folder / "[2024] takes" / "a[1].wav").touch()
    for given in ("[2024] takes/*.wav", "[2024] takes", "[2024] takes/a[1].wav"):
        assert named(given) == {"[2024] takes/a[1].wav": "out/a[1].wav"}


def test_songs_are_no_recordings(loops):
    (loops / "out").mkdir()
    (loops / "out" / "a.wav").touch()
    (loops / "a.wav").touch()
    assert list(named("loops", folder="loops/out")) == ["loops/a.wav"]
    for given in ("loops", "loops/*.wav", "./loops/../loops"):
        with pytest.raises(vp.VampPromptError, match="taken for recordings"):
            jobs([given], loops, (0,))


def test_by_no_name_is_overwritten_what_is_read(folder):
    os.link("in.wav", "hard.wav")
    Path("soft.wav").symlink_to("in.wav")
    for name in ("in.wav", "./in.wav", "hard.wav", "soft.wav", str(folder / "in.wav")):
        with pytest.raises(vp.VampPromptError, match="never overwritten"):
            check_places([("-o", Path(name))], [Path("in.wav")])
    with pytest.raises(vp.VampPromptError, match="both -o and --report"):
        check_places([("-o", Path("x")), ("--report", Path("X"))], [])
    check_places([("-o", Path("new.wav"))], [Path("in.wav"), Path("none"), Path("x" * 5000)])


@pytest.mark.parametrize(
    "arguments",
    [
        ("compose", "in.wav", "-m", 'labels("cue.json")', "-o", "cue.wav"),
        ("compose", "in.wav", "-m", 'audio("guide.wav")', "-o", "guide.wav"),
        ("compose", "in.wav", "-m", "beat", "-o", "out.wav", "--report", "in.wav"),
        ("compose", "in.wav", "-m", "beat", "--masks", "cue.json", "-o", "cue.wav", "--force"),
        ("mask", "in.wav", "-m", "beat", "--npy", "in.wav"),
        ("mask", "in.wav", "-m", 'image("cue.json")', "--plot", "cue.json"),
        ("mask", "in.wav", "-m", "beat", "--npy", "x", "--plot", "x"),
        ("batch", "in.wav", "-m", "beat", "-o", "out", "--csv", "in.wav"),
        ("batch", "in.wav", "-m", "beat", "-o", "."),
        ("compose", "in.wav", "-m", "beat", "-o", "-", "--variations", "2"),
        ("compose", "-", "-m", "beat"),
    ],
    ids=" ".join,
)
def test_what_would_be_lost_is_refused(folder, vampprompt, arguments, monkeypatch):
    monkeypatch.setattr(places, "read_recording", lambda path: vp.read("in.wav"))
    monkeypatch.setattr("vampprompt_cli.compose.read_recording", lambda path: vp.read("in.wav"))
    Path("cue.json").write_text("")
    soundfile.write("guide.wav", np.zeros(100), RATE)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    code, _, _ = vampprompt(*arguments)
    assert code == 2
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_song_of_another_recording_stays(folder, vampprompt):
    soundfile.write("in.flac", np.zeros(RATE), RATE)
    assert vampprompt("compose", "in.wav", *QUICK)[0] == 0
    made = Path("in-vamp.wav").read_bytes()
    code, _, err = vampprompt("compose", "in.flac", *QUICK)
    assert (code, "is there already, of 'in.wav'" in err) == (2, True)
    assert Path("in-vamp.wav").read_bytes() == made
    Path("in.wav").rename("moved.wav")
    check_owner(Path("in-vamp.wav"), (0,), Path("moved.wav"), vp.read("moved.wav"))
    Path("moved.wav").rename("in.wav")
    named = ("compose", "in.flac", *QUICK, "-o")
    assert vampprompt(*named, ".")[0] == 2
    assert vampprompt(*named, "in-vamp.wav")[0] == 0, "as the user said"
    assert vampprompt("compose", "in.wav", *QUICK, "--force")[0] == 0
    assert vampprompt("compose", "in.wav", *QUICK)[0] == 0
    Path("in-vamp.json").unlink()
    assert vampprompt("compose", "in.wav", *QUICK)[0] == 2, "whose is it?"


@pytest.mark.parametrize("damage", [b"", b"RIFF", None])
def test_a_damaged_song_is_not_done(folder, vampprompt, damage):
    given = ("batch", "in.wav", *QUICK, "-o", "out")
    assert vampprompt(*given)[0] == 0
    song = Path("out/in.wav")
    made = song.read_bytes()
    song.write_bytes(made[:1000] if damage is None else damage)
    code, out, _ = vampprompt(*given)
    assert (code, song.read_bytes()) == (0, made)
    assert "1 made" in out
    assert "1 unchanged" in vampprompt(*given)[1]


def test_failures_are_summed_up(folder, vampprompt):
    Path("bad.wav").write_text("no sound")
    code, out, err = vampprompt("batch", "in.wav", "bad.wav", *QUICK, "-o", "out")
    assert code == 2
    assert out.splitlines()[-1] == "1 made, 0 unchanged, 1 failed"
    assert "error: 1 of 2 failed: bad.wav ('bad.wav' is not audio" in err


@pytest.mark.parametrize("place", ["songs", "songs/", "new/", "."])
def test_a_folder_is_a_place(folder, vampprompt, place):
    (folder / "songs").mkdir()
    assert vampprompt("compose", "in.wav", *QUICK, "-o", place)[0] == 0
    assert (Path(place) / "in-vamp.wav").is_file()
    (folder / "songs.wav").mkdir()
    code, _, err = vampprompt("compose", "in.wav", *QUICK, "-o", "songs.wav")
    assert (code, "is a folder" in err) == (2, True)


def test_none_takes_off_what_a_recipe_has(monkeypatch):
    asked = []

    def load(**given):
        asked.append({name: given.get(name) for name in ("name", "finetune", "lora")})
        raise vp.VampPromptError("that is all")

    monkeypatch.setattr(vp, "load", load)
    model = {"name": "m", "identity": "i", "finetune": "choir", "lora": "l.pth"}
    recipe = vp.Recipe(vp.Settings(mask="beat"), model)
    for said in ({"finetune": "none"}, {"lora": Path("none")}, {"model": "other"}):
        with pytest.raises(vp.VampPromptError):
            Plan(recipe=recipe, **said).load()
    assert asked == [
        {"name": "m", "finetune": None, "lora": "l.pth"},
        {"name": "m", "finetune": "choir", "lora": None},
        {"name": "other", "finetune": None, "lora": None},
    ]


GRID = Grid(3, 400, sample_rate=1000, hop_length=50)


def drawn(keep, downbeats=(), **how):
    file = io.StringIO()
    console = Console(file=file, width=25)
    draw(console, keep, GRID, Beats(np.array(downbeats), np.array(downbeats)), np.array([]), **how)
    return file.getvalue().splitlines()


def test_what_is_long_is_folded_at_bars():
    keep = np.zeros((3, 400), bool)
    keep[1] = True
    lines = drawn(keep, downbeats=np.arange(0, 20, 1.5))
    assert [line[:7].strip() for line in lines[:6]] == ["time", "beats", "onsets", "0,2", "1", ""]
    begins = [line for line in lines if line.startswith(" beats")]
    assert len(begins) == 7
    assert all(line[7] == "1" for line in begins), "each line begins with a bar"
    assert all(line.endswith("100.0%") for line in lines if line.startswith("     1"))
    assert len([line for line in drawn(keep) if line.startswith(" beats")]) == 5, "no bars heard"


def test_a_span_is_shown_alone():
    keep = np.zeros((3, 400), bool)
    keep[0, 200:210] = True
    lines = drawn(keep, span=(190, 210))
    assert len(lines) == 6
    assert lines[0].split() == ["time", "10s"]
    assert lines[3].split() == ["0", "·····█████", "50.0%"]


def test_what_is_written_is_what_masks_read(folder, vampprompt):
    given = ("mask", "in.wav", "--beats", "librosa", "-m")
    code, out, err = vampprompt(*given, "codebook<3 & ~(0.5s..1s)", "--image", "m.png", "-q")
    assert code == 0, err
    with Image.open("m.png") as image:
        assert image.size == (115, 9)
    assert vampprompt(*given, 'image("m.png")', "-q")[1] == out
    code, out, _ = vampprompt(*given, "codebook<3", "--span", "0.5s..1s")
    assert (code, out.splitlines()[0].split()[1]) == (0, "0.6s")
    for wrong in (("--image", "m.jpg"), ("--span", "9s..10s"), ("--span", "nonsense")):
        assert vampprompt(*given, "codebook<3", *wrong)[0] == 2


def test_pages_and_pictures_of_an_odd_name(folder, vampprompt):
    name = f"$x^$ <b> 音 \x1b\u202e {'n' * 100}.wav"
    Path("in.wav").rename(name)
    code, _, _ = vampprompt("compose", name, *QUICK, "-o", "out.wav", "--report", "out.html")
    page = Path("out.html").read_text(encoding="utf-8")
    assert (code, is_clean(page)) == (0, True)
    assert "$x^$ &lt;b&gt; 音 \\x1b\\u202e" in page
    code, _, err = vampprompt("mask", name, "-m", "codebook<3", "--plot", "m.png", "-q")
    assert (code, err) == (0, "")
