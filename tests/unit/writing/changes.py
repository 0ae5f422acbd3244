"""The changes of a key that tests let go wrong: what each begins with, and its plan."""

from __future__ import annotations

import functools

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.configuring import plan_configure
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.upgrading import plan_rollback, plan_upgrade
from tests.unit.writing.parts import MemoryDevice, Place
from tests.unit.writing.small_keys import LATER, full, platform, small_image

MINE = (
    ("boot/loader.conf.local", b'# mine\nmy_own="line"\n'),
    ("local/notes.txt", b"mine"),
    ("kept.txt", b"!"),
)
KEPT = tuple((f"previous/platform/{path}", data) for path, data in platform(LATER).items())
TOLD = BootChoices(console="ttya", answers={"hostname": "x"})
MIDDLE = ("platform", "previous", "boot/loader.conf.local", "private")
"""What the changes of these tests may change."""


class Still(Place):
    """A place where the clock stands still, so that the same change gives the same bytes."""

    def now(self) -> float:
        return 1e9


@functools.cache
def start(what: str) -> bytes:
    """The key that each change begins with."""
    if what == "room":
        return full(230_000, *KEPT)
    return small_image(own=MINE if what in ("upgrade", "configure") else (*MINE, *KEPT))


def planned(place: Place, what: str, device: MemoryDevice, packed: VerifiedImage) -> Plan:
    target = place.add(device)
    if what == "rollback":
        return plan_rollback(target, place, to=LATER)
    return plan_configure(target, TOLD, place) if what == "configure" else plan_upgrade(target, packed, place)
