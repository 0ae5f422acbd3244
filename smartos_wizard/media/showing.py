"""What is on a key: which SmartOS, which console, which extra files, and whether it is well. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.media.faults import device_failed
from smartos_wizard.media.model import KeyContents, Target
from smartos_wizard.media.partitions import Pread
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.proving import Reader

T = TypeVar("T")


def show_key(world: MediaWorld, target: Target) -> KeyContents:
    """What `target` holds. Raises what opening raises, and DeviceLost or WriteFailed where it cannot be read."""
    from smartos_wizard.media.contents import read_contents

    return read_key(world, target, read_contents)


def read_key(world: MediaWorld, target: Target, read: Callable[[Pread, int], T]) -> T:
    """What `read` makes of `target`, opened for reading only. Raises what `show_key` raises, and what `read` does."""
    device = world.opener.open(target, write=False, notify=lambda _reference, _data: None)
    try:
        device.drop_cache()
        return read(Reader(device), device.size)
    except OSError as error:
        found = device_failed(error, device, "reading", 0, "Nothing on it was changed.")
        if isinstance(found, WriteFailed):
            found.reference = "not-readable"
        raise found from error
    finally:
        device.close()
