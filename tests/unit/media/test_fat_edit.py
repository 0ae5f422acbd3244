"""The FAT writer against a plain dictionary, against the independent judge, and against being pulled."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.fat_check import check_volume
from smartos_wizard.media.fat_edit import FatEditor
from tests.unit.media.fat_rig import SECTOR, Cut, Memory, tree_of, volume

NOW = 1_700_000_000.0
STOCK = {
    "boot/loader.conf": b'console="text"\n' * 60,
    "boot/loader": b"L" * 5000,
    "platform/i86pc/kernel/amd64/unix": b"old kernel" * 300,
    "platform/i86pc/amd64/boot_archive": b"old archive" * 9000,
    "platform/etc/version/platform": b"20200101T000000Z\n",
    "etc/version/boot": b"20200101T000000Z\n",
}
NEW = {
    "i86pc/kernel/amd64/unix": b"new kernel!" * 310,
    "i86pc/amd64/boot_archive": b"new archive." * 9100,
    "etc/version/platform": b"20250101T000000Z\n",
}


def clean(memory: Memory) -> None:
    assert check_volume(memory.pread, 0, memory.size) == ()


def files(memory: Memory) -> dict[str, bytes]:
    return {path: data for path, data in tree_of(memory).items() if data is not None}


def upgrade(editor: FatEditor, new: dict[str, bytes], keep: str = "previous/platform") -> None:
    staged = {path: editor.stage(len(data), (data,)) for path, data in new.items()}
    tree = editor.tree(staged)
    editor.remove(keep)
    editor.exchange("platform", tree, keep)
    editor.commit("platform")


def test_a_new_file_is_there_and_nothing_else_changed() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    editor.put("boot/loader.conf.local", b'console="ttya"\n')
    editor.put("private/answers.json", b"{}" * 700)
    assert editor.commit()
    assert files(memory) == STOCK | {
        "boot/loader.conf.local": b'console="ttya"\n',
        "private/answers.json": b"{}" * 700,
    }
    clean(memory)


def test_nothing_to_do_writes_nothing() -> None:
    memory = volume(STOCK)
    assert not FatEditor(memory, now=NOW).commit()
    assert [e for e in memory.log if e] == []


def test_putting_and_taking_away_leaves_the_same_files_and_no_old_bytes() -> None:
    memory = volume(STOCK)
    for content in (b"secret-1" * 200, b"secret-2"):
        editor = FatEditor(memory, now=NOW)
        editor.put("private/answers.json", content)
        editor.commit()
    editor.remove("private/answers.json")
    editor.remove_empty("private")
    editor.commit()
    assert tree_of(memory) == tree_of(volume(STOCK))
    assert not [at for at, data in memory.sectors.items() if b"secret" in data]
    clean(memory)


def test_upgrade_keeps_the_old_platform_and_swap_brings_it_back() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    upgrade(editor, NEW)
    old = {p.removeprefix("platform/"): d for p, d in STOCK.items() if p.startswith("platform/")}
    rest = {p: d for p, d in STOCK.items() if not p.startswith("platform/")}
    after = {f"platform/{p}": d for p, d in NEW.items()} | {
        f"previous/platform/{p}": d for p, d in old.items()
    }
    assert files(memory) == rest | after
    clean(memory)
    editor.swap("platform", "previous/platform")
    editor.commit("platform")
    assert files(memory) == rest | {f"previous/platform/{p}": d for p, d in NEW.items()} | {
        f"platform/{p}": d for p, d in old.items()
    }
    clean(memory)


def test_a_second_upgrade_drops_the_platform_before_the_last() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    free = editor.free
    upgrade(editor, NEW)
    upgrade(editor, {p: d + b"2" for p, d in NEW.items()})
    assert files(memory)["previous/platform/etc/version/platform"] == NEW["etc/version/platform"]
    assert files(memory)["platform/etc/version/platform"] == NEW["etc/version/platform"] + b"2"
    assert editor.free < free
    clean(memory)


def test_many_names_let_a_directory_grow() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    wanted = {f"local/a rather long name, number {n}.txt": b"x" * n for n in range(120)}
    for path, data in wanted.items():
        editor.put(path, data)
    editor.commit()
    assert files(memory) == STOCK | wanted
    clean(memory)
    for n in range(0, 120, 2):
        editor.remove(f"local/A RATHER long name, number {n}.txt")
    editor.put("local/Ünïcödé ✓ name", b"u")
    editor.commit()
    left = {p: d for n, (p, d) in enumerate(wanted.items()) if n % 2}
    assert files(memory) == STOCK | left | {"local/Ünïcödé ✓ name": b"u"}
    clean(memory)


def test_larger_clusters_and_a_full_volume() -> None:
    memory = volume(STOCK, size=300 << 20, spc=8)
    editor = FatEditor(memory, now=NOW)
    editor.put("a/b/c.bin", b"c" * 100_001)
    editor.commit()
    assert files(memory) == STOCK | {"a/b/c.bin": b"c" * 100_001}
    clean(memory)
    before, log = dict(memory.sectors), len(memory.log)
    with pytest.raises(Refused, match="room") as caught:
        editor.stage(editor.free + 1, (bytes(editor.free + 1),))
    assert caught.value.reference == "no-space"
    assert memory.sectors == before
    assert len(memory.log) == log


def test_filled_to_the_last_cluster_the_journal_goes_into_reserved_sectors() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    size = editor.free
    editor.put("fill", bytes([7]) * size)
    editor.commit()
    assert editor.free == 0
    clean(memory)
    editor.remove("fill")
    editor.commit()
    assert editor.free == size
    clean(memory)


def test_a_large_journal_goes_into_free_clusters_and_leaves_zeros() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    for n in range(400):
        editor.put(f"many/{random.Random(n).randbytes(8).hex()}-{n}.bin", random.Random(n).randbytes(700))
    editor.commit()
    for n, name in enumerate(editor.names("many")):
        if n % 2:
            editor.remove(f"many/{name}")
    editor.put("boot/loader.conf.local", random.Random(1).randbytes(90_000))
    for n in range(30):
        editor.put(f"many/{n}.again", random.Random(n).randbytes(5000))
    assert editor.commit()
    clean(memory)
    assert memory.read(9 * SECTOR, 23 * SECTOR) == bytes(23 * SECTOR)


def test_the_mark_of_a_key_that_was_not_unmounted_is_cleared() -> None:
    memory = volume(STOCK)
    boot = bytearray(memory.sectors[0])
    boot[0x41] |= 1
    memory.sectors[0] = bytes(boot)
    assert check_volume(memory.pread, 0, memory.size)
    editor = FatEditor(memory, now=NOW)
    assert editor.commit()
    clean(memory)
    assert not editor.commit()


@pytest.mark.parametrize("counts", [(7, 2), (0xFFFFFFFE, 5), (100, 0), (100, 0xFFFFFFF0)])
def test_a_wrong_count_of_free_clusters_is_put_right(counts: tuple[int, int]) -> None:
    memory = volume(STOCK)
    info = bytearray(memory.sectors[SECTOR])
    info[488:496] = struct.pack("<II", *counts)
    memory.sectors[SECTOR] = bytes(info)
    assert FatEditor(memory, now=NOW).commit()
    clean(memory)


@pytest.mark.parametrize(
    ("offset", "data", "reference"),
    [
        (0, bytes(SECTOR), "not-fat32"),
        (0, b"\xff" * SECTOR, "not-fat32"),
        ((32 + 40) * SECTOR, b"\x01" * SECTOR, "file-system-damaged"),
    ],
)
def test_what_is_damaged_or_no_fat_is_refused_unchanged(offset: int, data: bytes, reference: str) -> None:
    memory = volume(STOCK)
    memory.sectors[offset] = data
    before = dict(memory.sectors)
    with pytest.raises(Refused) as caught:
        FatEditor(memory)
    assert caught.value.reference == reference
    assert memory.sectors == before


def test_a_file_in_the_way_of_a_directory_and_the_other_way_round() -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    for path in ("boot", "boot/loader/x"):
        with pytest.raises(Refused, match="Nothing was changed"):
            editor.put(path, b"")


def test_somebody_else_wrote_after_the_cut_so_nothing_is_finished_blindly() -> None:
    memory = volume(STOCK)
    other = memory.copy()
    FatEditor(other).put("x", b"")  # never committed
    editor = FatEditor(memory, now=NOW)
    editor.put("private/answers.json", b"{}")
    editor.put("boot/loader.conf.local", b"a")
    start = len(memory.log)
    base = volume(STOCK)
    editor.commit()
    log = memory.log[start:]
    header = next(i for i, e in enumerate(log) if e and e[1].startswith(b"SMARTOS-WIZARD"))
    cut = base.after(memory.log[:start] + log, start + header + 2, None)
    root = next(at for at, data in cut.sectors.items() if data.startswith(b"SMARTOSBOOT"))
    cut.sectors[root] = cut.sectors[root][:480] + b"OTHER   TXT\x20".ljust(32, b"\0")
    with pytest.raises(Refused) as caught:
        FatEditor(cut)
    assert caught.value.reference == "changed-since"


def commits() -> dict[str, tuple[dict[str, bytes], object]]:
    """Kinds of change, each with the files before and what does it."""

    def configure(editor: FatEditor) -> None:
        editor.put("boot/bootfs/etc/system", b"set x=1\n")
        editor.put("boot/loader.conf.local", b'console="ttyb"\n' * 50)
        editor.put("private/answers.json", b"{}" * 600)
        editor.commit("boot/loader.conf.local")

    def again(editor: FatEditor) -> None:
        editor.put("boot/loader.conf.local", b"other" * 300)
        editor.remove("private/answers.json")
        editor.remove_empty("private")
        for n in range(12):
            editor.put(f"boot/another long name {n}", b"%d" % n)
        editor.commit("boot/loader.conf.local")

    def rollback(editor: FatEditor) -> None:
        editor.swap("platform", "previous/platform")
        editor.commit("platform")

    small = {p: d[:2000] for p, d in NEW.items()}
    configured = STOCK | {"boot/loader.conf.local": b"1" * 900, "private/answers.json": b"{}" * 300}
    upgraded = STOCK | {f"previous/platform/{p}": b"older" + d[:900] for p, d in NEW.items()}
    return {
        "configure": (STOCK, configure),
        "again": (configured, again),
        "upgrade": (STOCK, lambda editor: upgrade(editor, small)),
        "upgrade-again": (upgraded, lambda editor: upgrade(editor, small)),
        "rollback": (upgraded, rollback),
    }


@pytest.mark.parametrize("kind", list(commits()))
@pytest.mark.parametrize("lossy", [False, True], ids=["in-order", "unsynced-lost"])
def test_pulled_at_any_write_it_is_as_before_or_as_asked(kind: str, lossy: bool) -> None:
    """Whoever looks sees whole old or whole new files, and opening it again leaves exactly one of the two trees."""
    before, act = commits()[kind]
    base = volume(before)
    done = base.copy()
    assert callable(act)
    act(FatEditor(done, now=NOW))
    old, new = tree_of(base), tree_of(done)
    assert old != new
    seen = set()
    for writes in range(len(done.log) + 1):
        cut = base.after(done.log, writes, random.Random(writes) if lossy else None)
        half = tree_of(cut)
        for path, data in half.items():
            assert data in (old.get(path, b"?"), new.get(path, b"?")), (writes, path)
        platform = {p: d for p, d in half.items() if p.startswith("platform")}
        assert platform in [{p: d for p, d in t.items() if p.startswith("platform")} for t in (old, new)]
        try:
            editor = FatEditor(cut, now=NOW)
        except Refused as refused:
            pytest.fail(f"{writes}: {refused}")
        healed = tree_of(cut)
        assert healed in (old, new), writes
        assert check_volume(cut.pread, 0, cut.size) == (), writes
        assert not FatEditor(cut).recovered
        seen.add((healed == new, editor.recovered))
    assert {(False, False), (True, True), (True, False)} <= seen


def test_pulled_while_finishing_it_can_be_finished_again() -> None:
    before, act = commits()["upgrade-again"]
    base = volume(before)
    done = base.copy()
    assert callable(act)
    act(FatEditor(done, now=NOW))
    header = next(i for i, e in enumerate(done.log) if e and e[1].startswith(b"SMARTOS-WIZARD"))
    new = tree_of(done)
    for writes in range(header + 2, len(done.log), 5):
        for limit in range(0, 400, 7):
            cut = base.after(done.log, writes, random.Random(writes))
            cut.limit = limit
            try:
                FatEditor(cut, now=NOW)
            except Cut:
                cut.limit = None
                FatEditor(cut, now=NOW)
                assert tree_of(cut) == new
                assert check_volume(cut.pread, 0, cut.size) == ()
            else:
                break


_NAMES = st.sampled_from(
    [
        "a",
        "B.TXT",
        "b.txt",
        "loader.conf.local",
        "a long name with spaces.json",
        "ÄÖ",
        "x" * 40,
        ".hidden",
        "a.b.c",
    ]
)
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "remove", "empty", "commit"]), _PATHS, st.integers(0, 2600)
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_any_sequence_does_what_a_dictionary_does(steps: list[tuple[str, str, int]]) -> None:
    memory = volume(STOCK)
    editor = FatEditor(memory, now=NOW)
    model = {path.casefold(): data for path, data in STOCK.items()}
    for number, (kind, path, size) in enumerate(steps):
        folded = path.casefold()
        content = bytes([number + 1]) * size
        if kind == "put":
            try:
                editor.put(path, content)
            except Refused:
                above = folded.split("/")
                blocked = any("/".join(above[:n]) in model for n in range(1, len(above)))
                # what was staged for it stays unused, so begin again as a caller does
                assert blocked or any(p.startswith(f"{folded}/") for p in _directories(editor, model))
                editor = FatEditor(memory, now=NOW)
                model = {p.casefold(): d for p, d in files(memory).items()}
            else:
                model[folded] = content
        elif kind == "remove":
            editor.remove(path)
            model = {p: d for p, d in model.items() if p != folded and not p.startswith(f"{folded}/")}
        elif kind == "empty":
            editor.remove_empty(path)
        else:
            editor.commit()
            assert {p.casefold(): d for p, d in files(memory).items()} == model
    editor.commit()
    assert {p.casefold(): d for p, d in files(memory).items()} == model
    clean(memory)


def _directories(editor: FatEditor, model: dict[str, bytes]) -> list[str]:
    """Every path known, and below every directory (empty ones too) one that stands for it."""
    found = list(model)

    def below(path: str) -> None:
        for name in editor.names(path):
            here = f"{path}/{name}".strip("/")
            entry = editor.find(here)
            if entry is not None and entry.directory:
                found.append(f"{here.casefold()}/")
                below(here)

    below("")
    return found
