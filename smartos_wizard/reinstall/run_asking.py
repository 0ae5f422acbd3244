"""What a run asks of the machine and tells it, word for word. Imports nothing that connects.

Every command that changes or destroys begins with a guard that names the machine and the pool by hostid and guid; where
that does not hold it ends with status GUARD and nothing is done. `piadm`, `fwadm`, `sysinfo` are left out, as in the
survey.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from smartos_wizard.reinstall.backup_asking import is_uuid
from smartos_wizard.reinstall.planning_steps import PROPERTY

GUARD = 97
"""Exit status of a command whose guard did not hold: nothing was done."""
GOING = "going"
"""What a machine says that will reboot in two seconds."""

_LOOK = """\
echo "hostid $(hostid)"
echo "boot $(kstat -p unix:0:system_misc:boot_time 2>/dev/null | awk '{print $2}')"
echo "system $(uname -s) $(uname -v)"
echo "zone $(zonename)"
bootparams 2>/dev/null | sed -n -e '/^root_shadow=/d' -e 's/^/param /p'
dladm show-phys -pmo address 2>/dev/null | sed -e 's/\\\\//g' -e 's/^/mac /'
zpool list -Ho name,guid,health 2>/dev/null | sed 's/^/pool /'
zpool import 2>/dev/null | awk '$1 == "pool:" {name = $2} $1 == "id:" {print "seen " name " " $2}'
zfs get -Hpo name,value -t filesystem -s local,received smartdc:factoryreset 2>/dev/null | sed 's/^/mark /'
echo end"""


@dataclass(frozen=True, slots=True)
class Look:
    """A machine at one moment, as far as a run has to know it again. `boot` is when it started, seconds since the epoch.

    `pools` are imported, `seen` only attached: pairs of name and guid. `marked` are datasets with the factory-reset
    property. `whole` says that every question was asked.
    """

    hostid: str = ""
    boot: int | None = None
    smartos: bool = False
    zone: str = ""
    rescue: bool = False
    macs: frozenset[str] = frozenset()
    pools: tuple[tuple[str, str], ...] = ()
    seen: tuple[tuple[str, str], ...] = ()
    marked: tuple[str, ...] = ()
    whole: bool = False

    @property
    def guids(self) -> frozenset[str]:
        """Of every pool that is there, imported or not."""
        return frozenset(guid for _, guid in (*self.pools, *self.seen))


def look() -> str:
    """Ask what `look_of` reads. Changes nothing."""
    return _LOOK


def look_of(said: str) -> Look:
    """What the machine said. Lines that cannot be read are left out."""
    found: dict[str, list[list[str]]] = {}
    for line in said.splitlines():
        name, *words = line.split()
        found.setdefault(name, []).append(words)

    def first(name: str) -> list[str]:
        return next((words for words in found.get(name, []) if words), [])

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((words[0], words[1]) for words in found.get(name, []) if len(words) >= 2)

    boot, system = first("boot"), first("system")
    params = [words[0] for words in found.get("param", []) if words]
    return Look(
        hostid=" ".join(first("hostid")),
        boot=int(boot[0]) if boot and boot[0].isdigit() else None,
        smartos=system[:1] == ["SunOS"] and system[-1].startswith("joyent_"),
        zone=" ".join(first("zone")),
        rescue="noimport=true" in params,
        macs=frozenset(mac for words in found.get("mac", []) if words and (mac := _mac(words[0]))),
        pools=pairs("pool"),
        seen=pairs("seen"),
        marked=tuple(name for name, value in pairs("mark") if value == "yes"),
        whole="end" in found,
    )


def _mac(text: str) -> str:
    """`02:08:20:0a:00:01` of what dladm says; empty where it is no address."""
    parts = text.split(":")
    try:
        return ":".join(f"{int(part, 16):02x}" for part in parts) if len(parts) == 6 else ""
    except ValueError:
        return ""


def guarded(hostid: str, pool: tuple[str, str] | None, command: str) -> str:
    """The command, done only on that machine, and only while that pool (name, guid) is imported there."""
    checks = [f'[ "$(hostid)" = {shlex.quote(hostid)} ]'] if hostid else []
    if pool is not None:
        checks.append(
            f'[ "$(zpool list -Ho guid {shlex.quote(pool[0])} 2>/dev/null)" = {shlex.quote(pool[1])} ]'
        )
    return "".join(f"{check} || exit {GUARD}; " for check in checks) + command


def only_these(guids: Iterable[str], command: str) -> str:
    """The command, done only while exactly the pools with these guids are imported."""
    wanted = " ".join(sorted(guids))
    return f'[ "$(zpool list -Ho guid | sort | tr "\\n" " " | sed "s/ *$//")" = {shlex.quote(wanted)} ] || exit {GUARD}; {command}'  # fmt: skip


def snapshots(pool: str) -> str:
    """Every snapshot of the pool."""
    return f"zfs list -Hpo name,used,creation -t snapshot -r {shlex.quote(pool)}"


def states() -> str:
    """UUID and state of every instance."""
    return "vmadm list -Ho uuid,state"


def stop(uuid: str) -> str:
    """Shut an instance down."""
    return f"vmadm stop {_uuid(uuid)}"


def start(uuid: str) -> str:
    """Start an instance."""
    return f"vmadm start {_uuid(uuid)}"


def _uuid(uuid: str) -> str:
    if not is_uuid(uuid):
        raise ValueError(uuid)
    return uuid


def mark(pool: str) -> str:
    """Have the next boot destroy every pool, and read that back."""
    name = shlex.quote(f"{pool}/var")
    return f"zfs set {PROPERTY}=yes {name} && zfs get -Hpo value {PROPERTY} {name}"


def clear_mark(pool: str) -> str:
    """Take that back, and read it back."""
    name = shlex.quote(f"{pool}/var")
    return f"zfs inherit {PROPERTY} {name} && zfs get -Hpo value {PROPERTY} {name}"


def reboot(into: str = "normal") -> str:
    """Reboot in two seconds; the answer comes before. `into` is only said: it stands in the machine's own log of commands."""
    return f": {into}; sync; (sleep 2; exec reboot) </dev/null >/dev/null 2>&1 & echo {GOING}"


