"""What happens to make-believe machines: reboots, marks, destroyed pools; one small JSON file, shared by processes.

A make-believe person stands at each console and does what was asked for: Rescue Mode is chosen, the prompt typed at, setup
answered. So a re-install can be tried to its end, and killed in the middle.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from smartos_wizard.core.errors import DeviceLost
from smartos_wizard.core.files import replace_file
from smartos_wizard.practice.host_answers import PracticeMachine, PracticePool
from smartos_wizard.reinstall.run_asking import GOING, GUARD
from smartos_wizard.reinstall.streams import CommandFailed

_BOOTED = 1788300000.0
_AWAY, _SETUP = 1.0, 2.0
"""Seconds a reboot takes, and a set-up more."""
FIRST_KEY = "SHA256:PRACTICEpracticePRACTICEpracticePRACTICEpra"
_RESCUE_KEY = "SHA256:PRACTICErescuePRACTICErescuePRACTICErescueX"
_NEW_KEY = "SHA256:PRACTICEcleanPRACTICEcleanPRACTICEcleanPRAX"
KEYS = (FIRST_KEY, _RESCUE_KEY, _NEW_KEY)
"""Every key that make-believe machines show; on a console there is none to compare."""
_RESCUE = ("smartos=false", "noimport=true", "standalone=true")
_POOL = re.compile(r'zpool list -Ho guid (\S+) 2>/dev/null\)" = (\S+) \]')
_ONLY = re.compile(r"sed \"s/ \*\$//\"\)\" = '?([\d ]*)'? \]")


@dataclass(frozen=True, slots=True)
class HostState:
    """What happened to one machine. `held` are guids imported in Rescue Mode, `anew` is the guid of the pool setup made.

    `back` are UUIDs of instances and `files` the configuration that a restore put back.
    """

    boot: float = _BOOTED
    away_until: float = 0.0
    rescue: bool = False
    marked: bool = False
    destroyed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    anew: str = ""
    states: dict[str, str] = field(default_factory=dict)
    surveys: int = 0
    troubles: int = 0
    back: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The fingerprint of the key it shows now."""
        return _RESCUE_KEY if self.rescue else _NEW_KEY if self.anew else FIRST_KEY


