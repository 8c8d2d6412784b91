"""Names: the language's, presets, the user's own, and those of other packages."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest

from tests.masks.clips import Clip, rows
from vampprompt import masks as m
from vampprompt.errors import MaskError
from vampprompt.language import Count, Length
from vampprompt.language.term import summary
from vampprompt.masks import PRESETS, Mask, masks, parse, read_definition, read_definitions

DESIGN = """everything nothing prefix suffix periodic onset beat downbeat upbeat loud labels audio
image array random drop dilate erode shift thin depth"""


def test_every_name_of_the_design_is_there_in_text_and_in_python():
    assert sorted(masks) == sorted(DESIGN.split())
    for name in [*DESIGN.split(), "codebook", "frame", "time", "parse", "Mask"]:
        assert hasattr(m, name)
        assert name in m.__all__
    for name in masks:
        assert masks.get(name) == getattr(m, name)


def test_every_name_has_a_line_of_help():
    for name in masks:
        assert summary(masks.get(name)).endswith((".", ")")), name


# Definitions


def test_a_definition_stands_for_its_expression():
    definitions = {"verse": "4s..12s", "calm": "verse - onset"}
    mask = parse("calm & beat", definitions)
    assert mask == parse("(4s..12s - onset) & beat")
    assert str(mask) == "4s..12s - onset & beat"
    assert parse(str(mask)) == mask


def test_definitions_may_come_in_any_order():
    assert parse("a", {"a": "b & c", "b": "c | beat", "c": "onset"}) == parse(
        "(onset | beat) & onset"
    )


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({"a": "a"}, "'a' is defined by itself: a -> a"),
        ({"a": "b | beat", "b": "~c", "c": "a & b"}, "'a' is defined by itself: a -> b -> c -> a"),
        ({"beat": "onset"}, "'beat' is already a mask of the language"),
        ({"codebook": "onset"}, "'codebook' is already an axis of the language"),
        ({"large_variation": "onset"}, "'large_variation' is already a preset of the language"),
        ({"and": "onset"}, "'and' is already a word of the language"),
        ({"my-mask": "onset"}, "'my-mask' cannot be the name of a mask"),
        ({"2s": "onset"}, "'2s' cannot be the name of a mask"),
        ({"": "onset"}, "'' cannot be the name of a mask"),
        ({" a": "onset"}, "' a' cannot be the name of a mask"),
        ({"'": "onset"}, "''' cannot be the name of a mask"),
        ({"a": ""}, "an empty mask, in the definition of 'a'"),
        ({"a": "beat &"}, "the mask ends where a mask should follow, in the definition of 'a'"),
        ({"verse": "beet"}, "unknown mask 'beet', in the definition of 'verse'"),
    ],
)
def test_definitions_that_define_nothing(definitions, message):
    with pytest.raises(MaskError) as caught:
        parse("onset", definitions)
    assert caught.value.message.startswith(message)


def test_an_error_in_a_definition_points_into_the_definition():
    with pytest.raises(MaskError) as caught:
        parse("verse & beat", {"verse": "4s.. & codebok<3"})
    assert caught.value.span.text == "4s.. & codebok<3"
    assert caught.value.span.start == 7
    mask = parse("verse & beat", {"verse": "4s.. & codebook<99"})
    with pytest.raises(MaskError) as caught:
        mask.evaluate(Clip().context)
    assert caught.value.span.text == "4s.. & codebook<99"


def test_an_unknown_name_is_looked_for_among_the_definitions_too():
    with pytest.raises(MaskError) as caught:
        parse("vers & beat", {"verse": "4s..12s"})
    assert caught.value.hint == "did you mean 'verse'?"


def test_a_definition_takes_no_arguments():
    with pytest.raises(MaskError, match="'verse' takes no arguments"):
        parse("verse(3)", {"verse": "4s..12s"})


def test_definitions_that_grow_without_end_are_refused():
    doubling = {f"a{i}": f"(a{i - 1} & beat | a{i - 1}) & onset" for i in range(1, 40)}
    with pytest.raises(MaskError, match="limits"):
        parse("a39", {"a0": "loud", **doubling})
    chain = {f"a{i}": f"a{i + 1}" for i in range(500)}
    with pytest.raises(MaskError, match="definitions within definitions"):
        parse("a0", {**chain, "a500": "beat"})


def test_definitions_of_a_command_line():
    assert read_definition("verse=4s..12s") == ("verse", "4s..12s")
    assert read_definition(" low = codebook<=3 ") == ("low", "codebook<=3")
    with pytest.raises(MaskError, match="defines nothing"):
        read_definition("verse")


def test_definitions_of_a_file(tmp_path):
    file = tmp_path / "masks.toml"
    file.write_text('verse = "4s..12s"\ncalm = """\nverse\n  - onset"""\n')
    definitions = read_definitions(file)
    assert parse("calm", definitions) == parse("4s..12s - onset")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("verse = 4s..12s", "is not a TOML file"),
        ("verse = 3", "'verse' in .* is not a mask"),
        ('[song]\nverse = "beat"', "'song' in .* is not a mask"),
        ('a = "beat"\na = "onset"', "is not a TOML file"),
        (b"\xff\xfe\x00", "is not text"),
        (None, "there is no file"),
    ],
)
def test_files_without_definitions(text, message, tmp_path):
    file = tmp_path / "masks.toml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MaskError, match=message):
        read_definitions(file)


def test_definitions_of_any_word_processor(tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "masks.toml").write_text('"é" = "1:05.."\r\n', encoding=encoding, newline="")
        assert read_definitions(tmp_path / "masks.toml") == {"é": "1:05.."}


@pytest.mark.parametrize("key", ["a", "'a b'", '"\\"."'])
def test_names_of_very_many_parts_take_no_memory(key, tmp_path):
    (tmp_path / "masks.toml").write_text(".".join([key] * 20_000) + " = 'beat'")
    with pytest.raises(MaskError, match="a dot in a name"):
        read_definitions(tmp_path / "masks.toml")


def test_dots_in_masks_are_no_parts_of_names(tmp_path):
    texts = {"a": "1.5s..2.5s", "b": " | ".join(["0.1s..0.2s"] * 99), "c": "labels('a.\\\\\"')"}
    written = f"""a = '{texts["a"]}' # ... 'a
