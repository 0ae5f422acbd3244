"""Reading the answers of VBoxManage: `showvminfo` and `snapshot list` for machines, lists of blocks, extra data.

Facts: VirtualBox, Frontends/VBoxManage/VBoxManageInfo.cpp and VBoxManageList.cpp; seen with 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from smartos_wizard.guests.model import State

Info = dict[str, str]
_LINE = re.compile(r'("?)([^"=]+)\1=(.*)\Z', re.DOTALL)
_VM = re.compile(r'"(.*)" \{([0-9a-fA-F-]{36})\}\Z', re.DOTALL)
_EXTRA = re.compile(r"Key: (.*?), Value: (.*)\Z")
_RAW = ("Snapshot", "CurrentSnapshot")
"""Keys whose values VirtualBox does not escape."""
_STATES = {
    "poweroff": State.STOPPED, "saved": State.SAVED, "teleported": State.STOPPED, "aborted": State.CRASHED,
    "aborted-saved": State.SAVED, "running": State.RUNNING, "paused": State.PAUSED, "gurumeditation": State.CRASHED,
    "teleporting": State.RUNNING, "livesnapshotting": State.RUNNING, "onlinesnapshotting": State.RUNNING,
    "starting": State.STARTING, "restoring": State.STARTING, "stopping": State.STOPPING, "saving": State.STOPPING,
    "snapshotting": State.STOPPED, "restoringsnapshot": State.STOPPED, "deletingsnapshot": State.STOPPED,
    "deletingsnapshotlive": State.RUNNING, "deletingsnapshotlivepaused": State.PAUSED, "settingup": State.STOPPED,
    "teleportingpausedvm": State.PAUSED, "teleportingin": State.STARTING,
}  # fmt: skip


def machine_readable(said: str) -> Info:
    """The keys and values. Values in quotes may go over several lines; quotes and backslashes in them are escaped."""
    found: Info = {}
    lines = iter(said.replace("\r\n", "\n").split("\n"))
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match[2], match[3]
        if value.startswith('"'):
            raw = key.startswith(_RAW)
            while not _closed(value, raw):
                more = next(lines, None)
                if more is None:
                    break
                value += "\n" + more
            value = _unquoted(value, raw)
        found[key] = value
    return found


def quoted(value: str) -> str:
    """A value as VirtualBox prints it: the inverse of what `machine_readable` does."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def state_of(info: Mapping[str, str]) -> State:
    """The state in our words. `gurumeditation` is VirtualBox's word for a crash."""
    return _STATES.get(info.get("VMState", ""), State.UNKNOWN)


def in_session(info: Mapping[str, str]) -> bool:
    """Whether a process of VirtualBox still holds the guest."""
    return bool(info.get("SessionName"))


def machines(said: str) -> dict[str, str]:
    """UUID to name, from `list vms`. Names may hold quotes and braces; `<inaccessible>` stands for broken ones."""
    found = {}
    for line in said.splitlines():
        match = _VM.match(line.strip())
        if match:
            found[match[2].lower()] = match[1]
    return found


def blocks(said: str) -> list[Info]:
    """Blocks of `Key: value` lines with blank lines between them, as most lists are."""
    found: list[Info] = [{}]
    for line in said.splitlines():
        if not line.strip():
            if found[-1]:
                found.append({})
            continue
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            found[-1].setdefault(key.strip(), value.strip())
    return [block for block in found if block]


def extra_data(said: str) -> Info:
    """The extra data of a guest, from `getextradata UUID enumerate`."""
    return {m[1]: m[2] for line in said.splitlines() if (m := _EXTRA.match(line))}


def snapshots(info: Mapping[str, str]) -> dict[str, str]:
    """UUID to name of all snapshots, parents before children."""
    return {
        info["SnapshotUUID" + key.removeprefix("SnapshotName")]: name
        for key, name in info.items()
        if key.startswith("SnapshotName") and "SnapshotUUID" + key.removeprefix("SnapshotName") in info
    }


def attached(info: Mapping[str, str], controller: str) -> dict[int, str]:
    """Port to file of what is attached to a controller, device 0 of each port."""
    place = re.compile(re.escape(controller) + r"-(\d+)-0\Z")
    return {
        int(match[1]): value for key, value in info.items()
        if (match := place.match(key)) and value not in ("none", "emptydrive")
    }  # fmt: skip


def cards(info: Mapping[str, str]) -> list[tuple[str, str]]:
    """(kind, address) of every card there is."""
    found = []
    for n in range(1, 37):
        kind = info.get(f"nic{n}", "none")
        if kind != "none":
            mac = info.get(f"macaddress{n}", "").lower()
            found.append((kind, ":".join(mac[i : i + 2] for i in range(0, len(mac), 2))))
    return found


def forwards(info: Mapping[str, str]) -> list[list[str]]:
    """The port forwards: [name, protocol, host address, host port, guest address, guest port]."""
    rules = [value.split(",") for key, value in info.items() if key.startswith("Forwarding(")]
    return [parts for parts in rules if len(parts) == 6]


def _closed(value: str, raw: bool) -> bool:
    if raw:
        return len(value) > 1 and value.endswith('"')
    return bool(re.fullmatch(r'"(?:[^"\\]|\\.)*"', value, re.DOTALL))


def _unquoted(value: str, raw: bool) -> str:
    inner = value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:]
    return inner if raw else re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
