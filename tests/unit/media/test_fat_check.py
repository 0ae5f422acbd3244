"""The judge of FAT volumes: nothing said about sound ones, every damage noticed, no bytes make it stumble."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.media import fsck
from smartos_wizard.media.fat_check import check_volume, metadata_spans
from smartos_wizard.media.fat_format import format_fat32
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image
from tests.unit.media.fat_damages import DAMAGES, DAMAGES_OF_FAT32, LONG, TREE, Fat
from tests.unit.media.fat_sample import FAT32_SIZE, reading, sample, size_of

CASES = [(wide, name) for wide in (True, False) for name in DAMAGES] + [
    (True, name) for name in DAMAGES_OF_FAT32
]
# What the trusting finder of fields meets in a volume that is damaged already.
NOTHING_LEFT = (
    KeyError,
    IndexError,
    StopIteration,
    AssertionError,
    OverflowError,
    ValueError,
    ZeroDivisionError,
)
KINDS = pytest.mark.parametrize("wide", [True, False], ids=["FAT32", "FAT16"])


def judged(image: bytes | bytearray, wide: bool = True, first: int = 0) -> tuple[str, ...]:
    return check_volume(reading(image, size_of(wide), first), first, size_of(wide))


def damaged(name: str, wide: bool = True) -> bytearray:
    image = bytearray(sample(wide))
    (DAMAGES | DAMAGES_OF_FAT32)[name](Fat(image))
    assert image != sample(wide)
    return image


@KINDS
@pytest.mark.parametrize("first", [0, 1 << 20])
def test_a_sound_volume_is_clean_wherever_it_lies(wide: bool, first: int) -> None:
    assert judged(sample(wide), wide, first) == ()


def test_both_volumes_of_a_practice_key_are_clean(tmp_path: Path) -> None:
    image = build_usb_image(tmp_path / "key.img", "20260903T001557Z", boot_archive_size=1 << 20)
    with image.open("rb") as file:

        def pread(at: int, length: int) -> bytes:
            file.seek(at)
            return file.read(length)

        for part in (gpt.LOADER, gpt.ROOT):
            assert check_volume(pread, part.offset, part.size) == ()


@pytest.mark.parametrize(("wide", "name"), CASES, ids=[f"{n} FAT{32 if w else 16}" for w, n in CASES])
def test_every_damage_is_noticed(wide: bool, name: str) -> None:
    assert judged(damaged(name, wide), wide)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chains crossed", "big.bin"),
        ("chain circle", "big.bin runs in a circle at cluster"),
        ("chain leaves", "which this volume does not have"),
        ("size too large", "big.bin has 10,600 bytes, so it needs 21 clusters, but it has 20."),
        ("lost chain", "2 clusters are taken, but belong to no file or directory"),
        ("lost cluster", "is taken, but belongs to no file or directory"),
        ("long checksums", "In platform the long name before"),
        (
            "long without short",
            "In the root directory there are parts of a long name that belong to no file.",
        ),
        ("long twice", "the name twin number 1.txt is there twice"),
        ("dirty boot sector", "not properly unmounted"),
        ("free count", "FSInfo says that"),
        ("table copies", "The copies of the file allocation table differ, first at cluster"),
        (
            "directory becomes file",
            "platform/i86pc/amd64/deep has 0 bytes, so it needs 0 clusters, but it has 1.",
        ),
        ("file becomes directory", "platform/short.txt is called a directory, but does not begin like one."),
    ],
)
def test_what_is_wrong_is_said(name: str, words: str) -> None:
    assert any(words in sentence for sentence in judged(damaged(name)))


def test_a_shared_cluster_names_both_files() -> None:
    said = [sentence for sentence in judged(damaged("chains crossed")) if "shares" in sentence]
    assert len(said) == 1
    assert "big.bin" in said[0]
    assert "other.bin" in said[0]


def test_an_unknown_free_count_and_hint_are_fine() -> None:
    image = bytearray(sample(True))
    image[512 + 488 : 512 + 496] = b"\xff" * 8
    assert judged(image) == ()


def test_other_boot_code_in_the_backup_is_fine() -> None:
    image = bytearray(sample(True))
    image[200:300] = b"c" * 100
    assert judged(image) == ()


def test_a_fragmented_file_is_clean() -> None:
    image = bytearray(sample(True))
    fat = Fat(image)
    chain = fat.chain(fat.start(fat.entry("big.bin")))
    order = [*chain[::2], *reversed(chain[1::2])]
    for here, following in zip(order, [*order[1:], fat.end], strict=True):
        fat.link(here, following)
    assert judged(image) == ()


def with_a_long_file() -> Fat:
    """The sample, `other.bin` moved to clusters 5000 to 29,999 in one piece."""
    fat = Fat(bytearray(sample(True)))
    entry = fat.entry("other.bin")
    moved = fat.chain(fat.start(entry))
    for cluster in moved:
        fat.link(cluster, 0)
    for cluster in range(5000, 30_000):
        fat.link(cluster, cluster + 1 if cluster < 29_999 else fat.end)
    fat.set_start(entry, 5000)
    fat.put(entry + 28, 25_000 * 512 - 1)
    fat.put(512 + 488, fat.get(512 + 488) + len(moved) - 25_000)
    return fat


def test_a_long_file_in_one_piece_is_clean() -> None:
    assert judged(with_a_long_file().image) == ()


@pytest.mark.parametrize("cluster", [5000, 5001, 9095, 9096, 9097, 24_000, 29_999])
def test_two_long_chains_that_meet_somewhere(cluster: int) -> None:
    fat = with_a_long_file()
    fat.link(fat.chain(fat.start(fat.entry("big.bin")))[-1], cluster)
    assert any(
        f"shares cluster {cluster} with" in s or "shares cluster 5000 with" in s for s in judged(fat.image)
    )


@pytest.mark.parametrize("cluster", [5000, 17_000, 29_999])
def test_a_long_chain_with_a_gap(cluster: int) -> None:
    fat = with_a_long_file()
    fat.link(cluster, 0)
    assert f"other.bin has cluster {cluster}, which is marked free." in judged(fat.image)


def test_bad_clusters_are_neither_lost_nor_free() -> None:
    image = bytearray(sample(True))
    fat = Fat(image)
    fat.link(fat.free(), 0x0FFFFFF7)
    fat.put(512 + 488, fat.get(512 + 488) - 1)
    assert judged(image) == ()


def test_reserved_bits_of_the_table_are_ignored() -> None:
    image = bytearray(sample(True))
    fat = Fat(image)
    for cluster in (*fat.chain(fat.start(fat.entry("big.bin"))), fat.free()):
        fat.link(cluster, fat.next(cluster) | 0xA0000000)
    assert judged(image) == ()


def test_no_file_system_at_all() -> None:
    assert judged(b"") == ("There is no FAT file system: the boot sector lacks its mark.",)
    assert check_volume(lambda _at, _n: b"", 0, 0) == judged(b"")


def test_a_claimed_exabyte_is_not_read() -> None:
    image = bytearray(sample(True))
    image[32:40] = b"\xff" * 4 + (1 << 20).to_bytes(4, "little")
    assert judged(image)


def test_a_volume_full_of_faults_gives_few_sentences() -> None:
    files = {f"{number}.txt": b"x" for number in range(400)}
    image = bytearray(1 << 20)
    for offset, data in format_fat32(FAT32_SIZE, "x", 1, files=files, fresh=True):
        image[offset : offset + len(data)] = data
    del image[1 << 20 :]
    fat = Fat(image)
    for place in fat.places(""):
        image[place + 28] = 0
    said = judged(image)
    assert 100 <= len(said) <= 101
    assert said[-1].endswith("more things are wrong.")


def _telling_bytes() -> list[int]:
    """Offsets of bytes of which each bit matters: the boot sector's fields, FSInfo's marks, tables, names."""
    fat = Fat(bytearray(sample(True)))
    used = len(TREE) + 60
    out = [at for at in (*range(11, 90), 510, 511) if at != 0x41]
    out += [512 + at for at in (*range(4), *range(484, 488), *range(508, 512))]
    out += [fat.slot(0, copy) + at for copy in range(2) for at in range(used * 4)]
    for path in TREE:
        entry = fat.entry(path.rstrip("/"))
        out += range(entry, entry + 11)
        if path == LONG:
            out += [entry + part + at for part in (-96, -64, -32) for at in (0, 11, 12, 13, 26, 27)]
    return out


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_telling_bytes()), st.integers(1, 255))
def test_any_changed_byte_of_the_metadata_is_noticed(at: int, change: int) -> None:
    image = bytearray(sample(True))
    image[at] ^= change
    assert judged(image)


@settings(max_examples=80, deadline=None)
@given(
    st.booleans(), st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 255)), max_size=30), st.data()
)
def test_any_bytes_give_sentences_and_nothing_else(
    wide: bool, pokes: list[tuple[int, int]], data: st.DataObject
) -> None:
    image = bytearray(sample(wide))
    fat = Fat(bytearray(sample(wide)))
    for at, value in pokes:
        image[at if at < 600 else fat.slot(0) + at - 600 if at < 1200 else fat.root + at - 1200] = value
    names = sorted(DAMAGES)
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2)):
        with contextlib.suppress(*NOTHING_LEFT):
            DAMAGES[name](Fat(image))
    said = judged(image[: data.draw(st.integers(0, len(image)))], wide)
    assert all(sentence.endswith(".") and sentence.isprintable() for sentence in said)


@KINDS
@pytest.mark.parametrize("end", [0, 511, 512, 700, 17_000, 300_000, 600_000])
def test_a_volume_that_cannot_be_read_to_its_end_is_not_clean(wide: bool, end: int) -> None:
    whole = reading(sample(wide), size_of(wide))
    end = min(end, Fat(bytearray(sample(wide))).root)
    assert check_volume(lambda at, n: whole(at, max(0, min(n, end - at))), 0, size_of(wide))


def test_an_error_of_the_device_gets_out() -> None:
    def pread(_at: int, _length: int) -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        check_volume(pread, 0, FAT32_SIZE)


@KINDS
def test_metadata_is_everything_but_the_contents_of_files(wide: bool) -> None:
    fat = Fat(bytearray(sample(wide)))
    spans = metadata_spans(reading(sample(wide), size_of(wide)), 0, size_of(wide))
    held = {cluster for cluster in range(2, 200) if any(a <= fat.offset(cluster) < a + n for a, n in spans)}
    directories = ("platform", "platform/i86pc", "platform/i86pc/amd64/deep/er")
    assert all(set(fat.chain(fat.start(fat.entry(path)))) <= held for path in directories)
    for path, content in TREE.items():
        if content:
            assert held.isdisjoint(fat.chain(fat.start(fat.entry(path))))


@pytest.mark.skipif(not fsck.fsck_available(), reason="fsck.vfat is not installed")
@KINDS
def test_fsck_agrees_on_a_sound_volume_and_a_damaged_one(wide: bool) -> None:
    clean, words = fsck.run_fsck(reading(sample(wide), size_of(wide), 4096), 4096, size_of(wide))
    assert clean, words
    image = damaged("long checksums", wide)
    clean, words = fsck.run_fsck(reading(image, size_of(wide)), 0, size_of(wide))
    assert not clean
    assert "Wrong checksum for long file name" in words
    assert "/tmp" not in words


def test_without_fsck_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fsck, "_PLACES", ())
    assert not fsck.fsck_available()
    assert fsck.run_fsck(reading(sample(True), FAT32_SIZE), 0, FAT32_SIZE) == (
        False,
        "fsck.vfat is not installed.",
    )
