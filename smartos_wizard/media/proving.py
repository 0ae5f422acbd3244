"""The proof: a second full pass over the device, from the medium, compared with what was decoded.

Why equal digests are proof: each slot's xxh3-128 was taken from the bytes in memory just after they were
decoded from a file whose published digest held at the end of that same pass. The bytes read back are
hashed alike. A key that lies, wears out or wraps around does not forge a 128-bit digest; and since the pass
begins after the last write, data overwritten later by a key that claims more than it holds is seen too.
The page cache is flushed and bypassed, so what is read is what the device gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smartos_wizard.core import text
from smartos_wizard.core.errors import ProofFailed, WizardError
from smartos_wizard.media.faults import device_failed, read_all
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.slots import SLOT, aligned, digest
from smartos_wizard.media.source import Source

NOT_PROVEN = "What is on it is not proven; do not boot from it."


class Prover:
    """Compares one device with the digests of an image. `done` counts bytes proven.

    `originals` are sectors that were changed on purpose, by offset, as the image has them, and `changed` the same
    as they must be: these are compared, and then the rest as if the originals were still there.
    """

    def __init__(
        self,
        device: BlockDevice,
        digests: Sequence[bytes],
        size: int,
        originals: Mapping[int, bytes] | None = None,
        changed: Mapping[int, bytes] | None = None,
    ) -> None:
        self.device = device
        self.done = 0
        self.stopped = False
        self.different: tuple[int, bytes] | None = None
        """Index and bytes of the first slot that differs."""
        self._digests = digests
        self._size = size
        self._patches: dict[int, list[tuple[int, bytes, bytes]]] = {}
        for at, data in (originals or {}).items():
            now = (changed or {}).get(at, data)
            self._patches.setdefault(at // SLOT, []).append((at % SLOT, data, now))

    def run(self) -> None:
        """Read everything. Raises WriteFailed or DeviceLost when it cannot be read, ProofFailed when it ends early."""
        self.device.drop_cache()
        buffer = aligned(SLOT)
        for index, expected in enumerate(self._digests):
            if self.stopped:
                return
            offset = index * SLOT
            into = buffer[: min(SLOT, self._size - offset)]
            try:
                count = read_all(self.device, into, offset)
            except OSError as error:
                raise _unreadable(error, self.device, offset) from error
            if count < len(into):
                raise ended_early(self.device, offset + count, self._size)
            for at, data, now in sorted(self._patches.get(index, ())):
                if into[at : at + len(data)] != now:
                    raise _not_kept(self.device, offset + at, now, into[at : at + len(data)])
                into[at : at + len(data)] = data
            if digest(into) != expected:
                self.different = (index, bytes(into))
                return
            self.done = offset + len(into)


def _not_kept(device: BlockDevice, offset: int, expected: bytes, got: memoryview) -> ProofFailed:
    """The error for a sector that options changed and that is not as it was written."""
    offset += first_difference(expected, got) or 0
    where = locate(device, offset)
    return ProofFailed(
        "proof-failed",
        f"{device.name} gives back something else than was put there with the options, at byte {text.exact(offset)}."
        f"{' It lies ' + where + '.' if where else ''} {NOT_PROVEN}",
        context=f"{device.name}, byte {text.exact(offset)}",
        hint="Write it again; if it fails again, the key is bad: use another one.",
        offset=offset, where=where, device=device.name,
    )  # fmt: skip


def _unreadable(error: OSError, device: BlockDevice, offset: int) -> WizardError:
    found = device_failed(error, device, "reading back", offset, NOT_PROVEN)
    if found.exit_code == 7:
        return ProofFailed(
            "not-readable", found.message, context=found.context, hint=found.hint, **found.details
        )
    return found


def ended_early(device: BlockDevice, offset: int, size: int) -> ProofFailed:
    """The error for a device that gives less than was written to it."""
    return ProofFailed(
        "ended-early",
        f"{device.name} ended at byte {text.exact(offset)} of {text.exact(size)}. {NOT_PROVEN}",
        context=device.name,
        hint="It holds less than it claims. Use another key.",
        offset=offset,
    )


def first_difference(expected: memoryview | bytes, got: memoryview | bytes) -> int | None:
    """The first place where two pieces differ, None where they are equal; a shorter one differs at its end."""
    a, b = bytes(expected), bytes(got)
    if a == b:
        return None
    low, high = 0, min(len(a), len(b))
    while (
        low < high
    ):  # the longest common beginning, by halves: comparing bytes is fast, a loop over them is not
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def image_slot(image: VerifiedImage, index: int) -> bytes:
    """Slot `index` of the image, decoded again from its beginning. Raises WriteFailed."""
    buffer = aligned(SLOT)
    with Source(image) as source:
        for _ in range(index):
            source.fill(buffer)
        return bytes(buffer[: source.fill(buffer)])


def difference(image: VerifiedImage, device: BlockDevice, index: int, got: bytes) -> ProofFailed:
    """The error that names the first differing byte, what should be there, and the file it lies in."""
    expected = image_slot(image, index)
    place = first_difference(expected, got)
    if place is None:  # the slot was right when hashed again: then the device gave different bytes in between
        place = 0
    offset = index * SLOT + place
    want = expected[place] if place < len(expected) else None
    have = got[place] if place < len(got) else None
    where = locate(device, offset)
    message = f"{device.name} differs from the image at byte {text.exact(offset)}"
    if want is not None and have is not None:
        message += f": {want:02x} was expected, {have:02x} is there"
    return ProofFailed(
        "proof-failed",
        f"{message}.{' It lies ' + where + '.' if where else ''}",
        context=f"{device.name}, byte {text.exact(offset)}",
        hint="Do not boot from it. Write it again; if it fails again, the key is bad: use another one.",
        offset=offset,
        expected=want,
        got=have,
        where=where,
        device=device.name,
    )


def locate(device: BlockDevice, offset: int) -> str:
    """Which partition and file a byte lies in, in words; empty where that cannot be told."""
    from smartos_wizard.media import contents

    try:
        return str(contents.locate(Reader(device), device.size, offset))
    except Exception:  # a broken key is exactly where this is asked; the offset alone must then do
        return ""


class Reader:
    """`pread(offset, length) -> bytes` over a device, whatever its alignment wants."""

    def __init__(self, device: BlockDevice) -> None:
        self._device = device

    def __call__(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer at the end of the device. Raises OSError."""
        start = offset // 4096 * 4096
        end = -(-(offset + length) // 4096) * 4096
        end = max(start, min(end, self._device.size))
        buffer = aligned(end - start)
        count = read_all(self._device, buffer, start)
        return bytes(buffer[min(offset - start, count) : min(offset - start + length, count)])
