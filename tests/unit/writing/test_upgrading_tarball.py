"""Platform tarballs that are bad, or become another while they are read: the key stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smartos_wizard.core.events import Noted
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.upgrading import plan_upgrade
from tests.unit.writing.parts import MemoryDevice, Outcome, Place
from tests.unit.writing.small_keys import ARCHIVE, HASH, LATER, NEW, key, platform, tarball, tree


def upgrade(place: Place, device: MemoryDevice, image: VerifiedImage) -> Outcome:
    return place.run(plan_upgrade(place.add(device), image, place))


def _flip(data: bytes) -> bytes:
    return data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]


@pytest.mark.parametrize(
    ("spoil", "code", "reference"),
    [
        (lambda at: replace(tarball(at), digest="0" * 64), 6, "image-changed"),
        (lambda at: tarball(at, edit=lambda data: data[: len(data) // 2]), 2, "not-a-platform"),
        (lambda at: tarball(at, edit=_flip), 2, "not-a-platform"),
        (lambda at: tarball(at, files=platform(NEW) | {HASH: b"0" * 40}), 6, "boot-archive-damaged"),
        (lambda at: tarball(at, files=platform(LATER)), 4, "other-platform"),
        (lambda at: tarball(at, files={"a/b": b"c"}), 2, "not-a-platform"),
        (lambda at: tarball(at, files=platform(NEW) | {"../boot": b"x"}), 4, "odd-platform"),
    ],
    ids=["digest", "cut off", "damaged", "archive", "stamp", "no platform", "leaves"],
)
def test_a_bad_tarball_never_comes_near_the_key(
    place: Place, tmp_path: Path, spoil: Callable[[Path], VerifiedImage], code: int, reference: str
) -> None:
    device = key()
    outcome = upgrade(place, device, spoil(tmp_path / f"platform-{NEW}.tgz"))
    assert (outcome.code, outcome.error.reference) == (code, reference), outcome.error
    assert "Nothing was changed." in outcome.error.message
    assert device.writes == []


def test_a_tarball_that_goes_away_or_changes_after_it_was_checked_changes_nothing(
    place: Place, tmp_path: Path
) -> None:
    for change, codes in (
        (lambda p: tarball(p, files=platform(NEW) | {ARCHIVE: platform(NEW)[ARCHIVE][:-1] + b"!"}), (6,)),
        (lambda p: tarball(p, files=platform(NEW) | {"more": b"x"}), (6,)),
        (lambda p: tarball(p, edit=lambda data: data[:-3000]), (2, 6)),
        (lambda p: p.unlink(), (7,)),
    ):
        device = key()
        image = tarball(tmp_path / f"platform-{NEW}.tgz")
        target = place.add(device)
        plan = plan_upgrade(target, image, place)
        place.opener.before_open = lambda change=change, image=image: change(image.path)  # type: ignore[misc]
        outcome = place.run(plan)
        place.opener.before_open = lambda: None
        assert outcome.code in codes, outcome.error
        assert outcome.error.reference != "internal-error"
        assert tree(device) == tree(key())
        assert not outcome.claims_success


def test_one_without_a_hash_is_warned_of(place: Place, tmp_path: Path) -> None:
    files_ = platform(NEW)
    del files_[HASH]
    device = key()
    outcome = upgrade(place, device, tarball(tmp_path / f"platform-{NEW}.tgz", files=files_))
    assert outcome.code == 0
    assert [e.reference for e in outcome.events if isinstance(e, Noted) and e.level == "warning"] == [
        "no-archive-hash"
    ]
