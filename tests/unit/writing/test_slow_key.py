"""A slow key delays the others for a while at most, and is finished all the same."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from smartos_wizard.core.events import Advanced, Noted
from smartos_wizard.media import ticking
from smartos_wizard.media.model import VerifiedImage
from tests.unit.writing.parts import MIB, MemoryDevice, Place

Make = Callable[..., tuple[VerifiedImage, bytes]]


def test_the_others_go_on_and_the_slow_one_is_proven_too(
    place: Place, make_image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "PATIENCE", 0.5)
    image, data = make_image(40 * MIB)
    quick, slow = MemoryDevice(44 * MIB, "/dev/key1"), MemoryDevice(44 * MIB, "/dev/key2")
    stalled: list[float] = []

    def stalls(_: memoryview, offset: int) -> None:
        if offset == 8 * MIB and not stalled:
            stalled.append(time.time())
            time.sleep(2.5)
            stalled.append(time.time())

    slow.on_write = stalls
    outcome = place.write(image, quick, slow, delta=False)
    assert outcome.code == 0
    assert [key["state"] for key in outcome.keys] == ["proven", "proven"]
    assert quick.data[: len(data)] == data == slow.data[: len(data)]
    assert [e.target for e in outcome.events if isinstance(e, Noted) and e.reference == "left-behind"] == [
        "/dev/key2"
    ]
    ended = next(
        e.at
        for e in outcome.events
        if isinstance(e, Advanced) and e.target == "/dev/key1" and e.done >= 39 * MIB
    )
    assert ended < stalled[1], "the quick key was done before the slow one moved again"


def test_keys_of_one_speed_stay_together(place: Place, make_image: Make) -> None:
    image, data = make_image(24 * MIB)
    devices = [MemoryDevice(28 * MIB, f"/dev/key{i}") for i in range(4)]
    for device in devices:
        device.on_write = lambda piece, offset: time.sleep(len(piece) / 40e6)
    begun = time.monotonic()
    outcome = place.write(image, *devices, delta=False)
    assert outcome.code == 0
    assert all(device.data[: len(data)] == data for device in devices)
    assert not [e for e in outcome.events if isinstance(e, Noted) and e.reference == "left-behind"]
    assert time.monotonic() - begun < 5.0
