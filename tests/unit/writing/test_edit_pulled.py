"""Keys that are pulled, or lie, while files on them are changed: the old or the new, and no word of a proof."""

from __future__ import annotations

import errno

import pytest

from smartos_wizard.media.contents import read_contents
from smartos_wizard.media.model import VerifiedImage
from tests.unit.writing.changes import MIDDLE, Still, planned, start
from tests.unit.writing.parts import MemoryDevice, Place
from tests.unit.writing.small_keys import (
    LATER,
    NEW,
    OLD,
    below,
    beside,
    files,
    key_of,
    platform,
    pread_of,
    sound,
    tarball,
    tree,
)


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    # The second opinion is asked in the other tests; a hundred times over it would only cost seconds.
    monkeypatch.setattr("smartos_wizard.media.file_changes.fsck_available", lambda: False)
    return Still(place.paths)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> VerifiedImage:
    return tarball(tmp_path_factory.mktemp("platforms") / f"platform-{NEW}.tgz", NEW)


POINTS = 3
"""At how many writes of each change it is pulled; tests of the editor itself do it at every one."""


class Cut(MemoryDevice):
    """Takes `left` writes, the last only in part, and then is gone; with `lazy` what was not synced is gone too."""

    left: int | None = None
    lazy = False
    waiting: tuple[tuple[int, bytes], ...] = ()

    def put(self, data: memoryview, offset: int) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                if self.left == 0 and not self.lazy:
                    super().put(data[: len(data) // 1024 * 512], offset)
                raise OSError(errno.ENODEV, "No such device")
        if self.lazy:
            self.waiting = (*self.waiting, (offset, self.get(offset, len(data))))
        super().put(data, offset)

    def pread(self, into: memoryview, offset: int) -> int:
        if self.left is not None and self.left <= 0:
            raise OSError(errno.ENODEV, "No such device")
        return super().pread(into, offset)

    def sync(self) -> None:
        if self.left is not None and self.left <= 0:
            raise OSError(errno.ENODEV, "No such device")
        self.waiting = ()

    def plugged_in(self) -> None:
        for offset, old in reversed(self.waiting):
            self.data[offset : offset + len(old)] = old
        self.left, self.waiting = None, ()


def cuttable(what: str, left: int | None, lazy: bool = False) -> Cut:
    device = key_of(Cut, start(what))
    device.left, device.lazy = left, lazy
    return device


@pytest.mark.parametrize(
    ("what", "lazy"),
    [
        ("upgrade", False),
        ("upgrade", True),
        ("third", True),
        ("room", True),
        ("rollback", True),
        ("configure", False),
    ],
    ids=lambda value: value if isinstance(value, str) else ("unsynced lost" if value else "as written"),
)
def test_pulled_at_any_write_it_holds_the_old_or_the_new_and_the_same_command_finishes_it(
    place: Place, packed: VerifiedImage, what: str, lazy: bool
) -> None:
    whole = cuttable(what, None)
    before = tree(whole)
    assert place.run(planned(place, what, whole, packed)).code == 0
    after, writes = tree(whole), len(whole.writes)
    mine = beside(before, *MIDDLE)
    middle = {path: data for path, data in before.items() if not path.startswith("previous")}
    for left in range(1 + lazy, writes + 1, max(2, writes // POINTS)):
        device = cuttable(what, left, lazy)
        outcome = place.run(planned(place, what, device, packed))
        assert outcome.code == 10, (left, outcome.last)
        assert not outcome.claims_success
        words = outcome.error.message
        device.plugged_in()
        found = tree(device)
        assert beside(found, *MIDDLE) == mine, left
        if "Nothing that was on it has changed" in words:
            assert found == before, left
        if "kept platform was taken away" in words:
            assert files(found) == files(middle), left
        assert files(below(found, "platform")) in ([platform(s) for s in (OLD, NEW, LATER)]), left
        again = place.run(planned(place, what, device, packed))
        assert again.code == 0, (left, again.error)
        assert tree(device) == after, left
        assert sound(device)
        assert not read_contents(pread_of(device), device.size).unfinished


class Lying(MemoryDevice):
    """Says that it wrote, and drops the write number `drop`; with `cache` it gives it back until asked afresh."""

    drop, count, cache = 0, 0, False

    def put(self, data: memoryview, offset: int) -> None:
        self.count += 1
        if self.count != self.drop:
            super().put(data, offset)
        elif self.cache:
            self.held = offset, bytes(data)

    def get(self, offset: int, count: int) -> bytes:
        data = bytearray(super().get(offset, count))
        at, piece = getattr(self, "held", (0, b""))
        low, high = max(offset, at), min(offset + count, at + len(piece))
        if low < high:
            data[low - offset : high - offset] = piece[low - at : high - at]
        return bytes(data)

    def drop_cache(self) -> None:
        self.held = 0, b""
        self.on_drop()


@pytest.mark.parametrize(
    ("what", "cache"),
    [("configure", True), ("upgrade", False), ("upgrade", True), ("rollback", False)],
    ids=lambda value: value if isinstance(value, str) else ("from its cache" if value else "at once"),
)
def test_a_key_that_drops_a_write_is_never_proven_unless_it_holds_all_of_it(
    place: Place, packed: VerifiedImage, what: str, cache: bool
) -> None:
    def device(drop: int) -> Lying:
        made = key_of(Lying, start(what))
        made.drop, made.cache = drop, cache
        return made

    honest = device(0)
    assert place.run(planned(place, what, honest, packed)).code == 0
    wanted, caught = tree(honest), 0
    for drop in range(1 + cache, honest.count + 1, 4 if what == "upgrade" else 2):
        lying = device(drop)
        outcome = place.run(planned(place, what, lying, packed))
        lying.drop_cache()
        if outcome.code == 0:
            assert tree(lying) == wanted, drop
            assert sound(lying)
            assert not read_contents(pread_of(lying), lying.size).unfinished, drop
            if what == "configure":
                assert lying.data[:] == honest.data[:], drop
        else:
            assert outcome.code in (8, 4), (drop, outcome.error)
            assert outcome.code == 8 or "damaged" in outcome.error.message, (drop, outcome.error)
            assert not outcome.claims_success
            caught += 1
    assert caught >= 2


@pytest.mark.parametrize("what", ["upgrade", "rollback"])
@pytest.mark.parametrize("path", ["boot/loader.conf.local", "local/notes.txt", "boot/loader"])
def test_a_key_that_spoils_a_file_which_was_to_stay_is_never_proven(
    place: Place, packed: VerifiedImage, what: str, path: str
) -> None:
    device = key_of(Lying, start(what))
    content = tree(device)[path] or b""
    at = device.data.find(content.ljust(512, b"\0")[:512])

    spoilt = device.data[at] ^ 1

    def spoils() -> None:
        device.data[at] = spoilt

    plan = planned(place, what, device, packed)
    device.on_drop = spoils
    outcome = place.run(plan)
    assert (outcome.code, outcome.error.reference) == (8, "proof-failed")
    assert path in outcome.error.message
    assert not outcome.claims_success


@pytest.mark.parametrize("what", ["upgrade", "configure"])
def test_pulled_again_while_the_change_is_finished_it_is_said_to_have_begun(
    place: Place, packed: VerifiedImage, what: str
) -> None:
    whole = cuttable(what, None)
    assert place.run(planned(place, what, whole, packed)).code == 0
    wanted = tree(whole)
    device = next(each for left in range(6, 60) if unfinished(each := pulled(place, packed, what, left)))
    before = tree(device)
    for left in (1, 3):
        plan = planned(place, what, device, packed)
        device.left = left
        outcome = place.run(plan)
        assert outcome.code == 10
        assert "had begun" in outcome.error.message
        device.plugged_in()
        assert tree(device) in (before, wanted)
    assert place.run(planned(place, what, device, packed)).code == 0
    assert tree(device) == wanted
    assert not unfinished(device)


def pulled(place: Place, packed: VerifiedImage, what: str, left: int) -> Cut:
    device = cuttable(what, None)
    plan = planned(place, what, device, packed)
    device.left = left
    place.run(plan)
    device.plugged_in()
    return device


def unfinished(device: MemoryDevice) -> bool:
    return read_contents(pread_of(device), device.size).unfinished
