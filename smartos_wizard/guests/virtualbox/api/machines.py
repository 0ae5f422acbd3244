"""Machines through the interface: made, forgotten, marked, started, stopped, and their snapshots.

Facts: VirtualBox, Frontends/VBoxManage/VBoxManageMisc.cpp, VBoxManageSnapshot.cpp and VBoxManageControlVM.cpp.
"""

from __future__ import annotations

import contextlib

from smartos_wizard.guests.virtualbox.api.generations import Api, Failed
from smartos_wizard.guests.virtualbox.api.media import pairs
from smartos_wizard.guests.virtualbox.api.telling import snapshot_lines


def createvm(api: Api, words: list[str]) -> str:
    """A machine in its folder, in VirtualBox's list."""
    found = pairs(words)
    name, group, flags = found["--name"], found["--groups"], f"UUID={found['--uuid']}"
    file = api.vbox.composeMachineFilename(name, group, flags, found["--basefolder"])
    machine = api.create(file, name, group, found["--ostype"], flags)
    machine.saveSettings()
    api.vbox.registerMachine(machine)
    return (
        f"Virtual machine '{name}' is created and registered.\nUUID: {machine.id}\n"
        f"Settings file: '{machine.settingsFilePath}'\n"
    )


def unregistervm(api: Api, words: list[str]) -> str:
    """Forget it and its disks. No file is deleted: what is asked for here never says `--delete`."""
    if "--delete" in words:
        raise Failed("Deleting files is not done here", 0x80070057)
    # Children come before their parents; a disk that another machine uses stays in the list.
    for medium in (
        api.machine(words[0]).unregister(api.const("CleanupMode", "DetachAllReturnHardDisksOnly")) or ()
    ):
        with contextlib.suppress(api.manager.oXcptClass):
            medium.close()
    return ""


def setextradata(api: Api, words: list[str]) -> str:
    """Set or, without a value, take away one of its marks."""
    with api.session(words[0], "Shared") as session:
        session.machine.setExtraData(words[1], words[2] if len(words) > 2 else "")
    return ""


def getextradata(api: Api, words: list[str]) -> str:
    """All its marks, or one."""
    machine = api.machine(words[0])
    if words[1] != "enumerate":
        value = machine.getExtraData(words[1])
        return f"Value: {value}\n" if value else "No value set!\n"
    keys = list(machine.getExtraDataKeys() or ())
    return "".join(f"Key: {key}, Value: {machine.getExtraData(key)}\n" for key in keys)


def snapshot(api: Api, words: list[str]) -> str:
    """`take`, `restore`, `delete` one, or `list` them."""
    who, act = words[0], words[1]
    if act == "list":
        lines = snapshot_lines(api, api.machine(who))
        if not lines:
            raise Failed("This machine does not have any snapshots", 0x80BB0001)
        return "".join(f"{line}\n" for line in lines)
    with api.session(who, "Write" if act == "restore" else "Shared") as session:
        machine = session.machine
        if act == "take":
            progress, _id = machine.takeSnapshot(words[2], "", True)
        elif act == "restore":
            progress = machine.restoreSnapshot(machine.findSnapshot(words[2]))
        else:
            progress = machine.deleteSnapshot(machine.findSnapshot(words[2]).id)
        api.wait(progress)
    return ""


def startvm(api: Api, words: list[str]) -> str:
    """Start it without a window; it goes on when this process ends."""
    machine = api.machine(words[0])
    session = api.manager.getSessionObject(api.vbox)
    environment: object = "" if api.line < (6, 1) else []
    try:
        api.wait(machine.launchVMProcess(session, "headless", environment))
    finally:
        if session.state == api.const("SessionState", "Locked"):
            session.unlockMachine()
    return f'VM "{words[0]}" has been successfully started.\n'


def controlvm(api: Api, words: list[str]) -> str:
    """Press its power button, or pull its plug."""
    who, act = words[0], words[1]
    machine = api.machine(who)
    if machine.sessionState != api.const("SessionState", "Locked"):
        raise Failed(f"Machine '{machine.name}' is not currently running.", 0x80BB0002)
    with api.session(who, "Shared") as session:
        console = session.console
        if console is None:
            raise Failed(f"Machine '{machine.name}' is not currently running.", 0x80BB0002)
        if act == "acpipowerbutton":
            console.powerButton()
        elif act == "poweroff":
            api.wait(console.powerDown())
        else:
            raise Failed(f"Invalid parameter '{act}'", 0x80070057)
    return ""
