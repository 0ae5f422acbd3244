"""Run by a Python with vboxapi, real or make-believe: what members there are, or what it answers to one walk through the interface.

Standard library and vboxapi only; what it found is the last line on stdout, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vboxapi

UUID = "11111111-2222-3333-4444-555555555555"


def members(names: list[str]) -> dict[str, dict[str, str]]:
    """Interface to member to "rw", "ro" or "call", of the real bindings' own tables."""
    manager = vboxapi.VirtualBoxManager(None, None)  # finds the bindings, and lets go of them at its end
    from xpcom import components, xpt

    found: dict[str, dict[str, str]] = {}
    for name in names:
        known = found.setdefault(name, {})
        for method in xpt.Interface(getattr(components.interfaces, name)).methods:
            if method.IsSetter():
                known[method.name] = "rw"
            elif method.IsGetter():
                known.setdefault(method.name, "ro")
            else:
                known[method.name] = "call"
    assert manager is not None
    return found


class Walk:
    """Takes down each step's result, or its refusal."""

    def __init__(self, manager: Any) -> None:
        self.manager, self.steps = manager, []

    def __call__(self, name: str, step: Callable[[], Any]) -> Any:
        result: Any = None
        try:
            result = step()
            self.steps.append([name, result if isinstance(result, bool | int | str | list) else "done"])
        except self.manager.oXcptClass as error:
            words = self.manager.xcptGetMessage(error)
            self.steps.append([name, [hex(self.manager.xcptGetStatus(error) & 0xFFFFFFFF), words]])
        except (AttributeError, TypeError) as error:
            self.steps.append([name, type(error).__name__])
        return result

    def progress(self, name: str, step: Callable[[], Any]) -> None:
        """A step that gives a progress, or a tuple that begins with one."""

        def waited() -> Any:
            got = step()
            progress = got[0] if isinstance(got, tuple) else got
            progress.waitForCompletion(-1)
            return [
                hex(progress.resultCode & 0xFFFFFFFF),
                progress.errorInfo.text if progress.resultCode else "",
            ]

        self(name, waited)


def walk(place: Path) -> list[Any]:
    """The walk. `place` is a directory that is not there yet."""
    place.mkdir()
    manager = vboxapi.VirtualBoxManager(None, None)
    box, c = manager.getVirtualBox(), manager.constants
    step = Walk(manager)
    file = box.composeMachineFilename('a/b "c"', "/Group", f"UUID={UUID}", str(place))
    step("file", lambda: file)
    step("nobody", lambda: box.findMachine("nobody"))
    step("no such number", lambda: box.findMachine(UUID))
    step("too few words", lambda: box.createMachine(file, "walk", ["/Group"], "Solaris11_64", f"UUID={UUID}"))
    new = box.createMachine(
        file, "walk", c.PlatformArchitecture_x86, ["/Group"], "Solaris11_64", f"UUID={UUID}", "", "", ""
    )
    new.saveSettings()
    box.registerMachine(new)
    step(
        "there already",
        lambda: box.createMachine(
            file, "w", c.PlatformArchitecture_x86, ["/Group"], "Solaris11_64", "", "", "", ""
        ),
    )
    machine = box.findMachine(UUID)
    _settings(step, manager, box, machine)
    _media(step, manager, box, machine, place)
    _snapshots(step, manager, machine)
    left = machine.unregister(c.CleanupMode_DetachAllReturnHardDisksOnly)
    step("left", lambda: [Path(medium.location).name for medium in left])
    for medium in left:
        step("close", medium.close)
    step("gone", lambda: box.findMachine(UUID))
    step("no disks", lambda: len(manager.getArray(box, "hardDisks")))
    return step.steps


def _settings(step: Walk, manager: Any, box: Any, machine: Any) -> None:
    c = manager.constants
    session, other = manager.getSessionObject(box), manager.getSessionObject(box)
    step("not locked", lambda: setattr(machine, "memorySize", 512))
    step("no such attribute", lambda: machine.nonsense)
    step("no such attribute to set", lambda: setattr(machine, "nonsense", 1))
    step("list as attribute", lambda: box.machines)
    step("number as call", lambda: int(machine.getMemorySize()))
    step("mark of a machine nobody locked", lambda: machine.setExtraData("a/b", "1"))
    step("lock", lambda: machine.lockMachine(session, c.LockType_Write))
    step("second lock", lambda: machine.lockMachine(other, c.LockType_Write))
    step("state", lambda: [session.state, machine.sessionState, machine.state])
    mine = session.machine
    step("set", lambda: setattr(mine, "memorySize", 512))
    step("seen only by me", lambda: [mine.memorySize, machine.memorySize])
    nat = mine.getNetworkAdapter(0).NATEngine
    step("rule", lambda: nat.addRedirect("ssh", c.NATProtocol_TCP, "127.0.0.1", 2222, "", 22))
    step("rule again", lambda: nat.addRedirect("ssh", c.NATProtocol_TCP, "127.0.0.1", 2223, "", 22))
    step("rules", lambda: list(manager.getArray(nat, "redirects")))
    step("no such rule", lambda: nat.removeRedirect("web"))
    step("loopback", lambda: bool(nat.localhostReachable))
    port = mine.getSerialPort(0)
    step("pipe without path", lambda: setattr(port, "hostMode", c.PortMode_HostPipe))
    step("sound", lambda: [bool(mine.audioSettings.adapter.enabled), mine.pointingHIDType])
    step("USB", lambda: len(manager.getArray(mine, "USBControllers")))
    step("3D", lambda: bool(mine.graphicsAdapter.isFeatureEnabled(c.GraphicsFeature_Acceleration3D)))
    mine.saveSettings()
    step("seen by all", lambda: machine.memorySize)
    step("set and forgotten", lambda: setattr(mine, "memorySize", 640))
    session.unlockMachine()
    step("not saved", lambda: machine.memorySize)
    step("unlock again", session.unlockMachine)


