"""What is the trouble with each make-believe machine, in words. Tells nothing that its survey would not tell."""

from __future__ import annotations

from smartos_wizard.practice.hosts import MACHINES

_TROUBLES = {
    "plain": "two instances, nothing odd",
    "second-pool": "a data pool that must live",
    "attached-backup": "a backup disk left in on USB",
    "bootable": "boots from its own pool, no key in it",
    "encrypted": "its zones pool is encrypted",
    "running-vms": "instances that run",
    "triton": "a node of Triton",
    "dropped-connection": "the connection breaks in the survey",
    "dropped-stream": "the connection breaks in the backup",
    "dropped-run": "the connection breaks while it runs",
    "missed-menu": "the loader's menu is missed once",
    "changed-pool": "a pool comes after the survey",
    "attic": "a host that takes backups",
    "wiped": "clean already",
    "zone": "a zone, not the machine itself",
    "not-smartos": "another system",
}


def machines() -> tuple[tuple[str, str], ...]:
    """Name and trouble of every make-believe machine, in the order in which they are shown."""
    return tuple((name, _TROUBLES.get(name, "")) for name in MACHINES)
