"""The site: it builds without a warning, has every public name, and can be heard."""

import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from docs import players, sounds
from docs.examples import DOCS, RECIPES, ROOT
from docs.names import first_of_all, public, rooms
from docs.sounds import FEW, PARTS, Sound
from docs.tables import IN_WORDS, TABLES, grammar
from tests.chromium import COMMAND, Chromium
from vampprompt import Audio, analysis
from vampprompt.masks import PRESETS, masks, parse
from vampprompt.samplers import parts, samplers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for needed in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(needed)
    folder = tmp_path_factory.mktemp("site")
    few = ["-D", "sounds=few", "-D", "sounds_steps=1", "-D", f"sounds_cache={folder / 'cache'}"]
    build = ["-W", "--keep-going", "-q", "-b", "html", "-d", folder / "trees", *few]
    ran = subprocess.run(
        [sys.executable, "-m", "sphinx", *build, DOCS, folder / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"composed {len(FEW)} of {len(FEW)} sounds" in ran.stdout
    return folder / "site"


def test_the_site_has_every_page(site):
    for page in DOCS.rglob("*.md"):
        if "notebooks" not in page.parts:
            assert site.joinpath(page.relative_to(DOCS)).with_suffix(".html").is_file()


# The reference


def inventory(site):
    """Where each name of Python is described, by its full name."""
    *_, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    rows = [line.split() for line in zlib.decompress(packed).decode().splitlines()]
    return {row[0]: row[3].replace("$", row[0]) for row in rows if row[1].startswith("py:")}


@pytest.mark.parametrize("room", rooms())
def test_a_room_has_a_page_with_all_its_names(site, room):
    short = room.rpartition(".")[2]
    source = DOCS / "api" / f"{short}.rst"
    assert source.is_file(), f"write docs/api/{short}.rst with '.. room:: {room}', as others are"
    assert f".. room:: {room}\n" in source.read_text()
    places = inventory(site)
    html = (site / "api" / f"{short}.html").read_text()
    names = [name for name in public(room) if name.full not in rooms()]
    assert names
    for name in names:
        assert places.get(name.full, "").startswith(f"api/{short}.html#"), name.full
        assert f'id="{name.full}"' in html or f'id="module-{name.full}"' in html


def test_what_two_rooms_have_is_described_once():
    first = first_of_all()
    assert first["vampprompt.audio.Audio"] == first["vampprompt.Audio"]
    assert first["vampprompt.Audio"].full == "vampprompt.Audio"
    assert first["vampprompt.masks.audio"] != first["vampprompt.Audio"]


def test_a_description_has_types_errors_sources_and_an_example(site):
    compose = (site / "api" / "vampprompt.html").read_text()
    compose = compose.partition('id="vampprompt.compose"')[2].partition('<dt class="sig')[0]
    for part in ("Parameters", "Returns", "Raises", "Examples", "callable", "periodic(7)"):
        assert part in compose
    samplers = (site / "api" / "samplers.html").read_text()
    assert "Chang et al." in samplers
    assert "Annotated" not in samplers
    assert "0x" not in samplers


# The language


def test_the_tables_have_every_name(site):
    page = (site / "language.html").read_text()
    named = [*masks, *PRESETS, *samplers, *parts, *analysis.trackers]
    for name in named:
        assert f'<span class="pre">{name}' in page, name
    assert set(TABLES) == set(page_tables())


def page_tables():
    lines = (DOCS / "language.md").read_text().splitlines()
    return [line.split()[-1] for line in lines if line.startswith("```{table}")]


def test_a_table_says_what_an_argument_takes_its_unit_and_default():
    loud = TABLES["masks"]().partition("`loud(")[2]
    assert "| `above` | Level | `-30dB` | In dB re full scale. |" in loud
    steps = TABLES["samplers"]().partition("`halton(")[2]
    assert (
        "| `steps` | a whole number, or a list of them | `36` | Passes over the model. |" in steps
    )


def sentence(rule, chance, depth=0):
    """One text that the grammar allows."""
    rules = grammar()
    if rule in IN_WORDS:
        shown = {
            "bound": "3",
            "time": "1s",
            "later": "2s",
            "name": "periodic",
            "arguments": "7, width=3",
        }
        return shown[rule]
    if rule not in rules:
        return rule.strip("'")
    forms = rules[rule]
    if rule == "atom" and depth > 1:
        forms = forms[1:]
    if rule == "call":
        forms = forms[1:]  # what stands for itself has no arguments, and this one needs them
    text = []
    for part in chance.choice(forms):
        plain = part.removesuffix("*")
        times = 1 if plain == part else chance.choice((0, 0, 1, 2))
        text += [sentence(plain, chance, depth + (plain == "mask")) for _ in range(times)]
    return " ".join(text)


def test_what_the_grammar_allows_can_be_read_and_it_allows_all_operators():
    chance = random.Random(0)
    texts = [sentence("mask", chance) for _ in range(300)]
    for text in texts:
        # The unit of time is right for `time` alone; frames and codebooks are counted.
        assert parse(str(parse(text))) == parse(text)
    everything = " ".join(texts)
    for sign in ("|", "^", "&", "-", "~", "..", "<=", ">", "==", "!=", "codebook", "frame", "time"):
        assert sign in everything


# What can be heard


def test_each_picture_of_a_prompt_and_each_recipe_can_be_heard():
    names = {sound.name for sound in sounds.sounds()}
    assert {page.stem for page in RECIPES} <= names
    assert {"beat", "steps-confidence", "order-halton", "what-is-kept"} <= names
    assert names == {path.stem for path in (DOCS / "pictures").iterdir()}
    assert set(FEW) <= names


@pytest.mark.skipif(COMMAND is None, reason="needs chromium, in Debian: apt install chromium")
def test_a_browser_loads_the_players_and_one_plays_at_a_time(site, tmp_path):
    with Chromium(tmp_path / "profile") as browser:
        for name in FEW:
            browser.open(site / "recipes" / f"{name}.html")
            assert browser.run("document.querySelectorAll('.heard audio').length") == len(PARTS)
            browser.run("document.querySelectorAll('audio').forEach(one => one.load())")
            browser.run("document.querySelectorAll('audio').forEach(one => one.preload = 'auto')")
            browser.wait(
                "[...document.querySelectorAll('audio')].every(one => one.readyState >= 2)"
            )
            seconds = browser.run(
                "[...document.querySelectorAll('audio')].map(one => one.duration)"
            )
            assert all(4 < one < 20 for one in seconds), (name, seconds)
        browser.run("document.querySelectorAll('audio')[0].play()")
        browser.run("document.querySelectorAll('audio')[1].play()")
        browser.wait("document.querySelectorAll('audio')[0].paused")
        assert not browser.run("document.querySelectorAll('audio')[1].paused")
        browser.open(site / "api" / "which.html")
        assert browser.run("document.querySelectorAll('article a.reference.internal').length") > 20
        assert not browser.complaints
        assert all(request.startswith(("file:", "data:")) for request in browser.requests)


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """Sounds that take no composing, and the names of those that were made."""
    made = []

    def compose(sound):
        made.append(sound.name)
        silence = Audio(sounds.np.zeros((1, 4410), sounds.np.float32), 44100)
        return silence, silence

    monkeypatch.setattr(Sound, "compose", compose)
    monkeypatch.setattr(sounds, "_get_ready", lambda place, steps: None)
    return made


def test_what_is_unchanged_is_not_composed_again(counted, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("")
    one, two = (Sound(name, f"What {name} keeps", page) for name in ("beat", "onset"))
    folders, composed = sounds.make([one, two], tmp_path / "cache", workers=0)
    assert composed == ["beat", "onset"] == counted
    assert all((folder / f"{part}.mp3").is_file() for folder in folders.values() for part in PARTS)
    assert sounds.make([one, two], tmp_path / "cache", workers=0) == (folders, [])
    changed = Sound("beat", "What beat(width=3) keeps", page)
    assert sounds.make([changed, two], tmp_path / "cache", workers=0)[1] == ["beat"]
    assert sounds.make([two], tmp_path / "cache", steps=3, workers=0)[1] == ["onset"]
    sounds.sweep(tmp_path / "cache", folders)
    assert sounds.make([one, two], tmp_path / "cache", workers=0)[1] == []


def test_a_sound_follows_from_program_model_and_inputs(monkeypatch, tmp_path):
    page = tmp_path / "recipes" / "a.md"
    page.parent.mkdir()
    page.write_text("```python\nsong = 1\n```\n")
    sound = Sound("a", "A recipe", page)
    keys = {sound.key("one model"), sound.key("another")}
    page.write_text("```python\nsong = 2\n```\n")
    keys.add(sound.key("one model"))
    monkeypatch.setattr(sounds, "_inputs", lambda: "another loop")
    keys.add(sound.key("one model"))
    assert len(keys) == 4


def test_a_failed_sound_leaves_no_half_of_one(counted, monkeypatch, tmp_path):
    def fail(sound):
        raise RuntimeError("no")

    monkeypatch.setattr(Sound, "compose", fail)
    page = tmp_path / "page.md"
    page.write_text("")
    with pytest.raises(RuntimeError, match="no"):
        sounds.make([Sound("beat", "What beat keeps", page)], tmp_path / "cache", workers=0)
    assert not [one for one in (tmp_path / "cache").iterdir() if (one / "song.mp3").exists()]


def test_the_choices_and_the_bound_are_what_the_makefile_says():
    assert set(players.CHOICES) == {"all", "few", "none"}
    assert "sounds=$(SOUNDS)" in (ROOT / "Makefile").read_text()
    assert players.MOST == 15_000_000


def test_songs_that_the_readme_links_to_are_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {name for name in FEW if f"docs/audio/{name}.mp3" in readme}
    assert all(Path(DOCS, "audio", f"{name}.mp3").is_file() for name in linked)
