"""The copy of a platform beside the present one: into free space, and read back before anything points at it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from smartos_wizard.core.errors import ChecksumFailed, ProofFailed
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.media.edit_run import at_work, editing_of
from smartos_wizard.media.fat_edit import Staged
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.platform_tarball import Platform, read_platform
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.what_stays import before_of


def copy_platform(run: Run[MediaWorld], step: Step) -> Work:
    """Write the files of the tarball into free clusters."""
    editing, editor = editing_of(run), run.found["editor"]
    platform: Platform = run.found["platform"]
    editing.total, editing.done = sum(m.size for m in platform.members), 0

    def told(count: int) -> None:
        editing.done += count
        run.cancel.check(editing.words)

    def work() -> dict[str, Any]:
        run.found["before"] = before_of(editing)
        image: VerifiedImage = run.found["image"]
        digests = {member.path: member.digest for member in platform.members}
        staged = {
            path: editor.stage(size, _checked(pieces, digests.get(path, ""), image), told)
            for path, size, pieces in read_platform(image)
        }
        if staged.keys() != digests.keys():
            raise _changed(image)
        editor.volume.sync()
        return staged

    run.found["staged"] = yield from at_work(run, step, editing, work)
    return {"bytes": editing.done}


def _checked(pieces: Iterator[bytes], digest: str, image: VerifiedImage) -> Iterator[bytes]:
    """The pieces; raises ChecksumFailed at their end where they are not what was checked before."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
        yield piece
    if found.hexdigest() != digest:
        raise _changed(image)


def _changed(image: VerifiedImage) -> ChecksumFailed:
    return ChecksumFailed(
        "image-changed",
        f"{image.path.name} became another file while it was copied. Nothing was changed.",
        context=str(image.path),
        hint="Give the same command again when nobody else writes to it.",
    )


def compare_copy(run: Run[MediaWorld], step: Step) -> Work:
    """Read the copy back before anything points at it."""
    editing, editor = editing_of(run), run.found["editor"]
    platform: Platform = run.found["platform"]
    staged: dict[str, Staged] = run.found["staged"]
    editing.total, editing.done = sum(m.size for m in platform.members), 0

    def work() -> None:
        editing.device.drop_cache()
        for member in platform.members:
            found = hashlib.sha256()
            for piece in editor.staged_bytes(staged[member.path]):
                found.update(piece)
                editing.done += len(piece)
                run.cancel.check(editing.words)
            if found.hexdigest() != member.digest:
                raise ProofFailed(
                    "proof-failed",
                    f"{editing.target.path} gives back something else for {member.path} than was written. {editing.words}",
                    hint="The key is bad or badly connected: use another one.",
                    context=editing.target.path,
                )

    yield from at_work(run, step, editing, work, reading=True)
    return {"bytes": editing.done}
