"""What an OSError of a device means for the person who owns the key, and writing that does not trust it.

Never prints success: everything here either does all of what was asked or raises.
"""

from __future__ import annotations

import errno

from smartos_wizard.core import text
from smartos_wizard.core.errors import DeviceLost, Refused, WizardError, WriteFailed
from smartos_wizard.media.ports import BlockDevice
from smartos_wizard.media.slots import aligned

WILL_NOT_BOOT = "This key will not boot."
_GONE = (errno.ENODEV, errno.ENXIO, errno.ESHUTDOWN, errno.EBADF)
_PROTECTED = (errno.EPERM, errno.EROFS, errno.EACCES)


def device_failed(error: OSError, device: BlockDevice, doing: str, offset: int, state: str) -> WizardError:
    """The error to raise for `error` of `device` while `doing` ("writing") at `offset`.

    `state` says in words what that leaves. A device that answers nothing any more is lost (exit 10),
    whatever errno the kernel chose: a pulled key gives EIO as often as ENODEV.
    """
    where = f"{device.name}, byte {text.exact(offset)}"
    details = {"offset": offset, "device": device.name, "errno": error.errno or 0}
    if error.errno in _GONE or (error.errno == errno.EIO and not answers(device)):
        return DeviceLost(
            "device-lost",
            f"{device.name} went away while {doing} at byte {text.exact(offset)}. {state}",
            context=where,
            hint="Plug it in again (another port, no hub) and run the same command: it continues.",
            **details,
        )
    if error.errno == errno.ENOSPC:
        return WriteFailed(
            "device-full",
            f"{device.name} says it is full at byte {text.exact(offset)}. {state}",
            context=where,
            hint="It holds less than it claims, or the disk below the file is full. Use another one.",
            **details,
        )
    return WriteFailed(
        "device-error",
        f"{device.name} failed while {doing} at byte {text.exact(offset)}: {error.strerror or error}. {state}",
        context=where,
        hint="The key is worn out or badly connected. Try another port, then another key.",
        **details,
    )


def write_protected(error: OSError, device: BlockDevice) -> Refused | None:
    """The refusal to raise where the very first write was not allowed; None for any other error."""
    if error.errno not in _PROTECTED:
        return None
    return Refused(
        "write-protected",
        f"{device.name} is write-protected; nothing on it has changed.",
        context=device.name,
        hint="Look for a switch on its side, or use another key.",
    )


def answers(device: BlockDevice) -> bool:
    """Whether any of three places of the device can still be read."""
    buffer = aligned(4096)
    for place in (0, device.size // 2, max(0, device.size - 4096)):
        try:
            if device.pread(buffer, place // 4096 * 4096) > 0:
                return True
        except OSError:
            continue
    return False


def write_all(device: BlockDevice, data: memoryview, offset: int) -> None:
    """Write all of `data`, however little the system takes at a time. Raises OSError."""
    done = 0
    while done < len(data):
        try:
            count = device.pwrite(data[done:], offset + done)
        except InterruptedError:
            continue
        if count <= 0:
            raise OSError(errno.EIO, "the device took no bytes")
        done += count


def read_all(device: BlockDevice, into: memoryview, offset: int) -> int:
    """Fill `into`; return how many bytes came before the end of the device. Raises OSError."""
    done = 0
    while done < len(into):
        try:
            count = device.pread(into[done:], offset + done)
        except InterruptedError:
            continue
        if count <= 0:
            break
        done += count
    return done
