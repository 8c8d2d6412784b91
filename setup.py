"""What pyproject.toml cannot say: an sdist in which only the files' own content counts."""

import gzip
import os
import tarfile
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

_FIRST_TIME_OF_ZIP = 315532800
_TIME = int(os.environ.get("SOURCE_DATE_EPOCH", _FIRST_TIME_OF_ZIP))


class ReproducibleSdist(sdist):
    """Leaves out whose files they were, when they were made, and how a folder was sorted."""

    def make_archive(
        self,
        base_name: str,
        format: str,  # noqa: A002
        root_dir: str | None = None,
        base_dir: str | None = None,
        owner: str | None = None,
        group: str | None = None,
    ) -> str:
        """Write the folder `base_dir` as a .tar.gz, and return its path."""
        path = f"{base_name}.tar.gz"
        files = sorted(file for file in Path(base_dir or ".").rglob("*") if file.is_file())
        with (
            gzip.GzipFile(path, "wb", mtime=_TIME) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for file in files:
                archive.add(file, file.as_posix(), filter=_plain)
        return path


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = _TIME
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member


setup(cmdclass={"sdist": ReproducibleSdist})
