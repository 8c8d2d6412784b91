"""What is said of a text that is no mask, or of a mask that fits no clip, and where it points."""

import pytest

from tests.masks.clips import DATA, Clip
from vampprompt.errors import MaskError, VampPromptError
from vampprompt.masks import beat, codebook, downbeat, image, parse, random

# What several say.
PERIODIC = "write periodic(period, width=1, offset=0)"
COUNTED = "write the length in seconds or frames, or try another beat tracker"
UNHEARD = "try another beat tracker, or a mask that needs none, such as periodic(500ms)"
NO_BARS = "a length in bars needs at least two downbeats, and this clip has 1"
FRACTION = "a fraction has a number on either side and no space: 1/2beat"
SECONDS = "write 1.5s for seconds; a bare number is frames"
TIMES = "write frames, ms, s, beats or bars"
LENGTH = "write a length of 0 or more"
NUMBER = "write 7 or 500ms"
ONE = "leave one of them out"
NO_FIFTH = "there is no codebook 5: the clip has 5, counted from 0"
TO_FOUR = "write a number from 0 to 4"
AXES = "only codebook, frame and time can be compared"
FROM_END = "write suffix(2s) for the last two seconds"
POSITIONS = "positions are never negative; write suffix(2s) for the end of the clip"
ORDER = "a value without a name after one with a name"
ABOVE = "write one above 0"
THOUSAND = "write '1000s' for seconds; a bare number is frames, and whole"
CLOCK = "write minutes and seconds as 1:05, with hours as 1:02:03.5, and no unit"
COLON = "write width=3 for an argument, 0:30 for a time"
QUANTITY = "write 7, 2s, 500ms or 1/2beat"
PERCENT = "write 1.5% for a percentage"
MASK = "write a mask here, such as beat"
DEPTH = "write depth(mask, inside, outside=0)"
BARE = "write one without a unit"
TO_FIVE = "write a number from 0 to 5"
NO_SIXTH = "there is no codebook 6: the clip has 5, counted from 0"
NO_99TH = "there is no codebook 99: the clip has 5, counted from 0"
DEPTHS = "write numbers from 0 to 5"
KINDS = "save it as PNG, JPEG, BMP, WebP or GIF"
CHORUS = "did you mean 'chorus'?"
NO_BEATS = "a length in beats needs at least two beats, and this clip has 0"
ONSETLESS = "use a mask that needs none, such as periodic(7)"
# The text with «» round what the carets point at, the message, the hint.
PARSED = [
    ("«»", "an empty mask", "write what to keep, such as beat & codebook<3"),
    ("«»   ", "an empty mask", "write what to keep, such as beat & codebook<3"),
    ("«»\n\n", "an empty mask", "write what to keep, such as beat & codebook<3"),
    ("beat &«»", "the mask ends where a mask should follow", None),
    ("«&» beat", "a mask should stand before '&'", None),
    ("beat & «&» onset", "a mask should stand before '&'", "write & once"),
    ("beat &«&» onset", "a mask should stand before '&'", "write & once"),
    ("beat | «|» onset", "a mask should stand before '|'", "write | once"),
    ("beat |«|» onset", "a mask should stand before '|'", "write | once"),
    ("beat «onset»", "an operator should stand before 'onset'", None),
    ("«(»beat", "a parenthesis that is never closed", "add ')'"),
    ("«(»(beat)", "a parenthesis that is never closed", "add ')'"),
    ("beat«)»", "an operator should stand before ')'", "no parenthesis is open here"),
    ("(beat)«)»", "an operator should stand before ')'", "no parenthesis is open here"),
    ("(«)»", "a mask should stand before ')'", None),
    ("beat & (onset |«)»", "a mask should stand before ')'", None),
    ("~«»", "the mask ends where a mask should follow", None),
    ("beat «~»onset", "an operator should stand before '~'", None),
    ("beat -«»", "the mask ends where a mask should follow", None),
    ("beat «#» x", "unexpected character '#'", None),
    ("beat «+» onset", "unexpected character '+'", "write | to keep both"),
    ("beat «*» onset", "unexpected character '*'", "write & to keep what both keep"),
    ("«!»beat", "unexpected character '!'", "write ~ for not"),
    ("«[»beat]", "unexpected character '['", "write parentheses"),
    ("«{»beat}", "unexpected character '{'", "write parentheses"),
    ("beat «/» 2", "unexpected character '/'", FRACTION),
    ("beat«;» onset", "unexpected character ';'", None),
    ("beat «and» onset", "'and' is no operator", "write &"),
    ("beat «or» onset", "'or' is no operator", "write |"),
    ("«not» beat", "'not' is not a mask", "write ~"),
    ("beat «xor» onset", "'xor' is no operator", "write ^"),
    ("«codebook»", "'codebook' needs a comparison", "write codebook<3"),
    ("«codebook» & beat", "'codebook' needs a comparison", "write codebook<3"),
    ("codebook <«»", "the mask ends where a number should follow", None),
    ("codebook < «beat»", "a number should stand before 'beat'", None),
    ("codebook «=» 3", "a comparison should stand before '='", "write == to compare"),
    ("codebook < 3 «<» 5", "a second comparison", "write 2<=codebook<4 for a stretch"),
    ("«codebook<1.5»", "codebook is a whole number, and '1.5' is not", None),
    ("«codebook<2s»", "codebook is a whole number, and '2s' is not", None),
    ("«codebook<-1»", "codebook is never negative, and '-1' is", None),
    ("codebook<3«.»", "unexpected character '.'", None),
    ("«frame<2s»", "frame is a whole number, and '2s' is not", "write time<2s"),
    ("«frame<50%»", "frame is a whole number, and '50%' is not", "write time<50%"),
    ("«time<1.5»", "'1.5' is not a whole number of frames", "write 1.5s for seconds"),
    ("«time<-2s»", "time is never negative, and '-2s' is", FROM_END),
    ("«time<-30dB»", "'-30dB' is not a time", TIMES),
    ("«3»", "'3' alone is not a mask", "write 3.. for what follows, or compare: codebook<3"),
    ("«2s»", "'2s' alone is not a mask", "write 2s.. for what follows, or compare: codebook<3"),
    ("3 «>» codebook", "a number before '>'", "write codebook first: codebook<3"),
    ("2 <= codebook «>» 4", "'>' after '<='", "write both in one direction: 2<=codebook<4"),
    ("2 «==» codebook", "a number before '=='", "write codebook first: codebook<3"),
    ("2 < «beat»", "codebook, frame or time should stand before 'beat'", None),
    ("«beat» < 3", "'beat' cannot be compared", "compare codebook, frame or time: codebook<3"),
    ("periodic(7) «==» 3", "an operator should stand before '=='", AXES),
    ("«2s..1s»", "the range '2s..1s' ends before it begins", "write 1s..2s"),
    ("«500ms..0.1s»", "the range '500ms..0.1s' ends before it begins", "write 0.1s..500ms"),
    ("..«»", "the mask ends where a number should follow", None),
    (".. «&» beat", "a number should stand before '&'", None),
    ("2s..«.»", "unexpected character '.'", None),
    ("«-»2s..3s", "a mask should stand before '-'", POSITIONS),
    ("«1.5..3»", "start of range: '1.5' is not a whole number of frames", SECONDS),
    ("«2» s..4s", "'2' alone is not a mask", "a unit stands right behind its number: 2s"),
    ("«2x»..4s", "unknown unit 'x'", "units: f s ms beat beats bar bars % dB"),
    ("«2S»", "unknown unit 'S'", "did you mean 's'?"),
    ("«1/0s»..3s", "'1/0s' divides by zero", None),
    ("«1e3..2s»", "start of range: 1000.0 is not a quantity", THOUSAND),
    ("«frame<1.5»", "frame is a whole number, and '1.5' is not", "write time<1.5s"),
    ("«1e-9»", "'1e-9' alone is not a mask", "compare: codebook<3"),
    ("«0:75»..2:00", "'0:75' is not a time: seconds go up to 59", "write 75s"),
    ("2s..«1:60:00»", "'1:60:00' is not a time: minutes go up to 59", "write 7200s"),
    ("prefix(«1:5»)", "'1:5' is not a time", CLOCK),
    ("«1:05s»..", "'1:05s' is not a time", CLOCK),
    ("prefix(«1:00:00:00»)", "'1:00:00:00' is not a time", CLOCK),
    ("prefix(«:»30)", "unexpected character ':'", COLON),
    ("beat(width«:»3)", "unexpected character ':'", COLON),
    ("«frame<1:05»", "frame is a whole number, and '1:05' is not", "write time<1:05"),
    ("2«:» beat", "unexpected character ':'", COLON),
    ("labels(«“»a.txt”)", "unexpected character '“'", 'write "'),
    ("onset «–» beat", "unexpected character '–'", "write -"),
    ("loud(above=«−»30dB)", "unexpected character '−'", "write -"),
    ("1s«…»2s", "unexpected character '…'", "write .."),
    ("codebook«≤»3", "unexpected character '≤'", "write <="),
    ("onset «&amp;» beat", "unexpected text '&amp;'", "write &"),
    ("codebook«&lt;»3", "unexpected text '&lt;'", "write <"),
    ("labels(«&quot;»a.txt&quot;)", "unexpected text '&quot;'", 'write "'),
    ("onset«&nbsp;»& beat", "unexpected text '&nbsp;'", "write a space"),
    ("onset «&ndash;» beat", "unexpected text '&ndash;'", "write -"),
    ("onset «＆» beat", "unexpected character '＆'", "write &"),
    ("onset«\u200b» & beat", "unexpected character '\u200b'", "it is not to be seen; delete it"),
    ("«`»onset`", "unexpected character '`'", "leave it out"),
    ("«12345678901234567890»..", "a number with more than 15 digits", "write a shorter one"),
    ("1«/» 2beat", "unexpected character '/'", FRACTION),
    ("«periodc»(7)", "unknown mask 'periodc'", "did you mean 'periodic'?"),
    ("«beet»", "unknown mask 'beet'", "did you mean 'beat'?"),
    ("«Beat»", "unknown mask 'Beat'", "did you mean 'beat'?"),
    ("«periodic»", "'periodic' needs its argument 'period'", PERIODIC),
    ("«periodic()»", "'periodic' needs its argument 'period'", PERIODIC),
    ("periodic(7, 1, 0, «3»)", "'periodic' takes at most 3 arguments", PERIODIC),
    ("periodic(7, «wdth»=3)", "'periodic' has no argument 'wdth'", "did you mean 'width'?"),
    ("periodic(period=7, «period»=8)", "'period' is given twice", PERIODIC),
    ("periodic(7, «period»=8)", "'period' is given twice", PERIODIC),
    ("«periodic(width=3)»", "'periodic' needs its argument 'period'", PERIODIC),
    ("periodic(7, width=«-3»)", "width of periodic: '-3' is negative", LENGTH),
    ("periodic(width=3, «7»)", ORDER, "name it, or put it first"),
    ("periodic«(»7", "a parenthesis that is never closed", "add ')'"),
    ("periodic(7,«»", "the mask ends where a mask should follow", None),
    ("periodic(7 «3»)", "',' or ')' should stand before '3'", None),
    ("periodic(7,«,»3)", "a mask should stand before ','", None),
    ("periodic(«0»)", "period of periodic: a period of '0' repeats nothing", "write one above 0"),
    ("periodic(«-1beat»)", "period of periodic: a period of '-1beat' repeats nothing", ABOVE),
    ("periodic(«beat»)", "period of periodic: 'beat' is a mask; a number belongs here", NUMBER),
    ('periodic(«"x"»)', "period of periodic: 'x' is not a quantity", QUANTITY),
    ("periodic(«-30dB»)", "period of periodic: '-30dB' is not a time", TIMES),
    ("«beat(3, 4)»", "beat takes a width, or before and after, not both", ONE),
    ("«beat(width=3, after=2)»", "beat takes a width, or before and after, not both", ONE),
    ("beat(every=«0»)", "every of beat: '0' is less than 1", None),
    ("beat(every=«1.5»)", "every of beat: '1.5' is not a whole number", "write one without a unit"),
    ("beat(every=«2s»)", "every of beat: '2s' is not a whole number", "write one without a unit"),
    ("beat(offset=«-1»)", "offset of beat: '-1' is less than 0", None),
    ("beat()«(»)", "an operator should stand before '('", None),
    ("everything(«3»)", "'everything' takes no arguments", "write everything"),
    ("nothing(«seed»=3)", "'nothing' has no argument 'seed'", "write nothing"),
    ("prefix(«-2s»)", "length of prefix: '-2s' is negative", LENGTH),
    ("«prefix»", "'prefix' needs its argument 'length'", "write prefix(length)"),
    ("prefix(«1.5»)", "length of prefix: '1.5' is not a whole number of frames", SECONDS),
    ("loud(«-30»)", "above of loud: '-30' is not a level", "write it in dB: -30dB"),
    ("loud(above=«3s»)", "above of loud: '3s' is not a level", "write it in dB: -30dB"),
    ("«labels»", "'labels' needs its argument 'path'", "write labels(path, label=…)"),
    ("labels(«song»)", "unknown mask 'song'", "the command 'vampprompt masks' lists all names"),
    ("labels(«7»)", "path of labels: '7' is not a file", 'write its path in quotes: "mask.png"'),
    ('labels("a", «3»)', "label of labels: '3' is not a label", 'write it in quotes: "chorus"'),
    ('labels(«"»a', "unexpected character '\"'", "the quote is never closed"),
    ('image(«""»)', "path of image: the path of a file is empty or not text", None),
    ("random(«1.5»)", "share of random: '1.5' is not between 0 and 1", PERCENT),
    ("random(«50»)", "share of random: '50' is not between 0 and 1", "write 50% for a percentage"),
    ("random(«-10%»)", "share of random: '-10%' is not between 0 and 1", None),
    ("random(«2s»)", "share of random: '2s' is not a share", "write 0.1 or 10%"),
    ("random(«110%»)", "share of random: '110%' is not between 0 and 1", None),
    ("random(0.1, seed=«-1»)", "seed of random: '-1' is less than 0", None),
    ("random(0.1, seed=«x»)", "unknown mask 'x'", "the command 'vampprompt masks' lists all names"),
    ("«drop(0.2)»", "'drop' needs its argument 'share'", "write drop(mask, share, seed=0)"),
    ("«drop(beat)»", "'drop' needs its argument 'share'", "write drop(mask, share, seed=0)"),
    ("drop(beat, «onset»)", "share of drop: 'onset' is a mask; a number belongs here", NUMBER),
    ('drop(«"beat"», 0.2)', "mask of drop: 'beat' is not a mask", MASK),
    ("dilate(beat, «-1»)", "by of dilate: '-1' is negative", LENGTH),
    ("«dilate(30ms)»", "'dilate' needs its argument 'by'", "write dilate(mask, by)"),
    ("«shift(beat)»", "'shift' needs its argument 'by'", "write shift(mask, by)"),
    ("shift(beat, «-3dB»)", "by of shift: '-3dB' is not a time", TIMES),
    ("thin(beat, «0»)", "every of thin: '0' is less than 1", None),
    ("«depth(beat)»", "'depth' needs its argument 'inside'", DEPTH),
    ("depth(beat, «4s»)", "inside of depth: '4s' is not a whole number", BARE),
    ("depth(«codebook», 4)", "'codebook' needs a comparison", "write codebook<3"),
    ("beat &\n«codebok»<3", "unknown mask 'codebok'", "did you mean 'codebook'?"),
    ("beat\n  | «(»onset\n  | loud", "a parenthesis that is never closed", "add ')'"),
    ("onset |\n\tperiodic(7,\n\twidth=«-1»)", "width of periodic: '-1' is negative", LENGTH),
    ('«"beat"»', "a mask should stand before '\"beat\"'", None),
    ("beat & «'onset'»", "a mask should stand before ''onset''", None),
    ("small_variation(«3»)", "'small_variation' takes no arguments", "write small_variation"),
    ("«large_variatoin»", "unknown mask 'large_variatoin'", "did you mean 'large_variation'?"),
]
EVALUATED = [
    ("beat & «codebook<99»", NO_99TH, TO_FIVE),
    ("«codebook==5» | beat", NO_FIFTH, TO_FOUR),
    ("~(«codebook<=5»)", NO_FIFTH, TO_FOUR),
    ("«codebook>=6»", NO_SIXTH, TO_FIVE),
    ("«depth(beat, 9)»", "a depth of 9 codebooks, and the clip has 5", "write numbers from 0 to 5"),
    ("onset | «depth(beat, 2, 7)»", "a depth of 7 codebooks, and the clip has 5", DEPTHS),
    ("«prefix(2bars)»", NO_BARS, COUNTED),
    ("beat | «1bar..2s»", NO_BARS, COUNTED),
    ("«3beats..0.1s»", "the range '3beats..0.1s' ends before it begins", "write 0.1s..3beats"),
    ('«labels("elsewhere.txt")»', "there is no file 'elsewhere.txt'", None),
    ('beat & «labels("song.txt", "chorsu")»', "'song.txt' has no label 'chorsu'", CHORUS),
    ('«labels("mask.png")»', "'mask.png' is not text", "save it as UTF-8"),
    ('«audio("elsewhere.flac")» | beat', "there is no file 'elsewhere.flac'", None),
    ('«image("elsewhere.png")»', "there is no file 'elsewhere.png'", None),
    ('«image("song.txt")»', "'song.txt' is not an image of a known kind", KINDS),
    ('«image(".")»', "'.' is a folder", "name a file in it"),
    (
        '«array("song.txt")» | beat',
        "'song.txt' is not a file of an array",
        "write it by numpy.save",
    ),
    ("«periodic(0.1ms)»", "a period of '0.1ms' is shorter than a frame", "write a longer one"),
    ("«dilate(beat, 1bar)»", NO_BARS, COUNTED),
]
SILENT = [
    ("«beat» | onset", "'beat' needs beats, and none are heard in this clip", UNHEARD),
    ("drop(«upbeat», 10%)", "'upbeat' needs beats, and none are heard in this clip", UNHEARD),
    ("loud & «downbeat»", "'downbeat' needs downbeats, and none are heard in this clip", UNHEARD),
    ("everything &\n «periodic(1beat)»", NO_BEATS, COUNTED),
    ("«beat(width=1beat)»", "'beat' needs beats, and none are heard in this clip", UNHEARD),
    ("«onset(every=2)»", "'onset' needs onsets, and none are heard in this clip", ONSETLESS),
]
# One downbeat, so that there is no bar to count in.
SHORT = Clip(beats=(0.1, 0.2, 0.3), downbeats=(0.1,))
NOTHING_HEARD = Clip(beats=(), downbeats=(), onsets=())


