import pytest

from tests.masks.clips import Clip
from vampprompt.errors import MaskError
from vampprompt.masks import explain, parse


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
