"""The actions of plans that VMware alone needs: disks in its format, and its bundle of SmartOS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.events import Advanced
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.guests.model import Guest
from smartos_wizard.guests.ports import GuestWorld
from smartos_wizard.guests.vmware import bundle, vmdk, words
from smartos_wizard.guests.vmware.vmx import Vmx
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.watching import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable


def _make(run: Run[GuestWorld], step: Step) -> Work:
    """params: `path`, and `size` for an empty disk or `around` for a raw image beside it; `slot` as in the .vmx.

    Where the .vmx is there already, the disk that is attached at `slot` now is the one that is emptied: with a
    snapshot that is another file than at first, and the snapshot stays whole.
    """
    from smartos_wizard.guests.at_work import guest_of

    guest = guest_of(run)
    path = Path(step.params["path"])
    around = step.params.get("around")
    if around is None:
        path = attached_now(guest, step.params.get("slot", ""), path)
    if not guest.owns(path):
        raise Refused("not-ours", f"{path} does not belong to the guest; it stays as it is.")
    if around is None:
        taken = _made(path, lambda: vmdk.write_empty(path, int(step.params["size"])))
    else:
        taken = _made(path, lambda: vmdk.write_around(path, Path(around)))
    yield from ()
    return {"path": str(path), "bytes": taken}


def _unmake(run: Run[GuestWorld], step: Step) -> Work:
    from smartos_wizard.guests.at_work import guest_of

    path = Path(step.params["path"])
    if guest_of(run).owns(path) and not step.params.get("renew"):
        path.unlink(missing_ok=True)
    yield from ()
    return {}


def attached_now(guest: Guest, slot: str, planned: Path) -> Path:
    """The file of the disk at `slot`: what the .vmx says, else the planned one.

    Raises Refused `guest-saved` where a suspended guest has it in its memory, `guest-runs` where it is open.
    """
    try:
        vmx = Vmx.decode((guest.folder / words.VMX).read_bytes())
    except FileNotFoundError:
        return planned
    if vmx.get("checkpoint.vmState"):
        raise Refused(
            "guest-saved", f"{guest.name} is suspended and has its disks in memory as they were.",
            hint=f"Start it and stop it first: smartos-wizard guest start {guest.name}",
        )  # fmt: skip
    name = dict(words.attached(vmx)).get(slot)
    path = guest.folder / name if name else planned
    if path.with_name(f"{path.name}.lck").exists():
        raise Refused("guest-runs", f"VMware has {path.name} open.",
            hint="Stop the guest first. If it is off, a crash left the lock: VMware clears it when the guest is started and stopped.",
        )  # fmt: skip
    return path


def _made(path: Path, make: Callable[[], int]) -> int:
    try:
        return make()
    except ValueError as error:
        raise WriteFailed("vmdk-not-made", f"The disk {path.name} cannot be made: {error}.") from error
    except OSError as error:
        raise WriteFailed(
            "guest-disk-full", f"The disk {path.name} cannot be written: {error.strerror}.", context=str(path),
            hint="Make room where guests lie.",
        ) from error  # fmt: skip


def _unpack(run: Run[GuestWorld], step: Step) -> Work:
    """params: `image`, as a verified image in JSON. Its key becomes the guest's; its .vmx waits in the folder."""
    from smartos_wizard.guests.at_work import guest_of

    guest = guest_of(run)
    image = image_from_json(step.params["image"])
    done = 0

    def advanced(count: int) -> None:
        nonlocal done
        done = count
        run.cancel.check(run.state())

    found = yield from in_thread(
        run,
        lambda: bundle.unpack(image, guest.key, advanced),
        lambda: [Advanced(run.clock(), step.id, done, None)],
    )
    replace_file(guest.folder / bundle.ORIGINAL, found.vmx.encode())
    return {"bytes": found.size}


def _correct(run: Run[GuestWorld], step: Step) -> Work:
    """params: `path` of the guest's .vmx, which is made of the bundle's."""
    from smartos_wizard.guests.at_work import guest_of

    guest = guest_of(run)
    path, original = Path(step.params["path"]), guest.folder / bundle.ORIGINAL
    if not guest.owns(path):
        raise Refused("not-ours", f"{path} does not belong to the guest; it stays as it is.")
    replace_file(path, words.corrected(original.read_text(encoding="utf-8"), guest).encode())
    original.unlink()
    yield from ()
    return {}


VMWARE_ACTIONS: dict[str, Action[Any]] = {
    "vmdk": Action(_make, _unmake),
    "bundle": Action(_unpack),
    "bundle-vmx": Action(_correct, _unmake),
}