b = \"\"\"{texts["b"]}\"\"\"
c = "labels('a.\\\\\\\"')"
"""
    (tmp_path / "masks.toml").write_text(written)
    assert read_definitions(tmp_path / "masks.toml") == {
        "a": texts["a"],
        "b": texts["b"],
        "c": "labels('a.\\\"')",
    }


def test_texts_without_end_are_refused():
    with pytest.raises(MaskError, match="a text of more than 500000 characters"):
        parse("beat | " * 100_000 + "beat")


# Presets


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_masks_of_the_language(name):
    preset = PRESETS[name]
    mask = parse(name)
    assert mask == parse(preset.text)
    assert str(mask) == preset.text, "written canonically"
    assert mask.evaluate(Clip().context).any() == (name != "unconditional")
    assert preset.help


def test_the_paper_s_prompts_are_presets():
    assert parse("paper_p16") == parse("periodic(16)")
    assert parse("paper_inpaint_1s") == parse("prefix(1s) | suffix(1s)")
    keep = parse("paper_beat").evaluate(Clip(1, 40, beats=(0.4,)).context)
    assert rows(keep) == ["." * 21 + "####" + "." * 15]


# Other packages


class Fading(Mask):
    """Keep fewer and fewer codebooks."""

    length: Length
    lowest: Count = 0

    def keep(self, clip):
        done = clip.frames / max(1, clip.timeline.length(self.length))
        depth = np.maximum(clip.grid.n_codebooks * (1 - done), self.lowest)
        return np.arange(clip.grid.n_codebooks)[:, None] < depth[None, :]


@pytest.fixture
def installed(monkeypatch):
    """Pretend that a package with masks is installed."""
    names = {
        **{"fading": "Fading", "offbeat": "offbeat", "strong": "strong"},
        # These are told what is wrong with them.
        **{"other": "Odd", "time": "Fading", "paper_beat": "Fading", "not": "Fading"},
        **{"none": "Fading", "my-mask": "Fading", "pytest": "pytest", "count": "Clip"},
        **{"rows": "DESIGN", "wrong": "Wrong", "mine": "Mine", "nothing_made": "nothing_made"},
    }
    points = {
        name: EntryPoint(name, f"{__name__}:{value}", "vampprompt.masks")
        for name, value in names.items()
    }
    monkeypatch.setattr(masks, "_installed", points)
    monkeypatch.setattr(masks, "_items", dict(masks._items))


strong = m.beat(every=4)


class Wrong(Mask):
    """Has a default that cannot be."""

    length: Length = 2.5

    def keep(self, clip):
        return clip.frames < 1


class Odd(Wrong):
    """Has a name that nothing has."""

    length: Length = 2


class Mine(type(m.beat)):
    """Has its parent's name in mind."""

    name = "beat"