def unmark(marked):
    start = marked.index("«")
    stop = marked.index("»") - 1
    return marked.replace("«", "").replace("»", ""), start, stop


def check(error, marked, message, hint):
    text, start, stop = unmark(marked)
    assert error.message == message
    assert error.hint == hint
    assert error.span is not None
    assert (error.span.text, error.span.start, error.span.stop) == (text, start, stop)


@pytest.mark.parametrize(("marked", "message", "hint"), PARSED)
def test_what_cannot_be_read(marked, message, hint):
    with pytest.raises(MaskError) as caught:
        parse(unmark(marked)[0])
    check(caught.value, marked, message, hint)


@pytest.mark.parametrize(("marked", "message", "hint"), EVALUATED)
def test_what_cannot_be_evaluated(marked, message, hint, monkeypatch):
    monkeypatch.chdir(DATA)
    mask = parse(unmark(marked)[0])
    with pytest.raises(VampPromptError) as caught:
        mask.evaluate(SHORT.context)
    check(caught.value, marked, message, hint)


@pytest.mark.parametrize(("marked", "message", "hint"), SILENT)
def test_what_needs_to_hear_something(marked, message, hint):
    mask = parse(unmark(marked)[0])
    with pytest.raises(MaskError) as caught:
        mask.evaluate(NOTHING_HEARD.context)
    check(caught.value, marked, message, hint)


