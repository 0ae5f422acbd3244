"""Sessions: who holds a machine, and gives it back."""

from __future__ import annotations

from typing import Any

from vboxapi_stub.faces import Face
from vboxapi_stub.machine import Machine
from vboxapi_stub.store import OBJECT_STATE, UNEXPECTED, constants, refuse, store

held: dict[str, Any] = {}
"""UUID of a machine to the session that holds it."""


class Session(Face):
    interface = "ISession"

    @classmethod
    def fresh(cls) -> Session:
        return cls({"name": "", "machine": None, "console": None, "type": 0})

    def see_state(self) -> int:
        c = constants()
        return int(c.SessionState_Locked if self._data["machine"] is not None else c.SessionState_Unlocked)

    def do_unlockMachine(self) -> None:
        machine = self._data["machine"]
        if machine is None:
            refuse(UNEXPECTED, "The session is not locked (session state: Unlocked)")
        if held.get(machine.id) is self:
            del held[machine.id]
        self._data.update(machine=None, console=None)


def lock(machine: Machine, session: Session, kind: int) -> None:
    """Give the machine to a session: to change it, or, with a shared lock, beside the one that has it."""
    c = constants()
    who = machine.id
    busy = who in held or store().machines[who]["run"]
    if store().fault("locked") or (busy and kind != c.LockType_Shared):
        refuse(
            OBJECT_STATE, f"The machine '{machine.name}' is already locked for a session (or being unlocked)"
        )
    if not busy:
        held[who] = session
    running = bool(store().machines[who]["run"])
    from vboxapi_stub.running import Console

    session._data.update(
        machine=Machine.copy_of(who), console=Console({"id": who}) if running else None, type=kind,
    )  # fmt: skip
