"""Proves an old key against an image: decode and read side by side, name the first byte that differs.

Needs nothing but leave to read, and writes nothing, not even where it finds a fault.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, ProofFailed, WizardError, report_of
from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media.as_json import image_to_json, target_to_json
from smartos_wizard.media.faults import device_failed, read_all
from smartos_wizard.media.keys import Key, Keys, fail, keys_of, lock_targets
from smartos_wizard.media.model import USB_IMAGE_SIZE, Target, VerifiedImage
from smartos_wizard.media.opened import open_key
from smartos_wizard.media.pipeline import Lane, Stream
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.proving import ended_early, first_difference, locate
from smartos_wizard.media.slots import SLOT, Slot, aligned, digest
from smartos_wizard.media.source import peek_size
from smartos_wizard.media.watching import watch

_PLACES = 20


class Comparer:
    """Reads one device slot by slot beside the decoder. A `Consumer`; `offset` is the first differing byte."""

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.done = 0
        self.different = 0
        self.offset: int | None = None
        self.expected = 0
        self.got = 0
        self.places: list[int] = []
        self._buffer = aligned(SLOT)

    def take(self, slot: Slot) -> None:
        """Compare one slot. Raises ProofFailed or DeviceLost where it cannot be read."""
        into = self._buffer[: slot.length]
        try:
            count = read_all(self.device, into, slot.offset)
        except OSError as error:
            found = device_failed(error, self.device, "reading", slot.offset, "Nothing on it was changed.")
            if found.exit_code == 7:
                raise ProofFailed(
                    "not-readable", found.message, context=found.context, hint=found.hint, **found.details
                ) from error
            raise found from error
        if count < slot.length:
            raise ended_early(self.device, slot.offset + count, slot.offset + slot.length)
        if digest(into) != slot.digest:
            self._differs(slot, into)
        self.done = slot.offset + slot.length

    def _differs(self, slot: Slot, got: memoryview) -> None:
        place = first_difference(slot.data, got) or 0
        self.different += 1
        if self.offset is None:
            self.offset, self.expected, self.got = slot.offset + place, slot.data[place], got[place]
        if len(self.places) < _PLACES:
            self.places.append(slot.offset + place)


def plan_check(image: VerifiedImage, targets: Sequence[Target]) -> Plan:
    """The plan that reads every byte of the targets and compares; it changes nothing."""
    size = image.raw_size if image.raw_size is not None else peek_size(image)
    image = replace(image, raw_size=size)
    names = ", ".join(t.path for t in targets)
    steps = (
        Step("open", "open", f"opens {names} for reading", Effect.READS),
        Step(
            "compare",
            "compare",
            f"every byte of {names}, and compares with {image.path.name}",
            Effect.READS,
            by_hand="; ".join(f"gzip -dc '{image.path}' | cmp - '{t.path}'" for t in targets),
        ),
    )
    return Plan(
        kind="key-check",
        title=f"Compare {names} with {image.stamp or image.path.name}",
        steps=steps,
        untouched=("everything: nothing is written",),
        seconds=(size or USB_IMAGE_SIZE) / 100e6,
        params={"image": image_to_json(image), "targets": [target_to_json(t) for t in targets]},
    )


def _open(run: Run[MediaWorld], step: Step) -> Work:
    keys = keys_of(run)
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    lock_targets(stack, run.world.paths, [key.target for key in keys.keys])
    for key in keys.keys:
        try:
            yield from open_key(run, step, key, write=False)
        except WizardError as error:
            yield from fail(run, step.id, key, error)
            continue
        key.opened.drop_cache()
    return {"opened": [key.target.path for key in keys.alive]}


def _compare(run: Run[MediaWorld], step: Step) -> Work:
    keys = keys_of(run)
    begun = time.monotonic()
    comparers = {key: Comparer(key.opened) for key in keys.alive}
    lanes = {key: Lane(key.target.path, comparer) for key, comparer in comparers.items()}
    run.found["row"] = lambda key: _row(key, comparers.get(key), time.monotonic() - begun)
    stream = Stream(
        keys.image, list(lanes.values()), keys.image.raw_size or max(k.opened.size for k in comparers)
    )

    def tick() -> Iterator[Event]:
        for key, comparer in comparers.items():
            yield Advanced(
                run.clock(), step.id, comparer.done, keys.image.raw_size, comparer.done, key.target.path
            )

    stream.begin()
    yield from watch(
        run, stream.wait, tick, stream.abandon, lambda: "Stopped; nothing was changed and nothing is proven."
    )
    if stream.error is not None:
        raise stream.error
    if (
        keys.image.algorithm != "none"
        and stream.source_digest
        and stream.source_digest != keys.image.digest.lower()
    ):
        raise ChecksumFailed(
            "image-changed",
            "The image changed after it was verified.",
            context=str(keys.image.path),
            expected=keys.image.digest,
            got=stream.source_digest,
        )
    keys.size, keys.digests = stream.size, stream.digests
    for key in list(keys.alive):
        error = lanes[key].error or _verdict(keys, comparers[key])
        if error is not None:
            yield from fail(run, step.id, key, error)
            continue
        key.state, key.proof = "proven", "compared"
    run.result["say"] = [
        f"PROVEN. Every byte of {key.target.path} equals {keys.image.stamp or keys.image.path.name}."
        for key in keys.alive
    ]
    return {"proven": [key.target.path for key in keys.alive]}


def _verdict(keys: Keys, comparer: Comparer) -> ProofFailed | None:
    """The error for a key that differs or of which not everything was seen; None for an equal one."""
    device = comparer.device
    if comparer.offset is None:
        if comparer.done == keys.size and keys.size > 0:
            return None
        return ended_early(device, comparer.done, keys.size)
    where = locate(device, comparer.offset)
    also = list(
        dict.fromkeys(place for o in comparer.places if (place := locate(device, o)) and place != where)
    )
    message = (
        f"{device.name} differs from the image at byte {text.exact(comparer.offset)}: "
        f"{comparer.expected:02x} was expected, {comparer.got:02x} is there."
    )
    if where:
        message += f" It lies {where}."
    if comparer.different > 1:
        message += f" {comparer.different} of {len(keys.digests)} pieces of {text.size(SLOT)} differ."
    return ProofFailed(
        "proof-failed",
        message,
        context=f"{device.name}, byte {text.exact(comparer.offset)}",
        hint="If files were added or settings changed on purpose, that is the difference; else write the key again.",
        offset=comparer.offset,
        expected=comparer.expected,
        got=comparer.got,
        where=where,
        also=also,
        different=comparer.different,
        pieces=len(keys.digests),
        device=device.name,
    )


def _row(key: Key, comparer: Comparer | None, seconds: float) -> dict[str, Any]:
    return {
        "path": key.target.path,
        "serial": key.target.disk.serial,
        "state": "cancelled" if key.state == "waiting" else key.state,
        "error": report_of(key.error).to_json() if key.error else None,
        "bytes": comparer.done if comparer else 0,
        "different": comparer.different if comparer else 0,
        "offset": comparer.offset if comparer else None,
        "proof_seconds": round(seconds, 3),
    }


CHECK_ACTIONS = {"open": Action(_open), "compare": Action(_compare)}
