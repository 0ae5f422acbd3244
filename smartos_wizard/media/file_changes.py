"""Making changes of files true on a volume, and proving that they are and that nothing else is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from smartos_wizard.boot.model import LOADER_CONF_LOCAL, MENU_LST, FileChange
from smartos_wizard.core import text
from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.media.fat import FatProblem, FatVolume
from smartos_wizard.media.fat_check import check_volume
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.fat_journal_place import in_reserved
from smartos_wizard.media.fsck import fsck_available, run_fsck
from smartos_wizard.media.partitions import Pread
from smartos_wizard.media.root_volume import Root

LARGEST = 64 << 20
"""Files of the user's up to this many bytes are compared and written."""
DO_NOT_TRUST = "Do not boot from it; write the key anew."


def change_files(editor: FatEditor, changes: Sequence[FileChange], name: str, *, now: bool = True) -> bool:
    """Ask the editor for these changes, settings last, and commit; whether anything had to change.

    A file may be as it was when the change was planned, or as asked already. Raises Refused
    `changed-meanwhile`, and what the editor raises.
    """
    for change in changes:
        there = editor.read(change.path, LARGEST)
        if there == change.new:
            continue
        if there != change.old:
            raise Refused(
                "changed-meanwhile",
                f"{change.path} on {name} is not what it was when this was planned. Nothing was changed.",
                hint="Give the same command again: it looks afresh.",
                context=name,
            )
        if change.new is not None:
            editor.put(change.path, change.new)
        else:
            editor.remove(change.path)
            above = change.path.rpartition("/")[0]
            if above:
                editor.remove_empty(above)
    return editor.commit(settings_of(changes)) if now else False


def settings_of(changes: Iterable[FileChange]) -> str:
    """The path among these that the boot loader reads: what is asked for counts when it is there."""
    return next((c.path for c in changes if c.path in (LOADER_CONF_LOCAL, MENU_LST)), "")


@dataclass(slots=True)
class Asked:
    """What must be found on a volume: files with their SHA-256 (None: not there), and how large the rest is."""

    files: dict[str, str | None] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)


def asked_for(changes: Sequence[FileChange]) -> Asked:
    """These changes as something to be proven."""
    return Asked({c.path: None if c.new is None else hashlib.sha256(c.new).hexdigest() for c in changes})


def prove_files(pread: Pread, root: Root, asked: Asked, name: str) -> str:
    """Read the files back and judge the file system; return what was found in words.

    `pread` must come from the medium, not from a cache. The reader and the judge share no code with the
    writer. Raises ProofFailed, OSError.
    """
    try:
        volume = FatVolume(pread, root.first, root.size)
        for path, digest in asked.files.items():
            _same(volume, path, digest, name)
        for path, size in asked.others.items():
            file = volume.find(path)
            if file is None or file.size != size or not volume.whole(file):
                raise _failed(f"{path} is not on {name} as it was")
    except FatProblem as problem:
        raise _failed(f"the file system of {name} cannot be read: {problem}") from problem
    if in_reserved(pread, root.first):
        raise _failed(f"the change of {name} is still noted as unfinished on it")
    problems = check_volume(pread, root.first, root.size)
    if problems:
        raise _failed(f"the file system of {name} is damaged: {problems[0].rstrip('.')}")
    if not fsck_available():
        return "file system clean (this program's own check; fsck.vfat is not installed)"
    clean, words = run_fsck(pread, root.first, root.size)
    if not clean:
        raise _failed(f"fsck.vfat finds a fault on {name}: {text.tame(words, 200)}")
    return "file system clean (this program's own check and fsck.vfat)"


def _same(volume: FatVolume, path: str, digest: str | None, name: str) -> None:
    file = volume.find(path)
    if digest is None:
        if file is not None:
            raise _failed(f"{path} is still on {name}")
        return
    if file is None or file.directory:
        raise _failed(f"{path} is not on {name}")
    found = hashlib.sha256()
    for piece in volume.chunks(file):
        found.update(piece)
    if found.hexdigest() != digest:
        raise _failed(f"{path} on {name} is not what was asked for")


def _failed(what: str) -> ProofFailed:
    return ProofFailed(
        "proof-failed", f"Not proven: {what}. {DO_NOT_TRUST}", hint="If it happens again, the key is bad."
    )
