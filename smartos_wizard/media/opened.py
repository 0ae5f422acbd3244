"""Opens the target of a run, in a thread, so that waiting for a password or a person can be seen and stopped."""

from __future__ import annotations

import queue
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from smartos_wizard.core.errors import Cancelled, Refused
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.media.keys import Key, keys_of
from smartos_wizard.media.model import Target, VerifiedImage
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.slots import SLOT, aligned
from smartos_wizard.media.source import Source
from smartos_wizard.media.watching import in_thread

_WORDS = {"needs-opener": "Opening {path} takes root. Run this in another terminal: {command}"}
Notify = Callable[[str, dict[str, str]], None]


def open_key(run: Run[MediaWorld], step: Step, key: Key, *, write: bool) -> Generator[Event, None, None]:
    """Open `key`'s device and arrange for it to be closed at the end. Raises what the opener raises."""
    target = key.target

    def work(notify: Notify) -> BlockDevice:
        if target.regular_file and write:
            # A file gets the image's size. The opener opens it too: practice refuses files outside its place.
            sized = replace(target, fingerprint=replace(target.fingerprint, size=image_size(run)))
            return run.world.opener.open(sized, write=True, notify=notify)
        return run.world.opener.open(target, write=write, notify=notify)

    key.device = yield from open_target(run, step, target, work)


def open_target(
    run: Run[MediaWorld], step: Step, target: Target, work: Callable[[Notify], BlockDevice]
) -> Generator[Event, None, BlockDevice]:
    """Do `work` in a thread and arrange for what it opened to be closed at the end.

    Yields notes with the opener's reference where somebody must do something. A request to stop ends the
    wait at once.
    """
    notes: queue.SimpleQueue[tuple[str, dict[str, str]]] = queue.SimpleQueue()

    def tick() -> Iterator[Event]:
        while not notes.empty():
            reference, data = notes.get()
            words = data.get("text") or _WORDS.get(reference, reference).format_map(defaultdict(str, data))
            yield Noted(run.clock(), step.id, words, "warning", target.path, reference, dict(data))

    try:
        device = yield from in_thread(run, lambda: work(lambda *note: notes.put(note)), tick)
    except Cancelled:
        give_up = getattr(run.world.opener, "give_up", None)
        if give_up is not None:
            give_up()
        raise
    run.on_end.append(device.close)
    return device


def image_size(run: Run[MediaWorld]) -> int:
    """The size of the image after decoding, counted where nothing tells it."""
    keys = keys_of(run)
    if keys.image.raw_size is None:
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
