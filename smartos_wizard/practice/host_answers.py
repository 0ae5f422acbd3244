"""What a make-believe SmartOS machine answers to a survey, in the formats of the real commands."""

from __future__ import annotations

import json
from dataclasses import dataclass

from smartos_wizard.reinstall.probes import NAMES
from smartos_wizard.reinstall.script import FIRST, LAST

GIB = 1 << 30
STAMP = "20260903T001557Z"
_RAM = 32 * GIB


@dataclass(frozen=True, slots=True)
class PracticeDisk:
    """A row of `diskinfo`."""

    name: str
    size: int
    kind: str = "SATA"
    vendor: str = "ATA"
    model: str = "Practice Disk"


@dataclass(frozen=True, slots=True)
class PracticePool:
    """A pool of a make-believe machine."""

    name: str
    guid: str
    group: str
    disks: tuple[PracticeDisk, ...]
    used: int = 60 * GIB
    bootable: bool = False
    encrypted: bool = False
    imported: bool = True

    @property
    def size(self) -> int:
        """Bytes of all disks together."""
        return sum(disk.size for disk in self.disks)


@dataclass(frozen=True, slots=True)
class PracticeInstance:
    """A zone or virtual machine of a make-believe machine."""

    uuid: str
    alias: str
    brand: str = "joyent"
    state: str = "stopped"
    memory: int = 1024
    used: int = 3 * GIB


@dataclass(frozen=True, slots=True)
class PracticeMachine:
    """A make-believe machine."""

    hostname: str
    hostid: str
    pools: tuple[PracticePool, ...]
    instances: tuple[PracticeInstance, ...] = ()
    parameters: tuple[str, ...] = ("smartos=true",)
    key: bool = True
    system: str = "SunOS"
    zone: str = "global"
    triton: bool = False
    clean: bool = False
    """Set up anew: nothing of its own is in its configuration."""

    def answers(self, when: str) -> str:
        """Everything the survey's script would print here; `when` as `20260903T101500Z`."""
        return framed(_linux(self, when) if self.system != "SunOS" else _said(self, when))


def framed(said: dict[str, tuple[str, int]]) -> str:
    """Outputs with their status in the frame of the survey's script; what is missing was not found."""
    lines = [FIRST]
    for name in NAMES:
        output, status = said.get(name, ("", 127))
        lines += [f"? {name}", *(f"| {line}" for line in output.split("\n") if output), "| "]
        lines += ["! not found", "= 127"] if name not in said else [f"= {status}"]
    return "\n".join([*lines, f"{LAST} {len(NAMES)}", ""])


def _linux(machine: PracticeMachine, when: str) -> dict[str, tuple[str, int]]:
    return {name: (value, 0) for name, value in {
        "time": when, "system": machine.system, "version": "#1 SMP PREEMPT_DYNAMIC", "user": "0",
        "hostname": machine.hostname, "hostid": machine.hostid, "triton": "", "pool-marks": "", "tags": "",
        "images": "[]", "usbkey": "", "custom": "", "key-release": "",
    }.items()}  # fmt: skip


