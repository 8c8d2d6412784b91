"""Weights files: damaged or hostile ones are refused, in little memory, and run nothing."""

import json
import pickle
import resource
import struct
import zipfile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from tests.fuzz import checks
from tests.fuzz.checks import examples
from vampprompt.errors import ModelError
from vampprompt.models.files import read_weights


@pytest.fixture
def archive(tmp_path):
    """Write what torch.save writes, around any pickle; return its path."""

    def write(pickled, **records):
        with zipfile.ZipFile(tmp_path / "a.pth", "w") as file:
            file.writestr("a/data.pkl", b"\x80\x02" + pickled + b".")
            file.writestr("a/version", "3\n")
            file.writestr("a/byteorder", "little")
            for name, content in records.items():
                file.writestr(f"a/data/{name.strip('_')}", content)
        return tmp_path / "a.pth"

    return write


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
    kind = named("torch.FloatStorage")
    storage = several(text("storage"), kind, text("0"), text("cpu"), number(n_stored)) + b"Q"
    shape = (several(*map(number, size)), several(*map(number, stride)))
    hooks = called("collections.OrderedDict")
    rebuild = "torch._utils._rebuild_tensor_v2"
    return called(rebuild, storage, number(offset), *shape, b"\x89", hooks)


def test_the_pickles_made_here_are_such_as_torch_reads(archive):
    path = archive(state(tensor([2, 2], [2, 1])), _0=bytes(16))
    assert read_weights(path).state["0"].tolist() == [[0, 0], [0, 0]]


META = named("torch.float32"), several(number(2)), several(number(1)), b"\x89"
HOSTILE = {
    "bytearray": state(called("builtins.bytearray", number(1 << 40))),
    "old bytearray": state(called("__builtin__.bytearray", number(1 << 40))),
    "tensor of a size": state(called("torch.Tensor", number(1 << 40))),
    "float tensor of a size": state(called("torch.FloatTensor", number(1 << 40))),
    "without memory": state(called("torch._utils._rebuild_meta_tensor_no_storage", *META)),
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
    "another codec": state(called("_codecs.encode", text("a"), text("zlib_codec"))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickles(archive, kind):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError):
        read_weights(archive(HOSTILE[kind], _0=bytes(16)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_entries_over_each_other(archive):
    """A bomb without compression: many entries of the directory show one and the same place."""
    path = archive(state(tensor([4], [1])), _0=bytes(16), big=bytes(100_000))
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
def test_two_entries_of_one_name(archive, name):
    path = archive(state(tensor([4], [1])), _0=bytes(16))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, pickle.dumps(HOSTILE))
    with pytest.raises(ModelError, match="two entries of one name"):
        read_weights(path)


@examples(300)
@given(pickled=checks.spoilt(state(tensor([2, 2], [2, 1]), tensor([4], [1]))))
def test_spoilt_pickles(archive, pickled):
    with checks.refused(ModelError):
        read_weights(archive(pickled, _0=bytes(16)))


KINDS = ["F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "F8_E8M0", "F4", "C64", "X", 3]
NUMBERS = st.sampled_from([0, 1, 2, 4, 16, -1, 1 << 40, 1 << 63, 0.5, None, "2"])
TWO = st.lists(NUMBERS, min_size=2, max_size=2)
WHOLE = save({"a": torch.ones(3, 4), "b": torch.ones(2, dtype=torch.float16)})


@st.composite
def with_other_headers(draw):
    """Draw a file of safetensors which says something else about its one tensor."""
    kind = st.fixed_dictionaries({"dtype": st.sampled_from(KINDS)})
    places = [st.fixed_dictionaries({key: TWO}) for key in ("shape", "data_offsets", "extra")]
    good = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    about = draw(st.sampled_from([{}, {"a": "b"}, 3]))
    header = json.dumps({"a": good | draw(st.one_of(kind, *places)), "__metadata__": about})
    lengths = [*[len(header)] * 5, 0, 1, 1 << 20, 1 << 62, (1 << 64) - 1]
    return struct.pack("<Q", draw(st.sampled_from(lengths))) + header.encode() + bytes(16)


@examples(240)
@given(content=checks.spoilt(WHOLE) | with_other_headers())
def test_spoilt_safetensors(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with checks.refused(ModelError):
        read_weights(path)