def _media(step: Walk, manager: Any, box: Any, machine: Any, place: Path) -> None:
    c = manager.constants
    session = manager.getSessionObject(box)
    machine.lockMachine(session, c.LockType_Write)
    mine, hard, path = session.machine, c.DeviceType_HardDisk, str(place / "x.vdi")
    step("no controller", lambda: mine.attachDevice("SATA", 0, 0, hard, None))
    step("controller", lambda: mine.addStorageController("SATA", c.StorageBus_SATA).portCount)
    step("controller again", lambda: mine.addStorageController("SATA", c.StorageBus_SATA))
    medium = box.createMedium("VDI", path, c.AccessMode_ReadWrite, hard)
    step.progress("disk", lambda: medium.createBaseStorage(1 << 30, [c.MediumVariant_Standard]))
    step("size", lambda: medium.logicalSize)
    again = box.createMedium("VDI", path, c.AccessMode_ReadWrite, hard)
    step.progress("disk again", lambda: again.createBaseStorage(1 << 30, [c.MediumVariant_Standard]))
    step("no file", lambda: box.openMedium(str(place / "y.vdi"), hard, c.AccessMode_ReadWrite, False))
    step("no such port", lambda: mine.attachDevice("SATA", 31, 0, hard, medium))
    step("attach", lambda: mine.attachDevice("SATA", 0, 0, hard, medium))
    step("attach again", lambda: mine.attachDevice("SATA", 0, 0, hard, medium))
    step("attach elsewhere", lambda: mine.attachDevice("SATA", 1, 0, hard, medium))
    step("detach nothing", lambda: mine.detachDevice("SATA", 1, 0))
    mine.saveSettings()
    step("close attached", medium.close)
    step("unregister locked", lambda: machine.unregister(c.CleanupMode_DetachAllReturnNone))
    step("what hangs", lambda: [
        [each.controller, each.port, each.device, each.type, Path(each.medium.location).name, bool(each.nonRotational)]
        for each in manager.getArray(mine, "mediumAttachments")
    ])  # fmt: skip
    step("mark", lambda: mine.setExtraData("a/b", "1"))
    session.unlockMachine()
    step(
        "marks",
        lambda: [list(machine.getExtraDataKeys()), machine.getExtraData("a/b"), machine.getExtraData("c")],
    )


def _snapshots(step: Walk, manager: Any, machine: Any) -> None:
    c = manager.constants
    session = manager.getSessionObject(None)
    machine.lockMachine(session, c.LockType_Write)
    mine = session.machine
    step.progress("live", lambda: mine.takeSnapshot("no", "", False))
    step.progress("one", lambda: mine.takeSnapshot("one", "", True))
    step.progress("two", lambda: mine.takeSnapshot("two", "", True))
    step(
        "tree",
        lambda: [
            mine.findSnapshot("").name,
            *(each.name for each in manager.getArray(mine.findSnapshot("one"), "children")),
        ],
    )
    step("no such", lambda: mine.findSnapshot("three"))
    step.progress("restore", lambda: mine.restoreSnapshot(mine.findSnapshot("one")))
    step.progress("needed", lambda: mine.deleteSnapshot(mine.findSnapshot("one").id))
    step.progress("delete two", lambda: mine.deleteSnapshot(mine.findSnapshot("two").id))
    step.progress("delete one", lambda: mine.deleteSnapshot(mine.findSnapshot("one").id))
    step("none left", lambda: machine.snapshotCount)
    session.unlockMachine()


def main() -> None:
    """`members NAME...` or `walk DIRECTORY`."""
    found: Any = members(sys.argv[2:]) if sys.argv[1] == "members" else walk(Path(sys.argv[2]))
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
