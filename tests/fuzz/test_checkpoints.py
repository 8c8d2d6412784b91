"""Weights files: damaged or hostile ones are refused, in little memory, and run nothing."""

import json
import pickle
import random
import resource
import shutil
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from tests.fuzz import checks
from tests.fuzz.checks import examples
from vampprompt.errors import ModelError
from vampprompt.models import load, shape_of
from vampprompt.models.files import read_weights
from vampprompt.models.layout import CONFIG, OURS, starter_folder

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
FEW = examples(60).max_examples


def archive(path, pickled, **records):
    """Write what torch.save writes, around any pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/data.pkl", b"\x80\x02" + pickled + b".")
        file.writestr("a/version", "3\n")
        file.writestr("a/byteorder", "little")
        for name, content in records.items():
            file.writestr(f"a/data/{name.strip('_')}", content)
    return path


def named(name):
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def several(*items):
    return b"(" + b"".join(items) + b"t"


def called(name, *arguments):
    return named(name) + several(*arguments) + b"R"


def state(*tensors):
    return b"}" + b"".join(text(str(n)) + one + b"s" for n, one in enumerate(tensors))


def tensor(size, stride, n_stored=4, offset=0):
    storage = several(
        text("storage"), named("torch.FloatStorage"), text("0"), text("cpu"), number(n_stored)
    )
    shape = (several(*map(number, size)), several(*map(number, stride)))
    hooks = called("collections.OrderedDict")
    return called(
        "torch._utils._rebuild_tensor_v2", storage + b"Q", number(offset), *shape, b"\x89", hooks
    )


def arguments(value, name="n_codebooks", state_dict=None):
    """Pickle what VampNet writes: a state dict, here of one tensor, and a model's arguments."""
    state_dict = state_dict or state(tensor([2, 2], [2, 1]))
    kwargs = b"}" + text("kwargs") + b"}" + (text(name) if isinstance(name, str) else name)
    metadata = text("metadata") + kwargs + value + b"ss"
    return b"}" + text("state_dict") + state_dict + b"s" + metadata + b"s"


def twice_in_the_next(n_deep):
    return b"K\x01\x85q\0" + b"h\0h\0\x86q\0" * n_deep


def test_the_pickles_made_here_are_such_as_torch_reads(tmp_path):
    path = archive(tmp_path / "a.pth", state(tensor([2, 2], [2, 1])), _0=bytes(16))
    assert read_weights(path).state["0"].tolist() == [[0, 0], [0, 0]]


