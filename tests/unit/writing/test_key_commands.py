"""The `key` commands as a script meets them: exit codes, one JSON line at the end, nothing else on stdout."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MIB = 1 << 20


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


def key(*words: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "smartos_wizard", "key", *words],
        check=False,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def data() -> bytes:
    table = bytearray(random.Random(3).randbytes(9 * MIB))
    table[510:512] = b"\x55\xaa"
    table[512:520] = b"EFI PART"
    table[544:552] = (len(table) // 512 - 1).to_bytes(8, "little")
    return bytes(table)


@pytest.fixture
def image(tmp_path: Path, data: bytes) -> tuple[str, str]:
    path = tmp_path / "smartos-20260903T001557Z-USB.img.gz"
    path.write_bytes(gzip.compress(data, 1))
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_written_proven_checked_and_found_changed(
    tmp_path: Path, image: tuple[str, str], data: bytes
) -> None:
    target = tmp_path / "vm.img"
    written = key("write", str(target), "--file", "--image", image[0], "--sha256", image[1], "--json")
    assert written.code == 0, written
    assert target.read_bytes() == data
    assert written.last["event"] == "plan-finished"
    row = written.last["result"]["keys"][0]
    assert row["state"] == "proven"
    receipt = json.loads(Path(row["receipt"]).read_text())
    assert receipt["source"]["digest"] == image[1]
    assert receipt["result"] == "proven"
    for line in written.out.splitlines():
        json.loads(line)

    checked = key("check", str(target), "--file", "--image", image[0], "--sha256", image[1], "--json")
    assert checked.code == 0

    with target.open("r+b") as file:
        file.seek(7_000_001)
        file.write(bytes([data[7_000_001] ^ 1]))
    checked = key("check", str(target), "--file", "--image", image[0], "--sha256", image[1], "--json")
    assert checked.code == 8
    assert checked.last["offset"] == 7_000_001
    assert checked.last["exit_code"] == 8
    assert target.stat().st_size == len(data)


def test_an_existing_file_must_be_named_to_be_erased(
    tmp_path: Path, image: tuple[str, str], data: bytes
) -> None:
    target = tmp_path / "vm.img"
    target.write_bytes(b"precious")
    words = ("write", str(target), "--file", "--image", image[0], "--sha256", image[1])
    assert key(*words).code == 4
    assert key(*words, "--confirm", "something else").code == 4
    assert key(*words, "--dry-run").code == 0
    assert target.read_bytes() == b"precious"
    assert key(*words, "--confirm", str(target)).code == 0
    assert target.read_bytes() == data


def test_what_nobody_vouches_for_is_refused_unless_said_and_typed(
    tmp_path: Path, image: tuple[str, str]
) -> None:
    target = tmp_path / "vm.img"
    words = ("write", str(target), "--file", "--image", image[0], "--json")
    assert key(*words).code == 6
    assert key(*words, "--unverified").code == 6
    assert not target.exists()
    assert key(*words, "--unverified", "--confirm", "unverified").code == 0


def test_a_wrong_digest_is_refused_before_anything_is_made(tmp_path: Path, image: tuple[str, str]) -> None:
    target = tmp_path / "vm.img"
    said = key("write", str(target), "--file", "--image", image[0], "--sha256", "0" * 64, "--json")
    assert said.code == 6
    assert not target.exists()
    assert said.last["reference"] == "checksum-mismatch"


def test_a_damaged_image_whose_digest_is_right_fails_while_writing(
    tmp_path: Path, image: tuple[str, str]
) -> None:
    path = Path(image[0])
    path.write_bytes(path.read_bytes()[:-5000])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    target = tmp_path / "vm.img"
    said = key("write", str(target), "--file", "--image", str(path), "--sha256", digest, "--json")
    assert said.code == 7
    assert said.last["reference"] == "truncated-stream"
    assert not target.exists() or not any(target.read_bytes()[:MIB])
    assert "PROVEN" not in said.out + said.err


def test_an_iso_is_no_key(tmp_path: Path) -> None:
    iso = tmp_path / "smartos.iso"
    body = bytearray(64 * 2048)
    body[16 * 2048 + 1 : 16 * 2048 + 6] = b"CD001"
    iso.write_bytes(body)
    said = key(
        "write",
        str(tmp_path / "vm.img"),
        "--file",
        "--image",
        str(iso),
        "--sha256",
        hashlib.sha256(iso.read_bytes()).hexdigest(),
        "--json",
    )
    assert said.code == 4, said


def test_words_that_make_no_sense_are_usage(tmp_path: Path, image: tuple[str, str]) -> None:
    assert key("write", "x").code == 2
    assert key("write", "x", "--release", "latest", "--image", image[0]).code == 2
    assert key("write", "x", "--image", str(tmp_path / "none")).code == 2


def test_a_disk_that_is_not_there_is_refused(image: tuple[str, str]) -> None:
    said = key("write", "/dev/does-not-exist", "--image", image[0], "--sha256", image[1], "--json")
    assert said.code == 4
    assert said.last["reference"] == "no-such-disk"


@pytest.mark.slow
def test_a_restored_file_is_one_empty_fat32(tmp_path: Path) -> None:
    target = tmp_path / "stick.img"
    target.write_bytes(bytes([7]) * (64 * MIB))
    assert key("restore", str(target), "--file", "--confirm", "no").code == 4
    said = key("restore", str(target), "--file", "--confirm", str(target), "--label", "PHOTOS", "--json")
    assert said.code == 0, said
    first = target.read_bytes()[:512]
    assert first[450] == 0x0C
    assert first[510:] == b"\x55\xaa"
    volume = target.read_bytes()[MIB : MIB + 512]
    assert volume[82:90] == b"FAT32   "
    shown = key("show", str(target), "--file", "--json")
    assert shown.code == 0
    assert json.loads(shown.out)["stamp"] == ""


@pytest.mark.parametrize("name", ["write", "check", "show", "restore", "boot-test", "eject", "list"])
def test_every_command_has_an_example(name: str) -> None:
    said = key(name, "--help")
    assert said.code == 0
    assert f"smartos-wizard key {name}" in said.out
