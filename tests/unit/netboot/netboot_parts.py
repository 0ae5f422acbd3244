"""Platforms as tarballs, good and odd, and the real command on them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.cli.main import main

OLD, NEW = "20260806T000411Z", "20260903T001557Z"
KERNEL = b"\x7fELF" + bytes(60) + b"\x02\xb0\xad\x1b" + bytes(4000)
ARCHIVE = bytes(range(256)) * 8192


def files(stamp: str, archive: bytes = ARCHIVE, hash_line: str | None = None) -> dict[str, bytes]:
    """What a platform holds, by path below its one directory."""
    sum_ = hashlib.sha1(archive, usedforsecurity=False).hexdigest() if hash_line is None else hash_line
    return {
        "root.password": b"secret\n",
        "etc/version/platform": f"{stamp}\n".encode(),
        "i86pc/kernel/amd64/unix": KERNEL,
        "i86pc/amd64/boot_archive": archive,
        "i86pc/amd64/boot_archive.hash": f"{sum_}\n".encode(),
        "i86pc/amd64/boot_archive.manifest": b"much\n",
    }


def member(name: str, data: bytes = b"", **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    """One member of a tarball; `more` are fields of TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tarball(
    path: Path, stamp: str = NEW, content: dict[str, bytes] | None = None, extra: Iterable[tuple[tarfile.TarInfo, bytes]] = ()
) -> Path:  # fmt: skip
    """A tarball of these files below `platform-<stamp>/`, and of further members."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in (files(stamp) if content is None else content).items():
            info, _ = member(f"platform-{stamp}/{name}", data)
            tar.addfile(info, io.BytesIO(data))
        for info, data in extra:
            tar.addfile(info, io.BytesIO(data))
    path.write_bytes(gzip.compress(raw.getvalue(), 1))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found

    @property
    def reference(self) -> str:
        return str(self.last.get("reference", ""))


Command = Callable[..., Said]


def command(capsys: pytest.CaptureFixture[str], *, practice: bool = False) -> Command:
    """`netboot …` in this process."""

    def call(*words: str | Path) -> Said:
        given = [*(["--practice"] if practice else []), "netboot", *(str(word) for word in words)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["smartos-wizard", *given])  # an error looks there for --json
            with pytest.raises(SystemExit) as left:
                main(given)
        out, err = capsys.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return call


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Every file below a directory."""
    return {
        str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))
    }