def test_silence_is_no_error_for_a_mask_that_hears_nothing():
    assert parse("periodic(7) & codebook<3").evaluate(NOTHING_HEARD.context).any()


def test_the_design_s_example_to_the_letter():
    with pytest.raises(MaskError) as caught:
        parse("codebook<3 & periodc(7)")
    assert str(caught.value) == (
        "unknown mask 'periodc'\n"
        "  codebook<3 & periodc(7)\n"
        "               ^^^^^^^\n"
        "did you mean 'periodic'?"
    )


def test_of_several_lines_the_one_with_the_mistake_is_shown():
    with pytest.raises(MaskError) as caught:
        parse("beat\n\t& codebok<3\n& onset")
    assert str(caught.value).splitlines()[1:3] == ["   & codebok<3", "     ^^^^^^^"]


def test_of_a_long_line_the_part_with_the_mistake_is_shown():
    with pytest.raises(MaskError) as caught:
        parse("beat & " * 100 + "onst" + " & beat" * 100)
    line, carets = str(caught.value).splitlines()[1:3]
    assert len(line) < 120
    assert line[carets.index("^") : carets.rindex("^") + 1] == "onst"


@pytest.mark.parametrize("text", ["(" * 5000 + "beat" + ")" * 5000, "~" * 5000 + "beat"])
def test_nesting_without_end_is_refused(text):
    with pytest.raises(MaskError, match="levels"):
        parse(text)
    with pytest.raises(MaskError, match="levels"):
        parse("dilate(" * 5000 + "beat" + ", 1)" * 5000)


# Masks made in Python have no text of the user's: errors point into their own.


def test_an_error_in_a_mask_made_in_python_points_into_its_text():
    twice = codebook < 9
    mask = ~(beat & twice) | random(0.5) | twice
    with pytest.raises(MaskError) as caught:
        mask.evaluate(SHORT.context)
    check(
        caught.value,
        "~(beat & «codebook<9») | random(0.5) | codebook<9",
        "there is no codebook 9: the clip has 5, counted from 0",
        "write a number from 0 to 5",
    )


def test_an_error_in_a_mask_of_text_and_python_points_into_what_was_written():
    mask = parse("codebook<9 & beat") | image("missing.png")
    with pytest.raises(MaskError) as caught:
        mask.evaluate(SHORT.context)
    assert caught.value.span.text == "codebook<9 & beat"
    mask = image("missing.png") | downbeat
    with pytest.raises(MaskError) as caught:
        mask.evaluate(SHORT.context)
    assert caught.value.span.text == 'image("missing.png") | downbeat'
