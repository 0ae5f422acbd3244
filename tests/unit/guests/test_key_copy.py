"""The guest's own copy of the image: the same bytes, no more room than the image takes, checked, and stoppable."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import random
import resource
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Cancelled, ChecksumFailed, WriteFailed
from smartos_wizard.guests import key_copy
from smartos_wizard.guests.key_copy import KeyCopy, filled
from smartos_wizard.media.model import ImageKind, VerifiedImage

MIB = 1 << 20
SIZE = 41 * MIB + 512  # no multiple of anything but a sector


def content(seed: int = 7) -> dict[int, bytes]:
    """Data by offset: at the beginning, across a slot's border, small and alone, at the very end."""
    noise = random.Random(seed)
    places = {0: 3 * MIB, 7 * MIB + 4096: 2 * MIB + 777, 20 * MIB + 5: 1, 33 * MIB: 8192, SIZE - 513: 513}
    return {at: noise.randbytes(length) for at, length in places.items()}


def whole() -> bytes:
    data = bytearray(SIZE)
    for at, piece in content().items():
        data[at : at + len(piece)] = piece
    return bytes(data)


def sparse(path: Path) -> Path:
    with path.open("wb") as file:
        for at, piece in content().items():
            file.seek(at)
            file.write(piece)
    return path


def dense(path: Path) -> Path:
    path.write_bytes(whole())
    return path


def packed(path: Path) -> Path:
    path.write_bytes(gzip.compress(whole(), 1))
    return path


def image_of(path: Path, algorithm: str = "sha256", kind: ImageKind = ImageKind.RAW) -> VerifiedImage:
    digest = "" if algorithm == "none" else hashlib.new(algorithm, path.read_bytes()).hexdigest()
    return VerifiedImage(path, kind, algorithm, digest, "the test", "stamp")


def taken(path: Path) -> int:
    return path.stat().st_blocks * 512


MADE = [(sparse, ImageKind.RAW), (dense, ImageKind.RAW), (packed, ImageKind.GZIP)]


@pytest.mark.parametrize("algorithm", ["sha256", "md5", "none"])
@pytest.mark.parametrize(("made", "kind"), MADE)
def test_it_is_the_same_and_takes_no_more_room(
    made: Callable[[Path], Path], kind: ImageKind, algorithm: str, tmp_path: Path
) -> None:
    source, least = made(tmp_path / "image"), sparse(tmp_path / "least")
    copy = KeyCopy(image_of(source, algorithm, kind), tmp_path / "key.img", Cancel())
    assert copy.run() == SIZE == copy.done
    assert (tmp_path / "key.img").read_bytes() == whole()
    assert taken(tmp_path / "key.img") <= taken(least) * 1.05


@pytest.mark.parametrize(("made", "kind"), MADE)
def test_an_image_that_changed_is_noticed(
    made: Callable[[Path], Path], kind: ImageKind, tmp_path: Path
) -> None:
    source = made(tmp_path / "image")
    wrong = VerifiedImage(source, kind, "sha256", "0" * 64, "the test", "stamp")
    with pytest.raises(ChecksumFailed) as caught:
        KeyCopy(wrong, tmp_path / "key.img", Cancel()).run()
    assert caught.value.reference == "image-changed"
    assert caught.value.exit_code == 6


def test_a_stop_is_seen_in_the_middle_and_no_thread_stays(tmp_path: Path) -> None:
    before, cancel = threading.active_count(), Cancel()
    copy = KeyCopy(image_of(dense(tmp_path / "image")), tmp_path / "key.img", cancel, "It was not made.")
    cancel.request()
    with pytest.raises(Cancelled, match="It was not made"):
        copy.run()
    assert 0 < copy.done < SIZE
    assert threading.active_count() == before


def test_the_total_of_a_packed_image_is_known_from_its_partition_table(tmp_path: Path) -> None:
    head = bytearray(1024)
    head[512:520] = b"EFI PART"
    head[544:552] = (SIZE // 512 - 1).to_bytes(8, "little")
    (tmp_path / "image").write_bytes(gzip.compress(bytes(head) + whole()[1024:], 1))
    copy = KeyCopy(image_of(tmp_path / "image", kind=ImageKind.GZIP), tmp_path / "key.img", Cancel())
    copy.run()
    assert copy.total == SIZE == copy.done


@pytest.mark.parametrize(("made", "kind"), MADE)
def test_no_room_is_said_as_that(made: Callable[[Path], Path], kind: ImageKind, tmp_path: Path) -> None:
    """A limit on the size of files, which the kernel itself enforces."""
    image = image_of(made(tmp_path / "image"), kind=kind)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 * MIB, hard))
    try:
        with pytest.raises(WriteFailed) as caught:
            KeyCopy(image, tmp_path / "key.img", Cancel()).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.reference == "guest-disk-full"


@pytest.mark.parametrize("kind", [ImageKind.RAW, ImageKind.GZIP])
def test_an_image_that_is_gone_is_named_and_not_the_copy(kind: ImageKind, tmp_path: Path) -> None:
    source = packed(tmp_path / "image")
    image = image_of(source, kind=kind)
    source.unlink()
    with pytest.raises(WriteFailed) as caught:
        KeyCopy(image, tmp_path / "key.img", Cancel()).run()
    assert caught.value.reference == "image-unreadable"


def test_what_is_there_already_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "key.img").write_text("dear")
    with pytest.raises(WriteFailed) as caught:
        KeyCopy(image_of(sparse(tmp_path / "image")), tmp_path / "key.img", Cancel()).run()
    assert caught.value.reference == "guest-key-unwritten"
    assert (tmp_path / "key.img").read_text() == "dear"


@dataclass
class Kernel:
    """A kernel that does not know holes, or gives few bytes at a time."""

    hand: int

    def read(self, fd: int, views: list[memoryview], offset: int) -> int:
        return _preadv(fd, [views[0][: self.hand]], offset)


_preadv = os.preadv


def test_a_file_system_that_tells_no_holes_and_reads_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = image_of(sparse(tmp_path / "image"))

    def refused(*_: object) -> int:
        raise OSError(errno.EINVAL, "no holes here")

    monkeypatch.setattr(key_copy.os, "lseek", refused)
    monkeypatch.setattr(key_copy.os, "preadv", Kernel(1_000_003).read)
    KeyCopy(source, tmp_path / "key.img", Cancel()).run()
    assert (tmp_path / "key.img").read_bytes() == whole()
    assert taken(tmp_path / "key.img") <= taken(source.path) * 1.05


@st.composite
def _patches(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.integers(1, 600_000)))
    for _ in range(draw(st.integers(0, 6))):
        at, length = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 90_000))
        data[at : at + length] = b"x" * len(data[at : at + length])
    return bytes(data)


def gaps(ranges: Iterator[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    at = 0
    for first, end in ranges:
        assert at <= first < end <= size
        yield at, first
        at = end
    yield at, size


@given(_patches())
def test_what_is_left_out_is_zeros_and_what_is_written_begins_and_ends_with_something(data: bytes) -> None:
    view = memoryview(bytearray(data))
    for first, end in gaps(filled(view), len(data)):
        assert not any(data[first:end])
    for first, end in filled(view):
        assert any(data[first : first + 4096])
        assert any(data[(end - 1) // 4096 * 4096 : end])
