"""What writing keys will do, in order, before anything is done. Pure over facts already read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.media import resume
from smartos_wizard.media.as_json import image_to_json, target_to_json
from smartos_wizard.media.lane import BACKUP
from smartos_wizard.media.model import USB_IMAGE_SIZE, ImageKind, Target, VerifiedImage
from smartos_wizard.media.optioning import options_step
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.source import peek_size

_USB2, _USB3 = (
    30e6,
    90e6,
)  # bytes per second an ordinary key writes; proving reads at three times that at most


def plan_write(
    image: VerifiedImage,
    targets: Sequence[Target],
    world: MediaWorld,
    *,
    delta: bool = True,
    choices: BootChoices | None = None,
) -> Plan:
    """The plan that brings `image` onto every target, with `choices` on it, and proves it.

    Reads the image's first sector where its size is not known yet. Raises Refused `too-small` before
    anything is touched, and `no-target`, `same-target-twice`; UsageProblem for choices that make no sense.
    """
    if not targets:
        raise Refused("no-target", "No disk was named.", hint="`smartos-wizard key list` shows them.")
    if len({t.path for t in targets}) != len(targets):
        raise Refused("same-target-twice", "The same disk was named twice.", hint="Name each once.")
    size = image.raw_size if image.raw_size is not None else peek_size(image)
    image = replace(image, raw_size=size)
    for target in targets:
        _refuse_too_small(target, size)
    steps = [_source(image, size), *_unmount(targets), _open(targets)]
    steps.append(_write(image, targets, size))
    if choices is not None and not choices.empty:
        steps.append(options_step(image, choices, world))
    steps += [_boot(targets), _prove(image, targets, size), _receipt(targets)]
    tokens = tuple(dict.fromkeys(t.token for t in targets if _has_something_to_lose(t)))
    if image.algorithm == "none" and tokens:
        tokens = (*tokens, "unverified")
    names = ", ".join(t.path for t in targets)
    return Plan(
        kind="key-write",
        title=f"Write {image.stamp or image.path.name} to {names} and prove it",
        steps=tuple(steps),
        untouched=("every other disk", "the network", "this computer's own boot set-up"),
        confirmation=Confirmation("To erase, type what names each disk", tokens) if tokens else None,
        seconds=_estimate(targets, size or USB_IMAGE_SIZE),
        locks=tuple(t.path for t in targets),
        params={
            "image": image_to_json(image),
            "targets": [target_to_json(t) for t in targets],
            "delta": delta,
            "resumes": {
                t.path: r.durable for t in targets if (r := resume.recall(world.paths, t, image.digest))
            },
        },
    )


def _refuse_too_small(target: Target, size: int | None) -> None:
    capacity = target.fingerprint.size
    if target.regular_file or size is None or size <= capacity:
        return
    raise Refused(
        "too-small",
        f"{target.path} is too small: it has {text.exact(capacity)} bytes, the image needs {text.exact(size)}.",
        hint="Use a key of 2 GB or more.",
        context=target.path,
        size=capacity,
        needed=size,
    )


def _has_something_to_lose(target: Target) -> bool:
    """A new or empty regular file has nothing to lose; everything else must be named to be erased."""
    if not target.regular_file:
        return True
    path = Path(target.path)
    return path.exists() and path.stat().st_size > 0


def _who(target: Target) -> str:
    if target.regular_file:
        return f"file {target.path}"
    return " ".join(x for x in (target.path, target.disk.name, target.disk.serial) if x)


def _source(image: VerifiedImage, size: int | None) -> Step:
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    details = [f"{words}: {image.vouched_by or 'nobody vouches for it'}"]
    if size is not None:
        details.append(f"{text.exact(size)} bytes ({text.size(size)}) when unpacked")
    checker = {"sha256": "sha256sum", "md5": "md5sum"}.get(image.algorithm, "sha256sum")
    return Step(
        "source",
        "source",
        f"{image.path.name}",
        Effect.READS,
        tuple(details),
        by_hand=f"{checker} {shlex.quote(str(image.path))}",
    )


def _unmount(targets: Sequence[Target]) -> list[Step]:
    points = [(t, point) for t in targets for point in t.unmount]
    if not points:
        return []
    return [
        Step(
            "unmount",
            "unmount",
            "unmounts " + ", ".join(p for _, p in points),
            Effect.CHANGES,
            undo="mount it again",
            by_hand="umount " + " ".join(shlex.quote(p) for _, p in points),
        )
    ]


def _open(targets: Sequence[Target]) -> Step:
    files = all(t.regular_file for t in targets)
    new = files and not any(_has_something_to_lose(t) for t in targets)
    title = "opens " + ", ".join(t.path for t in targets)
    details = (
        () if files else ("Proves once more that each is the very disk you chose; needs the rights for it.",)
    )
    return Step("open", "open", title, Effect.CREATES if new else Effect.READS, details)


def _write(image: VerifiedImage, targets: Sequence[Target], size: int | None) -> Step:
    destroys = any(_has_something_to_lose(t) for t in targets)
    details: list[str] = []
    for target in targets:
        details += _losses(target, size)
    cat = {ImageKind.GZIP: "gzip -dc", ImageKind.BZIP2: "bzip2 -dc"}.get(image.kind, "cat")
    hands = "; ".join(
        f"{cat} {shlex.quote(str(image.path))} | "
        f"dd of={shlex.quote(t.path)} bs=4M iflag=fullblock oflag=direct conv=fsync"
        for t in targets
    )
    what = ", ".join(f"all of {_who(t)}" if _has_something_to_lose(t) else _who(t) for t in targets)
    return Step(
        "write", "write", what, Effect.DESTROYS if destroys else Effect.CREATES, tuple(details), by_hand=hands
    )


def _losses(target: Target, size: int | None) -> list[str]:
    """What of one target will be gone, to the byte."""
    if target.regular_file:
        return [f"{target.path}: its whole content"] if _has_something_to_lose(target) else []
    lost = [
        f"partition {p.path}: {' '.join(x for x in (p.fstype, f'“{text.tame(p.label)}”' if p.label else '') if x)}"
        f" {text.size(p.size)}{f', {text.size(p.used)} in use' if p.used else ''}".replace(":  ", ": ")
        for p in target.disk.partitions
    ]
    capacity = target.fingerprint.size
    if size is None:
        return [*lost, f"bytes 0 to {text.exact(capacity - 1)} of {target.path} may be overwritten"]
    backup = max(size, (capacity - BACKUP) // 4096 * 4096)
    lost.append(f"overwritten: bytes 0 to {text.exact(size - 1)} of {target.path}")
    if backup < capacity:
        lost.append(
            f"overwritten with zeros: bytes {text.exact(backup)} to {text.exact(capacity - 1)} (old partition table)"
        )
    if backup > size:
        lost.append(f"left as they are but no longer reachable: the {text.size(backup - size)} between")
    return lost


def _boot(targets: Sequence[Target]) -> Step:
    return Step(
        "boot-sectors",
        "boot-sectors",
        "boot sectors last, once the image's checksum held",
        Effect.CREATES,
        ("Until then the key does not boot, whatever happens.",),
        by_hand="; ".join(f"sync {shlex.quote(t.path)}" for t in targets),
    )


def _prove(image: VerifiedImage, targets: Sequence[Target], size: int | None) -> Step:
    cat = {ImageKind.GZIP: "gzip -dc", ImageKind.BZIP2: "bzip2 -dc"}.get(image.kind, "cat")
    count = f" -n {size}" if size is not None else ""
    hands = "; ".join(
        f"blockdev --flushbufs {shlex.quote(t.path)}; {cat} {shlex.quote(str(image.path))} | cmp{count} - {shlex.quote(t.path)}"
        for t in targets
    )
    return Step(
        "prove", "prove", "every byte back from the device, and compares", Effect.READS, by_hand=hands
    )


def _receipt(targets: Sequence[Target]) -> Step:
    many = "receipts" if len(targets) > 1 else "a receipt"
    return Step("receipt", "receipt", f"{many} in this program's state directory", Effect.CREATES)


def _estimate(targets: Sequence[Target], size: int) -> float:
    if all(t.regular_file for t in targets):
        return max(1.0, size / 400e6)
    slow = any(t.disk.usb is not None and (t.disk.usb.speed or 5000) <= 480 for t in targets)
    rate = _USB2 if slow else _USB3
    return size / rate + size / (rate * (1.2 if slow else 2.0))