class HostPower:
    """The state of all make-believe machines, kept in `file`."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self.file, self.clock = file, clock

    def state(self, name: str) -> HostState:
        """What is known of the machine."""
        return self._read().get(name, HostState())

    def change(self, name: str, edit: Callable[[HostState], HostState]) -> HostState:
        """Change it under a lock; the new state."""
        with self._locked():
            states = self._read()
            states[name] = found = edit(states.get(name, HostState()))
            replace_file(self.file, json.dumps({key: asdict(each) for key, each in states.items()}).encode())
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, HostState]:
        try:
            data = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {
            name: HostState(
                **{**each, **{part: tuple(each.get(part, ())) for part in ("destroyed", "held", "back")}}
            )
            for name, each in data.items()
        }


def machine_now(machine: PracticeMachine, state: HostState) -> PracticeMachine:
    """The machine after all that happened to it."""
    pools = [pool for pool in machine.pools if pool.guid not in state.destroyed]
    instances, clean = machine.instances, machine.clean
    if any(pool.guid in state.destroyed for pool in machine.pools if pool.name == "zones"):
        instances, clean = (), True
        first = next(pool for pool in machine.pools if pool.name == "zones")
        if state.anew:
            pools.insert(0, replace(first, guid=state.anew, used=40 << 30, bootable=False, encrypted=False))
    if state.rescue:
        pools = [replace(pool, imported=pool.guid in state.held) for pool in pools]
    elif state.boot != _BOOTED:
        pools = [replace(pool, imported=True) for pool in pools]  # a boot imports every pool it sees
    told = tuple(replace(each, state=state.states.get(each.uuid, each.state)) for each in instances)
    parameters = _RESCUE if state.rescue else machine.parameters
    return replace(machine, pools=tuple(pools), instances=told, parameters=parameters, clean=clean)


def obey(power: HostPower, name: str, machine: PracticeMachine, words: str) -> bytes | None:
    """Do what a run of a re-install tells the machine; None where it is no such command. Raises CommandFailed, DeviceLost."""
    now = machine_now(machine, power.state(name))
    _guards(name, now, words)
    told = words.rsplit(f"exit {GUARD}; ", 1)[-1]
    said = _told(power, name, machine, now, told)
    if (
        said is not None
        and name == "dropped-run"
        and not told.startswith(('echo "hostid', "echo '?", "vmadm list"))
    ):
        state = power.change(name, lambda s: replace(s, troubles=s.troubles + 1))
        if state.troubles % 2:
            raise DeviceLost("connection-lost", f"The connection to {name} was lost in the middle.")
    return said


def _guards(name: str, now: PracticeMachine, words: str) -> None:
    if f"exit {GUARD}" not in words:
        return
    here = {pool.name: pool.guid for pool in now.pools if pool.imported}
    good = all(here.get(pool) == guid for pool, guid in _POOL.findall(words))
    good &= all(sorted(only.split()) == sorted(here.values()) for only in _ONLY.findall(words))
    if '"$(hostid)" = ' in words:
        good &= f'"$(hostid)" = {now.hostid} ]' in words
    if not good:
        raise CommandFailed(name, words, GUARD, "")


def _told(
    power: HostPower, name: str, machine: PracticeMachine, now: PracticeMachine, told: str
) -> bytes | None:
    state = power.state(name)
    if told.startswith('echo "hostid'):
        return _look(now, state)
    if told.startswith("echo '? datasets'"):
        return _checks(now)
    if told.startswith("vmadm list"):
        return "".join(f"{each.uuid} {each.state}\n" for each in now.instances).encode()
    if told.startswith(("vmadm stop ", "vmadm start ")):
        word, uuid = told.split()[1:3]
        power.change(
            name, lambda s: replace(s, states={**s.states, uuid: "stopped" if word == "stop" else "running"})
        )
        return b""
    if told.startswith(("zfs set smartdc:factoryreset=yes", "zfs inherit smartdc:factoryreset")):
        sets = told.startswith("zfs set")
        power.change(name, lambda s: replace(s, marked=sets))
        return b"yes\n" if sets else b"-\n"
    if told.startswith("zpool import -f -N "):
        guid = told.rsplit(maxsplit=1)[-1]
        power.change(name, lambda s: replace(s, held=tuple({*s.held, guid})))
        return b""
    if told.startswith("zpool export "):
        power.change(name, lambda s: replace(s, held=()))
        return b""
    if told.startswith("zpool destroy "):
        gone = [pool.guid for pool in now.pools if pool.name == told.rsplit(maxsplit=1)[-1] and pool.imported]
        power.change(name, lambda s: replace(s, destroyed=(*s.destroyed, *gone), held=(), back=(), files={}))
        return b""
    if told.startswith(": ") and "exec reboot" in told:
        power.change(name, lambda s: _booted(s, name, machine, now, told, power.clock()))
        return f"{GOING}\n".encode()
    if told == "true":
        return b""
    if told.startswith("zfs list -Hpo name,used,creation"):
        return b"zones/opt@before\t0\t1788300000\n"
    return None


def _booted(
    state: HostState, name: str, machine: PracticeMachine, now: PracticeMachine, told: str, clock: float
) -> HostState:
    """The machine after a reboot, with a person at the loader's menu who does what was asked for."""
    into = told.removeprefix(": ").split(";")[0]
    missed = name == "missed-menu" and not state.troubles and into != "normal"
    state = replace(
        state, boot=max(clock + _AWAY, state.boot) + 60, away_until=clock + _AWAY, held=(), rescue=False
    )
    if missed:
        return replace(state, troubles=1)
    if "rescue" in into:
        return replace(state, rescue=True)
    reach: list[PracticePool] = list(now.pools)
    if "zpools=zones" in into:
        reach = [pool for pool in reach if pool.name == "zones"]
    if "destroy_zpools" in into or state.marked:
        state = replace(state, destroyed=(*state.destroyed, *(pool.guid for pool in reach)), marked=False, back=(), files={})  # fmt: skip
    gone = [pool for pool in machine.pools if pool.name == "zones" and pool.guid in state.destroyed]
    if gone and not state.anew:
        return replace(state, anew=str(int(gone[0].guid) // 3 + len(state.destroyed)), away_until=clock + _AWAY + _SETUP)  # fmt: skip
    return state


def _look(now: PracticeMachine, state: HostState) -> bytes:
    lines = [
        f"hostid {now.hostid}",
        f"boot {round(state.boot)}",
        "system SunOS joyent_practice",
        f"zone {now.zone}",
    ]
    lines += [f"param {each}" for each in now.parameters] + ["mac 2:8:20:0:0:1"]
    lines += [f"pool {p.name} {p.guid} ONLINE" for p in now.pools if p.imported]
    lines += [f"seen {p.name} {p.guid}" for p in now.pools if not p.imported]
    lines += ["mark zones/var yes"] if state.marked else []
    return "\n".join([*lines, "end", ""]).encode()


def _checks(now: PracticeMachine) -> bytes:
    names = ("", "/config", "/cores", "/dump", "/opt", "/swap", "/usbkey", "/var")
    said = {
        "datasets": [f"zones{each}" for each in names], "health": ["ONLINE"],
        "usbkey": ["-rw-r--r--  1 0 0 612 Sep  3 00:20 /usbkey/config", "-r--------  1 0 0 580 Sep  3 00:20 /usbkey/shadow"],
        "host-keys": ["ssh_host_rsa_key"], "services": [], "swap": ["/dev/zvol/dsk/zones/swap"], "dump": ["Dump device: zones/dump"],
        "release": ["joyent_practice"],
    }  # fmt: skip
    if not any(pool.name == "zones" for pool in now.pools):
        said = {"datasets": []}
    lines = [
        line for name, rows in said.items() for line in (f"? {name}", *(f"| {row}" for row in rows), "= 0")
    ]
    return "\n".join([*lines, ""]).encode()
