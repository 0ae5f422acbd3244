"""IVirtualBox: the list of machines and media, and what makes new ones."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

from vboxapi_stub import media
from vboxapi_stub.faces import Face, Plain
from vboxapi_stub.machine import Machine
from vboxapi_stub.parts import fresh
from vboxapi_stub.store import FILE, NOT_FOUND, constants, line, refuse, store, version

CARDS = (("eth0", "Bridged"), ("wlan0 (Wi-Fi)", "Bridged"), ("vboxnet0", "HostOnly"))
"""The network cards of the make-believe host."""


class Client:
    """IVirtualBoxClient, as far as vboxapi goes."""

    @property
    def virtualBox(self) -> VirtualBox:
        return VirtualBox()


class Host(Face):
    interface = "IHost"

    def do_getNetworkInterfaces(self) -> list[Plain]:
        kinds = {kind: getattr(constants(), f"HostNetworkInterfaceType_{kind}") for _, kind in CARDS}
        return [
            Plain(
                "IHostNetworkInterface",
                {"name": name, "shortName": name[:15], "id": name, "interfaceType": kinds[kind]},
            )
            for name, kind in CARDS
        ]


class VirtualBox(Face):
    interface = "IVirtualBox"

    def see_version(self) -> str:
        return ".".join(map(str, version()))

    see_versionNormalized = see_version

    def see_revision(self) -> int:
        return 100000

    def see_APIVersion(self) -> str:
        return "{}_{}".format(*line())

    def see_host(self) -> Host:
        return Host()

    def do_getMachines(self) -> list[Machine]:
        return [Machine.of(who) for who in store().machines]

    def do_getHardDisks(self) -> list[media.Medium]:
        hard = constants().DeviceType_HardDisk
        known = store().media.values()
        return [media.of(each["id"]) for each in known if each["deviceType"] == hard and not each["parent"]]

    def do_getHostOnlyNetworks(self) -> list[Plain]:
        return [Plain("IHostOnlyNetwork", {"networkName": "HostNetwork", "enabled": True})]

    def do_findMachine(self, who: str) -> Machine:
        for number, machine in store().machines.items():
            if who in (number, machine["name"]):
                return Machine.of(number)
        kind = f"with UUID {{{who}}}" if re.fullmatch("[0-9a-f-]{36}", who) else f"named '{who}'"
        return refuse(NOT_FOUND, f"Could not find a registered machine {kind}")

    def do_composeMachineFilename(self, name: str, group: str, flags: str, base: str) -> str:
        assert "UUID=" in flags
        plain = re.sub(r'[\\/:*?"<>|]', "_", name)
        return str(Path(base) / group.strip("/") / plain / f"{plain}.vbox")

    def do_createMachine(self, file: str, name: str, *more: Any) -> Machine:
        wanted = 3 + 3 * (line() >= (7, 0)) + (line() >= (7, 1))
        if len(more) != wanted:
            raise TypeError(f"createMachine() takes {wanted + 2} arguments in this version")
        if line() >= (7, 1):
            assert more[0] == constants().PlatformArchitecture_x86
            more = more[1:]
        groups, system, flags = more[:3]
        assert isinstance(groups, list)
        if Path(file).exists():
            refuse(FILE, f"Machine settings file '{file}' already exists")
        match = re.search(r"UUID=([0-9a-f-]+)", flags)
        return Machine(fresh(match[1] if match else str(uuid.uuid4()), name, groups, system, file))

    def do_registerMachine(self, machine: Machine) -> None:
        store().machines[machine.id] = machine._data
        store().save()

    def do_createMedium(self, form: str, path: str, mode: int, device: int) -> media.Medium:
        assert mode == constants().AccessMode_ReadWrite
        made = media.new(path, form, device)
        return media.Medium(made | {"state": constants().MediumState_NotCreated})

    def do_openMedium(self, path: str, device: int, _mode: int, new: bool) -> media.Medium:
        assert new is False
        return media.opened(path, device)
