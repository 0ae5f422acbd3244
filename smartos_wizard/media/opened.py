"""Opens the target of a run, in a thread, so that waiting for a password or a person can be seen and stopped."""

from __future__ import annotations

import queue
from collections.abc import Generator, Iterator

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.media.device import open_file
from smartos_wizard.media.keys import Key
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.slots import SLOT, aligned
from smartos_wizard.media.source import Source
from smartos_wizard.media.watching import in_thread


def open_key(run: Run[MediaWorld], step: Step, key: Key, *, write: bool) -> Generator[Event, None, None]:
    """Open `key`'s device and arrange for it to be closed at the end.

    Yields notes with the opener's reference where somebody must do something. Raises what the opener
    raises.
    """
    notes: queue.SimpleQueue[tuple[str, dict[str, str]]] = queue.SimpleQueue()

    def notify(reference: str, data: dict[str, str]) -> None:
        notes.put((reference, data))

    def work() -> BlockDevice:
        target = key.target
        if not target.regular_file:
            return run.world.opener.open(target, write=write, notify=notify)
        size = image_size(run) if write else None
        return open_file(target.path, size, write=write)

    def tick() -> Iterator[Event]:
        while not notes.empty():
            reference, data = notes.get()
            words = data.get("text") or data.get("message") or data.get("command") or reference
            yield Noted(run.clock(), step.id, words, "warning", key.target.path, reference, dict(data))

    device = yield from in_thread(run, work, tick)
    run.on_end.append(device.close)
    key.device = device


def image_size(run: Run[MediaWorld]) -> int:
    """The size of the image after decoding, counted where nothing tells it."""
    from smartos_wizard.media.keys import keys_of

    keys = keys_of(run)
    if keys.image.raw_size is None:
        from dataclasses import replace

        keys.image = replace(keys.image, raw_size=count(keys.image))
    assert keys.image.raw_size is not None
    return keys.image.raw_size


def count(image: VerifiedImage) -> int:
    """How many bytes come out of the image. Raises WriteFailed, and Refused where nothing does."""
    buffer = aligned(SLOT)
    total = 0
    with Source(image) as source:
        while got := source.fill(buffer):
            total += got
    if total == 0:
        raise Refused("empty-image", "The image holds nothing.", context=str(image.path))
    return total