def _said(machine: PracticeMachine, when: str) -> dict[str, tuple[str, int]]:
    imported = [pool for pool in machine.pools if pool.imported]
    waiting = [pool for pool in machine.pools if not pool.imported]
    key = [PracticeDisk("c9t0d0", 15_376_318_464, "USB", "SanDisk", "Ultra Fit")] if machine.key else []
    disks = [disk for pool in machine.pools for disk in pool.disks] + key
    datasets = _datasets(machine, imported)
    texts = {
        "time": when, "system": machine.system, "version": f"joyent_{STAMP}", "release": f"SmartOS {STAMP} x86_64",
        "zone": machine.zone, "user": "0", "hostname": machine.hostname, "hostid": machine.hostid,
        "parameters": "\n".join(("console=text", "boot-file=/platform/i86pc/kernel/amd64/unix", *machine.parameters)),
        "memory": f"Memory size: {_RAM >> 20} Megabytes",
        "maker": "  Manufacturer: Practice\n  Product: Make-believe 1\n  Serial Number: PRACTICE-1",
        "triton": "/opt/smartdc/agents/lib" if machine.triton else "",
        "pools": "\n".join(f"{p.name}\t{p.guid}\tONLINE\t{p.size}\t{p.used}\t{p.name + '/boot' if p.bootable else '-'}" for p in imported),
        "status": "\n\n".join(_status(pool) for pool in imported), "system-pool": "zones", "pool-marks": "/zones/.system_pool", "reset": "",
        "datasets": "\n".join(datasets), "encryption": "\n".join(f"{row.split(chr(9))[0]}\t{_encryption(row, machine)}" for row in datasets),
        "snapshots": "\n".join(f"zones/{each.uuid}@nightly\t1788300000" for each in machine.instances[:1]),
        "instances": json.dumps([_instance(each) for each in machine.instances], indent=2),
        "images": json.dumps([{"manifest": {"uuid": "a21a64a0-0809-11e5-a64f-ff80e8e8086f", "name": "base-64-lts", "version": "23.4.0"}}]),
        "disks": "\n".join(f"{d.kind}\t{d.name}\t{d.vendor}\t{d.model}\t{d.size}\tno\tno" for d in disks),
        "volumes": "c9t0d0 s2 pcfs SMARTOSBOOT" if machine.key else "", "key-release": "",
        "cards": "e1000g0:2\\:8\\:20\\:0\\:0\\:1", "links": "e1000g0:up", "tags": "admin_nic=02:08:20:00:00:01",
        "firewall": "", "services": "",
        "usbkey": "\n".join(f"-rw-r--r--   1 0  0  {size} Sep  3 00:20 /usbkey/{name}" for name, size in (("config", 612), ("shadow", 580), ("ssh/ssh_host_rsa_key", 3381))),
        "custom": "-rw-r--r--   1 0  0  1204 Sep  3 00:20 /opt/custom/smf/backup.xml",
    }  # fmt: skip
    said = {name: (value, 0) for name, value in texts.items()}
    nothing = ("no pools available to import", 1)
    said["import"] = ("\n\n".join(_waiting(pool) for pool in waiting), 0) if waiting else nothing
    return said


def _status(pool: PracticePool) -> str:
    rows = [(0, pool.name), (1, pool.group), *((2, disk.name) for disk in pool.disks)]
    tree = "\n".join(f"\t{'  ' * depth}{name}  ONLINE  0  0  0" for depth, name in rows)
    return f"  pool: {pool.name}\n state: ONLINE\n  scan: none requested\nconfig:\n\n\tNAME  STATE  READ WRITE CKSUM\n{tree}\n\nerrors: No known data errors"


def _waiting(pool: PracticePool) -> str:
    tree = "\n".join(f"\t  {disk.name}  ONLINE" for disk in pool.disks)
    action = "The pool can be imported using its name or numeric identifier."
    return f"   pool: {pool.name}\n     id: {pool.guid}\n  state: ONLINE\n action: {action}\n config:\n\n\t{pool.name}  ONLINE\n{tree}"


def _datasets(machine: PracticeMachine, imported: list[PracticePool]) -> list[str]:
    rows = [f"{pool.name}\tfilesystem\t{pool.used}\t98304\t-\t/{pool.name}" for pool in imported]
    if any(pool.name == "zones" for pool in imported):
        rows += [
            f"zones/{name}\tfilesystem\t{used}\t{used}\t-\tlegacy"
            for name, used in (("config", 200_000), ("usbkey", 200_000), ("opt", GIB), ("var", GIB))
        ]
        rows += [f"zones/dump\tvolume\t{GIB}\t{GIB}\t-\t-", f"zones/swap\tvolume\t{_RAM}\t{GIB}\t-\t-"]
        rows += [f"zones/{each.uuid}\tfilesystem\t{each.used}\t{each.used}\t-\t/zones/{each.uuid}" for each in machine.instances]  # fmt: skip
    return rows + [f"{pool.name}/boot\tfilesystem\t{GIB}\t{GIB}\t-\t/{pool.name}/boot" for pool in imported if pool.bootable]  # fmt: skip


def _encryption(row: str, machine: PracticeMachine) -> str:
    return (
        "aes-256-ccm"
        if any(
            p.encrypted and row.split("\t", maxsplit=1)[0].split("/", maxsplit=1)[0] == p.name
            for p in machine.pools
        )
        else "off"
    )


def _instance(each: PracticeInstance) -> dict[str, object]:
    return {
        "uuid": each.uuid, "alias": each.alias, "brand": each.brand, "state": each.state, "max_physical_memory": each.memory,
        "autoboot": each.state == "running", "zfs_filesystem": f"zones/{each.uuid}", "datasets": [],
        "owner_uuid": "00000000-0000-0000-0000-000000000000",
    }  # fmt: skip
