"""What files say beside the sound, titles, tempo, loops and markers, carried to a new file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

# What is true of a new song as well; not how loud the recording was or who encoded it.
_FIELDS = frozenset(
    {
        *("album", "albumartist", "arranger", "artist", "author", "bpm", "comment", "composer"),
        *("conductor", "copyright", "date", "description", "discnumber", "genre", "grouping"),
        *("initialkey", "isrc", "key", "license", "lyricist", "mood", "organization"),
        *("performer", "title", "tracknumber", "version", "website"),
    }
)
_OTHER_NAMES = {
    "album_artist": "albumartist",
    "track": "tracknumber",
    "tbpm": "bpm",
    "tempo": "bpm",
}
_PICTURES = ("metadata_block_picture", "APIC", "covr", "WM/Picture")
# By container, the chunks that are kept and what they hold. Those of the first row speak of places
# in the sound, and go where it has another length.
_PLACED = {
    b"RIFF": {b"smpl": "loop points", b"cue ": "markers", b"plst": "markers", b"adtl": "markers"},
    b"FORM": {b"MARK": "markers", b"INST": "loop points"},
}
_CHUNKS: dict[bytes, dict[bytes, str]] = {
    b"RIFF": {
        b"acid": "tempo",
        b"inst": "key range",
        b"bext": "time code",
        b"iXML": "iXML",
        b"cart": "cart",
    },
    b"FORM": {b"basc": "tempo", b"trns": "transients", b"cate": "category"},
}
_MOST_CHUNK = 2**24
# Of each container, which fields libsndfile writes, where mutagen does not.
_INFO = ("title", "copyright", "artist", "comment", "date", "album", "tracknumber", "genre")
_STRINGS = {"WAV": _INFO, "AIFF": _INFO[:4], "CAF": (*_INFO, "license"), "MP3": ("comment",)}


@dataclass(frozen=True)
class Tags:
    """What a file says beside the sound.

    Attributes
    ----------
    fields : dict
        Texts by mutagen's "easy" names: title, artist, bpm …
    container : bytes
        Whose chunks are kept: ``b"RIFF"``, ``b"FORM"`` or none.
    chunks : dict
        Their contents, by name.
    others : frozenset of str
        What there is that no new file gets: a picture.
    length : tuple of int
        Samples and their rate, for what speaks of places in the sound.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    container: bytes = b""
    chunks: Mapping[bytes, bytes] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    length: tuple[int, int] = (0, 0)

    def lost(self, fields: set[str], chunks: set[bytes]) -> list[str]:
        """Return the names of what is in neither."""
        kinds = {**_CHUNKS.get(self.container, {}), **_PLACED.get(self.container, {})}
        names = {kinds[one] for one in self.chunks if one not in chunks}
        names |= {"tempo" if one == "bpm" else one for one in self.fields if one not in fields}
        if "bpm" in fields or b"acid" in chunks:
            names.discard("tempo")
        return sorted(names | self.others)


def read_tags(file: BinaryIO, strings: Mapping[str, str], length: tuple[int, int]) -> Tags | None:
    """Return what a file says beside the sound, or None.

    Parameters
    ----------
    file : file object
        At any place.
    strings : dict
        What whoever read the sound has found already, by any names.
    length : tuple of int
        Samples and their rate.
    """
    fields = dict(_known(strings))
    others = set()
    container = b""
    chunks: dict[bytes, bytes] = {}
    # Nobody's sound is to be refused for a damaged title.
    with suppress(Exception):
        import mutagen

        file.seek(0)
        easy = mutagen.File(file, easy=True)
        for name, value in dict((easy and easy.tags) or {}).items():
            if name.startswith(_PICTURES):
                others.add("picture")
            elif isinstance(value, list):
                fields.update(_known({name: "; ".join(map(str, value))}))
        if getattr(easy, "pictures", None) or _has_picture(file):
            others.add("picture")
    with suppress(Exception):
        container, chunks = _kept_chunks(file)
        if b"acid" in chunks and struct.unpack_from("<f", chunks[b"acid"], 20)[0] > 0:
            fields.setdefault("bpm", f"{struct.unpack_from('<f', chunks[b'acid'], 20)[0]:g}")
    if not (fields or chunks or others):
        return None
    return Tags(fields, container, chunks, frozenset(others), length)


def _known(strings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in strings.items():
        name = name.lower()
        name = _OTHER_NAMES.get(name, name)
        if name in _FIELDS and text.strip():
            yield name, text.strip()


def _has_picture(file: BinaryIO) -> bool:
    import mutagen

    file.seek(0)
    plain = mutagen.File(file)
    return any(str(name).startswith(_PICTURES) for name in (plain and plain.tags) or ())


def chunks_of(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of each chunk of a RIFF or AIFF file; none of another's."""
    file.seek(0)
    head = file.read(12)
    order = {b"RIFF": "<", b"FORM": ">"}.get(head[:4])
    if order is None or head[8:12] not in (b"WAVE", b"AIFF", b"AIFC"):
        return
    place = 12
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield name, place + 8, size
        place += 8 + size + size % 2


def _kept_chunks(file: BinaryIO) -> tuple[bytes, dict[bytes, bytes]]:
    file.seek(0)
    container = file.read(4)
    wanted = {**_CHUNKS.get(container, {}), **_PLACED.get(container, {})}
    kept: dict[bytes, bytes] = {}
    for name, place, size in chunks_of(file):
        if name in wanted or name == b"LIST":
            file.seek(place)
            content = file.read(min(size, _MOST_CHUNK))
            if name != b"LIST":
                kept[name] = content
            elif content[:4] == b"adtl":
                kept[b"adtl"] = content
    return container, kept


def add_strings(sound: Any, container: str, tags: Tags | None) -> set[str]:
    """Give the fields to a libsndfile file that is about to be written; return which it took."""
    taken = set(tags.fields if tags else ()) & set(_STRINGS.get(container, ()))
    for name in sorted(taken):
        setattr(sound, name, tags.fields[name])  # type: ignore[union-attr]
    return taken


def add_fields(file: BinaryIO, tags: Tags) -> set[str]:
    """Write fields into a finished file, where mutagen knows how; return which."""
    import mutagen

    taken: set[str] = set()
    file.seek(0)
    easy = mutagen.File(file, easy=True)
    if easy is None:
        return taken
    if easy.tags is None:
        easy.add_tags()
    for name, text in tags.fields.items():
        # Each kind of tag refuses the names that it has no place for.
        with suppress(Exception):
            easy[name] = [text]
            taken.add(name)
    file.seek(0)
    easy.save(file)
    return taken


def add_chunks(file: BinaryIO, tags: Tags, length: tuple[int, int]) -> set[bytes]:
    """Append chunks to a finished RIFF or AIFF file of the same container; return which."""
    file.seek(0)
    container = file.read(4)
    if container != tags.container or not tags.chunks:
        return set()
    fitting = {
        name: content
        for name, content in tags.chunks.items()
        if name not in _PLACED[container] or length == tags.length
    }
    order = "<" if container == b"RIFF" else ">"
    end = file.seek(0, 2)
    file.write(bytes(end % 2))
    for name, content in fitting.items():
        name = b"LIST" if name == b"adtl" else name
        file.write(struct.pack(f"{order}4sI", name, len(content)) + content)
        file.write(bytes(len(content) % 2))
    size = file.tell() - 8
    file.seek(4)
    file.write(struct.pack(f"{order}I", size))
    return set(fitting)