HOSTILE = {
    "bytearray": state(called("builtins.bytearray", number(1 << 40))),
    "old bytearray": state(called("__builtin__.bytearray", number(1 << 40))),
    "tensor of a size": state(called("torch.Tensor", number(1 << 40))),
    "float tensor of a size": state(called("torch.FloatTensor", number(1 << 40))),
    "without memory": state(
        called(
            "torch._utils._rebuild_meta_tensor_no_storage",
            named("torch.float32"),
            several(number(2)),
            several(number(1)),
            b"\x89",
        )
    ),
    "stored more than there is": state(tensor([1 << 40], [1], 1 << 40)),
    "size beyond what is stored": state(tensor([1 << 40], [1])),
    "spread over one number": state(tensor([1 << 40], [0])),
    "negative size": state(tensor([-1], [1])),
    "negative stride": state(tensor([4], [-1])),
    "negative offset": state(tensor([4], [1], offset=-100)),
    "size that overflows": state(tensor([1 << 62, 1 << 62], [0, 0])),
    "in itself": b"}q\0" + text("a") + b"h\0s",
    "deep": b")" + b"\x85" * 20_000,
    "lists in lists": b"]" * 20_000 + b"a" * 19_999,
    "code": state(called("os.system", text("true"))),
    "code of ours": state(called("vampprompt.models.files.read_weights", text("x"))),
    "eval": state(called("builtins.eval", text("1"))),
    "getattr": state(called("builtins.getattr", text("a"), text("upper"))),
    "a number as long as a book": arguments(
        b"\x8b" + struct.pack("<I", 2 << 20) + b"\x7f" * (2 << 20)
    ),
    "a number of many digits": arguments(b"L" + b"9" * 5_000_000 + b"L\n"),
    "a text that is not there": arguments(b"X\xff\xff\xff\xff"),
    "place of memory that is far away": state(b"Nr\xff\xff\xff\x7f"),
    "nothing, millions of times": b"(" + b"N" * 10_000_000 + b"t",
    "steps without end": b"(" + b"N0" * 1_000_000 + b"t",
    "a name that takes for ever": b"}" + twice_in_the_next(40) + tensor([1], [1]) + b"s",
    "an argument's name that does": arguments(b"K\x01", twice_in_the_next(40)),
    "flags of a tensor": state(
        tensor([1], [1])[:-2] + called("collections.OrderedDict") + text("neg") + b"\x88stR"
    ),
    "another codec": state(called("_codecs.encode", text("a"), text("zlib_codec"))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickles(tmp_path, kind):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError):
        read_weights(archive(tmp_path / "a.pth", HOSTILE[kind], _0=bytes(16)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


ARGUMENTS = {
    "tuples in themselves twice": twice_in_the_next(40),
    "lists in themselves twice": b"(]q\0" + b"](h\0h\0eq\0" * 40 + b"t",
    "a list in itself": b"]q\5h\5a",
    "deep": b"]" * 100_000 + b"a" * 99_999,
    "a tensor": tensor([4], [1]),
    "a class": named("collections.OrderedDict"),
    "a text": text("3\x1b[2J"),
}


@pytest.mark.parametrize("name", ["n_codebooks", "cond_dim", "noise_mode", "encoder_rates"])
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_that_no_model_has(tmp_path, kind, name):
    for part in ("codec", "c2f"):
        shutil.copy(REFERENCE / f"{part}.pth", tmp_path)
    state_dict = state(tensor([2, 2], [2, 1])).replace(text("0"), text("embedding.special.MASK"), 1)
    archive(tmp_path / "coarse.pth", arguments(ARGUMENTS[kind], name, state_dict), _0=bytes(16))
    with pytest.raises(ModelError) as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 2000


def program(chance):
    """Return steps of a pickle at random, of which most have what they need."""
    atoms = [b"N", b"\x88", b"K\x02", b")", b"}", b"]", number(-1), text("0"), tensor([2], [1])]
    atoms += [named("collections.OrderedDict"), named("torch.FloatStorage"), b"G" + bytes(8)]
    steps = [b"(", b"t", b"a", b"e", b"s", b"u", b"\x85", b"\x86", b"\x87", b"R", b"Q", b"b", b"0"]
    steps += [b"q\1", b"h\1", b"q\2", b"h\2", b"r\3\0\0\0", b"2", b"i", b"\x93", b"\x94"]
    return b"".join(
        chance.choice(chance.choice((atoms, steps))) for _ in range(chance.randrange(40))
    )


def test_programs_at_random(tmp_path):
    chance = random.Random(10)
    for _ in range(FEW * 5):
        made = chance.choice([program, lambda chance: arguments(program(chance))])(chance)
        with checks.refused(ModelError):
            read_weights(archive(tmp_path / "a.pth", made, _0=bytes(16)))


def configuration(chance):
    """Return the text of a configuration with some values or names changed at random."""
    config = json.loads((starter_folder() / CONFIG).read_text())
    values = [None, True, 0, 1, 3, 768, -1, 0.5, 1e300, 1 << 70, "", "dac", [], [2, 4], {}, [[1]]]
    for _ in range(chance.choice((1, 1, 2))):
        part = chance.choice([config, *map(config.get, ("codec", "coarse", "fine"))])
        if isinstance(part, dict):
            names = ["sample_rate", "hop_length", "noise_from", "noise_to", "dropout", "\x1b[2J"]
            part[chance.choice([*part, *names])] = chance.choice(values)
    spoilt = json.dumps(config)
    if chance.random() < 0.2:
        place = chance.randrange(len(spoilt))
        spoilt = spoilt[:place] + chance.choice('"{}[],:0eN\\') + spoilt[place + 1 :]
    return spoilt


@pytest.fixture
def ours(tmp_path):
    for file in OURS[1:]:
        (tmp_path / file).symlink_to(starter_folder() / file)
    return tmp_path


def test_configurations_of_other_values(ours):
    chance = random.Random(11)
    for _ in range(FEW):
        (ours / CONFIG).write_text(configuration(chance))
        for read in (shape_of, load):
            with checks.refused(ModelError):
                read(str(ours))


def test_entries_over_each_other(tmp_path):
    """A bomb without compression: many entries of the directory show one and the same place."""
    path = archive(tmp_path / "a.pth", state(tensor([4], [1])), _0=bytes(16), big=bytes(100_000))
    with zipfile.ZipFile(path, "a") as file:
        big = file.getinfo("a/data/big")
        for n in range(50):
            twin = zipfile.ZipInfo(f"a/data/{n + 1}")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(twin, name, getattr(big, name))
            file.filelist.append(twin)
        file._didModify = True
    with pytest.raises(ModelError, match="more than the whole file"):
        read_weights(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["a/data.pkl", "a/DATA.pkl"])
def test_two_entries_of_one_name(tmp_path, name):
    path = archive(tmp_path / "a.pth", state(tensor([4], [1])), _0=bytes(16))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, pickle.dumps(HOSTILE))
    with pytest.raises(ModelError, match="two entries of one name"):
        read_weights(path)


def test_bits_turned_over_anywhere_in_a_pickle(tmp_path):
    chance = random.Random(7)
    whole = state(tensor([2, 2], [2, 1]), tensor([4], [1]))
    for _ in range(FEW * 5):
        spoilt = bytearray(whole)
        for _ in range(chance.choice((1, 2, 4))):
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        with checks.refused(ModelError):
            read_weights(archive(tmp_path / "a.pth", bytes(spoilt), _0=bytes(16)))


def test_safetensors_with_other_headers(tmp_path):
    path = tmp_path / "a.safetensors"
    chance = random.Random(8)
    good = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    kinds = ["F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "F8_E8M0", "F4", "C64", "X", 3]
    for _ in range(FEW * 2):
        one = dict(good)
        key = chance.choice([*one, "extra"])
        numbers = [0, 1, 2, 4, 16, -1, 1 << 40, 1 << 63, 0.5, None, "2"]
        one[key] = chance.choice(kinds) if key == "dtype" else chance.choices(numbers, k=2)
        header = json.dumps({"a": one, "__metadata__": chance.choice([{}, {"a": "b"}, 3])})
        length = chance.choice([len(header)] * 5 + [0, 1, 1 << 20, 1 << 62, (1 << 64) - 1])
        path.write_bytes(struct.pack("<Q", length) + header.encode() + bytes(16))
        with checks.refused(ModelError):
            read_weights(path)


def test_safetensors_cut_and_spoilt(tmp_path):
    from safetensors.torch import save

    path = tmp_path / "a.safetensors"
    chance = random.Random(9)
    whole = save({"a": torch.ones(3, 4), "b": torch.ones(2, dtype=torch.float16)})
    for _ in range(FEW * 2):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        path.write_bytes(spoilt[: chance.choice([len(spoilt), chance.randrange(len(spoilt))])])
        with checks.refused(ModelError):
            read_weights(path)
