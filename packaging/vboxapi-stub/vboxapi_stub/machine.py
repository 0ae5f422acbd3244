"""IMachine: its settings, as the list has them and as a session changes them."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

from vboxapi_stub import media
from vboxapi_stub.faces import Plain, Progress
from vboxapi_stub.parts import Nic, Platform, Port, Processor, Screen
from vboxapi_stub.storage import Storage
from vboxapi_stub.store import BAD_STATE, OBJECT_STATE, constants, line, refuse, store


class Machine(Storage):
    """As the list has it, or, `mutable`, as a session has it: a copy, which `saveSettings` puts in the list."""

    interface = "IMachine"

    @classmethod
    def of(cls, who: str) -> Machine:
        return cls(store().machines[who], mutable=False)

    @classmethod
    def copy_of(cls, who: str) -> Machine:
        return cls(copy.deepcopy(store().machines[who]))

    def see_logFolder(self) -> str:
        return str(Path(self.settingsFilePath).parent / "Logs")

    def see_snapshotFolder(self) -> str:
        return str(Path(self.settingsFilePath).parent / "Snapshots")

    def see_state(self) -> int:
        return int(getattr(constants(), f"MachineState_{self._data['run'].get('state', 'PoweredOff')}"))

    def see_sessionName(self) -> str:
        return "headless" if self._data["run"] else ""

    def see_sessionState(self) -> int:
        from vboxapi_stub.session import held

        c = constants()
        return int(c.SessionState_Locked if self._data["run"] or self.id in held else c.SessionState_Unlocked)

    def see_graphicsAdapter(self) -> Screen:
        return Screen(self._data["screen"], mutable=self._mutable)

    def see_platform(self) -> Platform:
        return Platform(self._data["board"], mutable=self._mutable)

    def see_firmwareSettings(self) -> Plain:
        return Plain("IFirmwareSettings", self._data["board"], mutable=self._mutable)

    def see_BIOSSettings(self) -> Plain:
        return Plain("IBIOSSettings", self._data["board"], mutable=self._mutable)

    def see_VRDEServer(self) -> Plain:
        return Plain("IVRDEServer", self._data["VRDE"], mutable=self._mutable)

    def see_audioAdapter(self) -> Plain:
        return Plain("IAudioAdapter", self._data["sound"], mutable=self._mutable)

    def see_audioSettings(self) -> Plain:
        return Plain("IAudioSettings", {"adapter": self.see_audioAdapter()})

    def __getattr__(self, name: str) -> Any:
        if name in ("chipsetType", "RTCUseUTC", "HPETEnabled", "firmwareType") and line() < (7, 1):
            return self._data["board"][name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self._data["board"]:
            self._data["board"][name] = self._data.pop(name)

    def do_setCPUProperty(self, which: int, on: bool) -> None:
        Processor(self._data["board"], mutable=self._mutable).do_setCPUProperty(which, on)

    def do_getCPUProperty(self, which: int) -> bool:
        return Processor(self._data["board"]).do_getCPUProperty(which)

    def do_getNetworkAdapter(self, slot: int) -> Nic:
        return Nic(self._data["nics"][slot], mutable=self._mutable)

    def do_getSerialPort(self, slot: int) -> Port:
        return Port(self._data["ports"][slot], mutable=self._mutable)

    def do_setBootOrder(self, place: int, device: int) -> None:
        self._may_change()
        self._data["boot"][str(place)] = device

    def do_getBootOrder(self, place: int) -> int:
        return int(self._data["boot"].get(str(place), 0))

    def do_getUSBControllers(self) -> list[Plain]:
        return [
            Plain("IUSBController", {"name": name, "type": kind}) for name, kind in self._data["usb"].items()
        ]

    def do_getUSBControllerCountByType(self, kind: int) -> int:
        return sum(each == kind for each in self._data["usb"].values())

    def do_addUSBController(self, name: str, kind: int) -> Plain:
        self._may_change()
        self._data["usb"][name] = kind
        return Plain("IUSBController", {"name": name, "type": kind})

    def do_removeUSBController(self, name: str) -> None:
        self._may_change()
        del self._data["usb"][name]

    def do_getExtraDataKeys(self) -> list[str]:
        return list(self._data["extra"])

    def do_getExtraData(self, key: str) -> str:
        return str(self._data["extra"].get(key, ""))

    def do_setExtraData(self, key: str, value: str) -> None:
        if not self._mutable:
            refuse(BAD_STATE, "Cannot set extradata for an immutable machine")
        for where in (self._data, store().machines.get(self.id, self._data)):
            where["extra"].pop(key, None)
            if value:
                where["extra"][key] = value
        store().save()

    def do_getSharedFolders(self) -> list[Plain]:
        return [Plain("ISharedFolder", each) for each in self._data["shared"]]

    def do_createSharedFolder(self, name: str, path: str, writable: bool, *_more: Any) -> None:
        self._may_change()
        self._data["shared"].append({"name": name, "hostPath": path, "writable": writable})

    def do_saveSettings(self) -> None:
        self._may_change()
        before = [
            each["medium"] for each in store().machines.get(self.id, {"attachments": []})["attachments"]
        ]
        file = Path(self.settingsFilePath)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"name": self.name, "process": os.getpid()}))
        if self.id in store().machines:
            known, new = store().machines[self.id], copy.deepcopy(self._data)
            known.clear()  # the same one stays, because others look at it
            known.update(new)
        for number in before:
            media.drop(number)
        store().save()

    def do_unregister(self, mode: int) -> list[media.Medium]:
        if self.sessionState == constants().SessionState_Locked:
            refuse(OBJECT_STATE, f"Cannot unregister the machine '{self.name}' while it is locked")
        lists = [self._data["attachments"], *(each["attachments"] for each in self._data["snapshots"])]
        if mode == constants().CleanupMode_UnregisterOnly and any(lists):
            refuse(OBJECT_STATE, f"Cannot unregister the machine '{self.name}' because it has media attached")
        del store().machines[self.id]
        for number in [
            each["medium"]
            for each in lists[0]
            if each["type"] == constants().DeviceType_DVD and each["medium"]
        ]:
            if not media.users(number):
                del store().media[number]
        store().save()
        if mode != constants().CleanupMode_DetachAllReturnHardDisksOnly:
            return []
        numbers: list[str] = []
        for each in (each for attachments in lists for each in attachments):
            number = each["medium"]
            while number and each["type"] == constants().DeviceType_HardDisk:
                numbers.append(number)
                number = store().media[number]["parent"]
        depth = {number: numbers.count(number) for number in numbers}
        return [media.of(number) for number in sorted(depth, key=_depth, reverse=True)]

    def do_lockMachine(self, session: Any, kind: int) -> None:
        from vboxapi_stub.session import lock

        lock(self, session, kind)

    def do_launchVMProcess(self, session: Any, kind: str, environment: list[str]) -> Progress:
        from vboxapi_stub.running import launch

        assert kind == "headless"
        assert isinstance(environment, list)
        assert session is not None
        return launch(self)

    def see_snapshotCount(self) -> int:
        return len(self._data["snapshots"])

    def see_currentSnapshot(self) -> Any:
        from vboxapi_stub.snapshots import Snapshot

        current = self._data["current"]
        return Snapshot.of(self._data, current) if current else None

    def do_findSnapshot(self, which: str) -> Any:
        from vboxapi_stub.snapshots import find

        return find(self._data, which)

    def do_takeSnapshot(self, name: str, description: str, pause: bool) -> tuple[Progress, str]:
        from vboxapi_stub.snapshots import take

        return take(self, name, description, pause)

    def do_restoreSnapshot(self, snapshot: Any) -> Progress:
        from vboxapi_stub.snapshots import restore

        return restore(self, snapshot.id)

    def do_deleteSnapshot(self, number: str) -> Progress:
        from vboxapi_stub.snapshots import delete

        return delete(self, number)


def _depth(number: str) -> int:
    parent = store().media[number]["parent"]
    return 1 + _depth(parent) if parent else 0
