"""What is on a key before a change, to be found again after it."""

from __future__ import annotations

import hashlib

from smartos_wizard.media.edit_run import Editing
from smartos_wizard.media.fat import FatVolume
from smartos_wizard.media.file_changes import Asked
from smartos_wizard.media.upgrade_plan import PLATFORM, PREVIOUS

_SMALL = 1 << 20
"""Files of up to this many bytes that are no platform's are compared byte by byte."""


def swapped(path: str) -> str:
    """Where a file of one of the two platforms is when they have changed places."""
    for one, other in ((PLATFORM, PREVIOUS), (PREVIOUS, PLATFORM)):
        if path.startswith(f"{one}/"):
            return other + path.removeprefix(one)
    return path


def before_of(editing: Editing) -> Asked:
    """What is on it now, to be found again: settings, answers and other small files by content, the rest by size."""
    root = editing.root()
    volume = FatVolume(editing.reader, root.first, root.size)
    found = Asked()
    for file in volume.files():
        if file.directory:
            continue
        if file.size > _SMALL or file.path.startswith((f"{PLATFORM}/", f"{PREVIOUS}/")):
            found.others[file.path] = file.size
        else:
            found.files[file.path] = hashlib.sha256(b"".join(volume.chunks(file))).hexdigest()
    return found