def rescue_import(guid: str) -> str:
    """Import one pool by its guid, mounting nothing."""
    return f"zpool import -f -N {shlex.quote(guid)}"


def export(pool: str) -> str:
    """Let go of a pool."""
    return f"zpool export {shlex.quote(pool)}"


def destroy(pool: str) -> str:
    """Destroy a pool."""
    return f"zpool destroy {shlex.quote(pool)}"


_CHECKS = (
    ("datasets", "zfs list -Ho name -d 1 {pool}"),
    ("health", "zpool list -Ho health {pool}"),
    ("usbkey", "ls -ln /usbkey/config /usbkey/shadow"),
    ("host-keys", "ls /usbkey/ssh"),
    ("services", "svcs -xv"),
    ("swap", "swap -l"),
    ("dump", "dumpadm"),
    ("release", "uname -v"),
)
"""What a machine is looked at for after its set-up (smartos-docs, smartos-live: smartos_prompt_config.sh)."""


def checks(pool: str) -> str:
    """All of them, each with its status."""
    lines = []
    for name, command in _CHECKS:
        asked = command.format(pool=shlex.quote(pool))
        lines.append(
            f"echo '? {name}'; {asked} 2>/dev/null | sed 's/^/| /'; {asked} >/dev/null 2>&1; echo \"= $?\""
        )
    return "; ".join(lines)


def checks_of(said: str) -> dict[str, tuple[int, list[str]]]:
    """Status and lines of each of the checks that was answered."""
    found: dict[str, tuple[int, list[str]]] = {}
    name = ""
    lines: list[str] = []
    for line in said.splitlines():
        if line.startswith("? "):
            name, lines = line[2:], []
        elif line.startswith("| "):
            lines.append(line[2:])
        elif line.startswith("= ") and name:
            found[name] = (int(line[2:]) if line[2:].isdigit() else 1, lines)
    return found