def nothing_made():
    """Make nothing."""


def offbeat(width=1):
    """Keep what lies between the beats."""
    return m.shift(m.beat(width=width), "1/2beat")


@pytest.mark.usefixtures("installed")
def test_masks_of_other_packages_are_part_of_the_language():
    mask = parse("fading(4, lowest=1) & beat")
    assert str(mask) == "fading(4, lowest=1) & beat"
    assert parse(str(mask)) == mask
    assert rows(parse("fading(4)").evaluate(Clip(4, 6).context)) == [
        "####..",
        "###...",
        "##....",
        "#.....",
    ]
    assert parse("offbeat(width=3)") == parse("shift(beat(width=3), 1/2beat)")
    assert parse("offbeat") == parse("shift(beat(width=1), 1/2beat)")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other", "its texts would say 'odd'"),
        ("time", "'time' is already an axis of the language"),
        ("paper_beat", "'paper_beat' is already a preset of the language"),
        ("not", "'not' is already a word of the language"),
        ("none", "'none' is already a word of the language"),
        ("my-mask", "'my-mask' cannot be the name of a mask"),
        ("pytest", "it is no mask"),
        ("count", "it is no mask"),
        ("rows", "it is no mask"),
        ("wrong", "2.5 is not a quantity"),
        ("mine", "its texts would say 'beat'"),
    ],
)
def test_masks_of_other_packages_that_no_text_would_say(name, message):
    assert name in masks
    with pytest.raises(MaskError) as caught:
        masks.get(name)
    assert message in caught.value.message
    assert f"'{name}' cannot be loaded from" in caught.value.message


@pytest.mark.usefixtures("installed")
def test_another_name_for_a_mask_is_the_mask():
    fading = masks.get("fading")
    assert masks.get("strong") is strong
    assert str(parse("strong & fading(3)")) == "beat(every=4) & fading(3)"
    assert masks.register("fades", fading) is fading
    with pytest.raises(MaskError, match="this made no mask"):
        parse("beat | nothing_made")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("fadin(4)", "unknown mask 'fadin'", "did you mean 'fading'?"),
        ("fading", "'fading' needs its argument 'length'", "write fading(length, lowest=0)"),
        ("fading(4, lowst=1)", "'fading' has no argument 'lowst'", "did you mean 'lowest'?"),
        ("fading(-4)", "length of fading: '-4' is negative", "write a length of 0 or more"),
        ("offbeat(wdth=1)", "'offbeat' has no argument 'wdth'", "did you mean 'width'?"),
    ],
)
def test_masks_of_other_packages_are_checked_alike(text, message, hint):
    with pytest.raises(MaskError) as caught:
        parse(text)
    assert caught.value.message == message
    assert caught.value.hint == hint
