"""Masks written in Python: what works as in text, and what says how to write it."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field

import numpy as np
import pytest
import torch

from tests.masks.clips import Clip, rows
from vampprompt import masks as m
from vampprompt.errors import MaskError, MaskTypeError
from vampprompt.language import Length
from vampprompt.masks import beat, codebook, explain, frame, onset, parse, time
from vampprompt.units import Quantity, bars, beats, ms, s

SAME = [
    (beat, "beat"),
    (beat(), "beat"),
    (beat(width=3), "beat(width=3)"),
    (beat(3), "beat(3)"),
    (beat(width="75ms", every=2, offset=1), "beat(width=75ms, every=2, offset=1)"),
    (onset(before="1/4beat", after=3), "onset(before=1/4beat, after=3)"),
    (beat & (codebook < 3), "beat & codebook<3"),
    ((codebook >= 2) & (codebook < 4), "2<=codebook<4"),
    ((codebook > 2) | (codebook <= 1), "codebook>2 | codebook<=1"),
    ((codebook > 2) & (codebook <= 4), "2<codebook<=4"),
    ((codebook == 2) ^ (codebook != 1), "codebook==2 ^ codebook!=1"),
    (3 > codebook, "codebook<3"),  # noqa: SIM300
    (np.int64(3) > codebook, "codebook<3"),
    (2 * s <= time, "2s<=time"),
    (time < 500 * ms, "time<500ms"),
    (frame == 7, "frame==7"),
    (time["2s":"4s"], "2s..4s"),
    (time[: 2 * bars], "..2bars"),
    (time[100:], "100.."),
    (~time["2s":"4s"], "~(2s..4s)"),
    (m.prefix(2 * s) - onset, "prefix(2s) - onset"),
    (m.suffix("500ms"), "suffix(500ms)"),
    (m.periodic(7, width=3, offset=1), "periodic(7, width=3, offset=1)"),
    (m.periodic(1 * beats), "periodic(1beat)"),
    (m.periodic(0.5 * beats, offset=-1 * beats), "periodic(0.5beat, offset=-1beats)"),
    (m.random(0.1), "random(0.1)"),
    (m.random("10%", seed=4), "random(10%, seed=4)"),
    (m.random(1 / 3), "random(1/3)"),
    (m.drop(beat, 0.2), "drop(beat, 0.2)"),
    (m.loud(above="-20dB"), "loud(above=-20dB)"),
    (m.loud, "loud(above=-30dB)"),
    (m.dilate(beat, 30 * ms), "dilate(beat, 30ms)"),
    (m.erode(m.everything, 2), "erode(everything, 2)"),
    (m.shift(beat, "-1/2beat"), "shift(beat, -1/2beat)"),
    (m.thin(beat, every=2), "thin(beat, every=2)"),
    (m.depth(beat, 4, 1), "depth(beat, 4, 1)"),
    (m.depth(beat, 4, outside=1), "depth(beat, 4, outside=1)"),
    (m.labels("song.txt", "chorus"), 'labels("song.txt", "chorus")'),
    (m.labels("song.txt", label="a \"b\" \\ 'c'"), r"""labels("song.txt", 'a "b" \\ \'c\'')"""),
    (m.audio("C:\\new\\mask.wav"), r"""audio("C:\new\mask.wav")"""),
    (m.array("keep.npy"), 'array("keep.npy")'),
    (time["1:05":"1:10"], "1:05..1:10"),
    (time["-0s":"3s"], "0s..3s"),
    (m.shift(beat, "-1:00.5"), "shift(beat, -1:00.5)"),
    (m.image("mask.png") | m.nothing, 'image("mask.png") | nothing'),
    (m.everything - m.downbeat - m.upbeat, "everything - downbeat - upbeat"),
    (beat - (onset - m.loud), "beat - (onset - loud)"),
    ((beat | onset) & ~(m.loud ^ onset), "(beat | onset) & ~(loud ^ onset)"),
]


@pytest.mark.parametrize(("mask", "text"), SAME)
def test_both_spellings_are_the_same_value(mask, text):
    assert mask == parse(text)
    assert hash(mask) == hash(parse(text))
    assert parse(str(mask)) == mask


def test_masks_of_other_values_differ():
    assert beat != onset
    assert beat(width=3) != beat(width=4)
    assert m.random(0.1) != m.random(0.1, seed=1)
    assert beat & onset != onset & beat
    assert beat != "beat"


def test_chains_are_flat():
    assert (beat | onset) | m.loud == beat | (onset | m.loud)
    assert str(beat - onset - m.loud) == "beat - onset - loud"
    assert str(beat - (onset | m.loud)) == "beat - (onset | loud)"
    assert str(beat & (onset & m.loud)) == "beat & onset & loud"


def test_the_tree_is_shown():
    assert repr(parse("beat(width=75ms) & ~codebook<3 | 2s..")) == (
        "Or(And(Beat(width='75ms'), Not(Comparison('codebook<3'))), Range('2s..'))"
    )
    assert repr(m.depth(beat, 4, 1)) == "Depth(Beat(), 4, outside=1)"


def test_what_is_shown_of_a_large_mask_is_one_short_line():
    for mask in (m.labels("a" * 9000, "b\nc"), parse(" | ".join(["beat & onset"] * 5000))):
        assert len(repr(mask)) <= 501
        assert repr(mask).isprintable()


def test_units_stay_as_written():
    text = "periodic(1/2beat, width=050.0ms) | 0.50s..1500ms | random(10%) | shift(beat, -0.50s)"
    assert str(parse(text)) == text
    assert parse("0.50s..1s") == parse("0.5s..1s")


def test_a_time_may_have_a_colon():
    assert parse("1:05..1:02:03.5") == parse("65s..3723.5s")
    assert parse("time<0:01 & shift(beat, -0:01)") == parse("time<1s & shift(beat, -1s)")
    assert str(parse("..1:10 & prefix(0:01)")) == "..1:10 & prefix(0:01)"


def test_masks_travel():
    mask = parse("drop(beat, 10%) & codebook<3")
    again = pickle.loads(pickle.dumps(mask))
    assert again == mask
    assert str(again) == str(mask)


def test_long_chains_work():
    masks = [m.periodic(period) for period in range(1, 2001)]
    mask = m.nothing
    for term in masks:
        mask |= term
    assert parse(str(mask)) == mask
    assert mask.evaluate(Clip().context).all()
    assert len(parse("(beat | 2s..) & " * 500 + "beat").children) == 501


def test_deep_masks_are_refused_when_they_are_made():
    def deepen(mask, times):
        return deepen(~(mask & onset), times - 1) if times else mask

    with pytest.raises(MaskError, match="levels deep"):
        deepen(beat, 200)


def test_masks_that_grow_without_end_are_refused_when_they_are_made():
    def grow(mask, times):
        return grow(mask & onset | mask, times - 1) if times else mask

    with pytest.raises(MaskError, match="parts large"):
        grow(beat, 30)


def test_equal_parts_are_evaluated_once():
    heard = []
    clip = Clip()

    def times(samples, sample_rate):
        heard.append(1)
        return np.array(clip.onsets)

    class Counted(m.Mask):
        name = "counted"

        def keep(self, clip):
            heard.append(1)
            return np.ones((1, 1), dtype=bool)

    mask = (Counted() & onset) | (Counted() ^ m.dilate(Counted(), 2))
    mask.evaluate(clip.context)
    assert len(heard) == 1


class Swing(m.Mask):
    """Has fields of plain types."""

    straight: bool = False
    amount: float = 0.5
    step: int = -1
    word: str = "la"
    most: int | None = 3

    def keep(self, clip):
        return np.full((1, 1), self.straight)


def test_fields_of_plain_types_read_back(monkeypatch):
    monkeypatch.setattr(m.masks, "_items", m.masks._items | {"swing": Swing})
    for amount in (0.25, 1e-7, 0.1 + 0.2, 1 / 3, -1e300, 5e-324, 1e16, 0.0, 7, np.float32(0.1)):
        mask = Swing(straight=True, amount=amount, step=3, word='"', most=None)
        assert parse(str(mask)) == mask
        assert isinstance(mask.amount, float)
    assert str(Swing(True, most=None)) == "swing(straight=true, most=none)"
    assert parse("swing(straight=True, amount=-2, step=4)") == Swing(True, -2.0, 4)
    for wrong in (
        {"straight": 1},
        {"amount": "2s"},
        {"amount": np.inf},
        {"step": 1.5},
        {"word": 3},
    ):
        with pytest.raises(MaskError) as caught:
            Swing(**wrong)
        assert caught.value.argument in wrong
    for text in ("swing(straight=1)", "swing(amount=2s)", "swing(amount=true)", "swing(step=1.5)"):
        with pytest.raises(MaskError):
            parse(text)


def test_a_mask_may_be_called_a_dataclass_once_more():
    @dataclass(frozen=True)
    class Again(m.Mask):
        length: Length
        seeds: tuple[int, ...] = field(default_factory=tuple)

        def keep(self, clip):
            return np.ones((1, 1), dtype=bool)

    mask = Again("2s")
    assert str(mask & beat) == "again(2s) & beat"
    assert mask == Again(2 * s)
    assert hash(mask) == hash(Again(2 * s))
    assert pickle.loads(pickle.dumps(beat(width=3))) == beat(width=3)
    for change in (lambda: setattr(beat, "width", 3), lambda: delattr(mask, "length")):
        with pytest.raises(FrozenInstanceError):
            change()


def test_an_array_is_a_mask():
    values = np.random.default_rng(0).random((5, 90)) < 0.5
    mask, clip = m.given(values), Clip().context
    assert (mask.array(clip) == values).all()
    assert mask == m.given(torch.from_numpy(values)) == m.given(values.copy())
    assert hash(mask) == hash(m.given(np.asfortranarray(values)))
    assert mask != m.given(~values)
    assert m.given(np.ones((8, 1), bool)) != m.given(np.ones((1, 8), bool))
    values[:] = False
    assert mask.array(clip).any(), "a copy"
    assert str(mask - beat) == "array(5x90 in Python) - beat"
    assert repr(mask) == "array(5x90 in Python)"
    assert (m.dilate(mask, 1) & beat).in_python
    assert not m.dilate(beat, 1).in_python
    with pytest.raises(MaskError):
        parse(str(mask))
    assert pickle.loads(pickle.dumps(mask)) == mask
    with pytest.raises(MaskError, match="5 x 90 values, and the clip has 5 x 89: codebooks x fr"):
        mask.evaluate(Clip(n_frames=89).context)
    wrong = (np.ones((5, 90)), np.ones(90, bool), torch.ones(1, 5, 90).bool(), [[1]], True, None)
    for values in wrong:
        with pytest.raises(MaskTypeError, match="are not a mask"):
            m.given(values)


MISUSED = [
    (lambda: codebook < 3 & beat, "3 is not a mask", "(codebook < 3) & beat"),
    (lambda: beat & codebook < 3, "codebook is not a mask", "(codebook < 3) & beat"),
    (lambda: codebook & beat, "'codebook' is an axis, not a mask", "in parentheses"),
    (lambda: ~codebook, "'codebook' is an axis, not a mask", "in parentheses"),
    (lambda: beat and onset, "'beat' is neither true nor false", "& for and"),
    (lambda: beat or onset, "'beat' is neither true nor false", "| for or"),
    (lambda: not beat, "'beat' is neither true nor false", "~ for not"),
    (lambda: 2 <= codebook < 4, "neither true nor false", "(codebook >= 2) & (codebook < 4)"),
    (lambda: codebook and beat, "'codebook' is an axis", "(codebook < 3) & beat"),
    (lambda: beat < 3, "only codebook, frame and time can be compared", "in parentheses"),
    (lambda: beat & onset >= 3, "only codebook, frame and time can be compared", ""),
    (lambda: codebook < beat, "compared with a number, not with 'beat'", ""),
    (lambda: codebook < frame, "compared with a number, not with 'frame'", ""),
    (lambda: beat & 3, "3 is not a mask", ""),
    (lambda: 3 | beat, "3 is not a mask", ""),
    (lambda: beat | "onset", "'onset' is not a mask", ""),
    (lambda: "onset" - beat, "'onset' is not a mask", ""),
    (lambda: beat & None, "None is not a mask", ""),
    (lambda: m.periodic & beat, "'periodic' is not a mask before it is called", "periodic("),
    (lambda: beat & m.periodic, "'periodic' is not a mask before it is called", "periodic("),
    (lambda: m.dilate(m.periodic, 3), "'periodic' is not a mask before it is called", ""),
    (lambda: time < 1.5, "1.5 is not a quantity", "'1.5s' for seconds"),
    (lambda: m.prefix(1.5), "length of prefix: 1.5 is not a quantity", "'1.5s' for seconds"),
    (lambda: m.periodic(7.0), "period of periodic: 7.0 is not a quantity", "'7s' for seconds"),
    (lambda: time[1.5:], "start of range: 1.5 is not a quantity", "'1.5s' for seconds"),
    (lambda: time["1s"], "time takes a start and a stop", 'time["2s":"4s"]'),
    (lambda: time["1s":"2s":3], "time takes a start and a stop", "periodic"),
    (lambda: codebook[2:4], "codebook[...] is not a mask", "(codebook >= 2) & (codebook < 4)"),
    (lambda: beat(width=True), "width of beat: True is not a quantity", ""),
    (lambda: m.drop("beat", 0.2), "mask of drop: 'beat' is not a mask", "such as beat"),
    (lambda: m.dilate(beat, onset), "by of dilate: 'onset' is a mask", ""),
    (lambda: m.random(float("nan")), "share of random: nan is not a number", ""),
    (lambda: m.labels(3), "path of labels: 3 is not a file", "in quotes"),
    (lambda: parse(beat), "is no text", ""),
]


@pytest.mark.parametrize(("write", "message", "hint"), MISUSED)
def test_misuse_says_how_to_write_it(write, message, hint):
    with pytest.raises(MaskTypeError) as caught:
        write()
    assert isinstance(caught.value, TypeError)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_wrong_value_is_no_wrong_type():
    for wrong in (lambda: m.periodic(-3), lambda: codebook < -1, lambda: time["2s":"1s"]):
        with pytest.raises(MaskError) as caught:
            wrong()
        assert not isinstance(caught.value, TypeError)


def test_numpy_s_array_is_the_tensor():
    mask, clip = parse("beat & codebook<2"), Clip().context
    assert mask.array(clip).dtype == bool
    assert (mask.array(clip) == mask.evaluate(clip).numpy()).all()


def test_axes_can_be_kept_in_sets():
    assert len({codebook, frame, time, codebook}) == 3
    assert Quantity.parse("2s") == 2 * s


def test_a_mask_may_stand_where_it_is_drawn():
    assert rows((m.prefix(3) & (codebook < 2)).evaluate(Clip(3, 6).context)) == [
        "###...",
        "###...",
        "......",
    ]


def test_each_part_is_shown_with_what_it_keeps_by_itself():
    mask = parse("(frame<45 | periodic(9)) & ~codebook<3 & depth(frame<9, 2)")
    parts = explain(mask, Clip().context)
    assert [(str(part.mask), part.depth) for part in parts] == [
        ("(frame<45 | periodic(9)) & ~codebook<3 & depth(frame<9, 2)", 0),
        ("frame<45 | periodic(9)", 1),
        ("frame<45", 2),
        ("periodic(9)", 2),
        ("~codebook<3", 1),
        ("codebook<3", 2),
        ("depth(frame<9, 2)", 1),
        ("frame<9", 2),
    ]
    assert [part.kept for part in parts] == pytest.approx(
        [0, 50 / 90, 0.5, 10 / 90, 0.4, 0.6, 0.04, 0.1]
    )


def test_a_part_that_cannot_be_evaluated_is_pointed_at():
    with pytest.raises(MaskError) as caught:
        explain(parse("frame<45 | codebook<9"), Clip().context)
    assert caught.value.span.start == 11
