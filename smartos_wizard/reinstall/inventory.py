"""Several machines to be re-installed, as a TOML file: which plans, in which order, how each machine is reached.

    inventory = 1

    [[host]]
    plan = "kestrel.plan.json"              # as `reinstall plan --save` kept it; beside this file
    address = "192.0.2.7"                   # these five only where the plan says otherwise
    user = "root"
    port = 22
    jump = "me@gate"
    identity = "~/.ssh/id_lab"
    confirm = ["kestrel:zones", "no-backup"]  # or typed when it runs

Everything is read and judged before anything begins: one mistake anywhere, and no machine is touched. Imports nothing
that connects.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import ExitCode, Refused, UsageProblem, WizardError
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import duration, tame
from smartos_wizard.reinstall.judging import AHEAD, FRESH
from smartos_wizard.reinstall.plan_file import host_of, plan_from_file
from smartos_wizard.reinstall.saying import listed

VERSION = 1
_KEYS = {"plan": str, "address": str, "user": str, "port": int, "jump": str, "identity": str, "confirm": list}
_REACHED = {"address": "host", "user": "user", "port": "port", "jump": "jump", "identity": "identity"}
_KINDS = {str: "a text", int: "a number", list: "a list of texts"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A machine of the inventory. `number` counts from 1; `plan` says in `params.address` how it is reached, what the
    inventory says about that included; `confirm` are the tokens that stand in the file.
    """

    number: int
    file: str
    plan: Plan
    confirm: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """What the machine is called."""
        return host_of(self.plan)

    @property
    def tokens(self) -> tuple[str, ...]:
        """All that has to be typed for it."""
        return self.plan.confirmation.tokens if self.plan.confirmation is not None else ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one machine of an inventory, or (`where` empty) with all of it."""

    where: str
    reference: str
    text: str
    exit_code: ExitCode = ExitCode.USAGE

    def to_json(self) -> dict[str, Any]:
        """As an object."""
        return {"where": self.where, "reference": self.reference, "text": self.text, "exit_code": int(self.exit_code)}  # fmt: skip


def read_inventory(path: Path) -> tuple[Entry, ...]:
    """Every machine, in the order of the file.

    Raises UsageProblem `no-such-file`, `bad-inventory` with every mistake in `problems`.
    """
    shown = tame(str(path), 200)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem("no-such-file", f"{shown} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem("bad-inventory", f"{shown} is no TOML file: {tame(str(error), 200)}.", hint="docs/reinstall.md shows one.") from error  # fmt: skip
    entries: list[Entry] = []
    problems = list(_of_the_whole(table))
    rows = table.get("host", [])
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        where = f"host {number}"
        mistakes = list(_of_a_row(where, row))
        problems += mistakes
        if mistakes:
            continue
        try:
            entries.append(_entry(number, row, path.parent))
        except WizardError as error:
            problems.append(Problem(where, error.reference, error.message))
    raise_for(shown, problems)
    return tuple(entries)


def require_runnable(
    path: Path,
    entries: Sequence[Entry],
    now: float,
    typed: Sequence[str] = (),
    begun: Callable[[Plan], bool] = lambda _plan: False,
) -> None:
    """Raise where one of the machines could not be begun: UsageProblem `bad-inventory`, Refused `inventory-refused`.

    `typed` are tokens given beside the file; each counts for every machine that asks for it. `begun` tells of a plan
    whose run was cut off: its survey may be old.
    """
    problems = [*_twice(entries), *_old(entries, now, begun), *_unconfirmed(entries, typed)]
    raise_for(tame(str(path), 200), problems)


def tokens_for(entry: Entry, typed: Sequence[str]) -> tuple[str, ...]:
    """What was typed for this machine: in the file, and beside it as far as it belongs to the machine."""
    return tuple(dict.fromkeys([*entry.confirm, *(token for token in typed if token in entry.tokens)]))


def missing_tokens(entry: Entry, typed: Sequence[str]) -> tuple[str, ...]:
    """The tokens that nobody typed yet."""
    given = tokens_for(entry, typed)
    return tuple(token for token in entry.tokens if token not in given)


def raise_for(shown: str, problems: Sequence[Problem]) -> None:
    """Raise for these problems, where there are any; mistakes in words come before what a safety check says."""
    if not problems:
        return
    words = " ".join(
        f"{n}. {f'{p.where}: ' if p.where else ''}{p.text}" for n, p in enumerate(problems[:20], 1)
    )
    words += f" And {len(problems) - 20} more." if len(problems) > 20 else ""
    usage = any(problem.exit_code is ExitCode.USAGE for problem in problems)
    kind, reference = (UsageProblem, "bad-inventory") if usage else (Refused, "inventory-refused")
    raise kind(reference, f"No machine was touched. {words}", hint="Mend all of it, and give the same command again.", context=shown, problems=[p.to_json() for p in problems])  # fmt: skip


def _of_the_whole(table: dict[str, Any]) -> Iterator[Problem]:
    if table.get("inventory") != VERSION or type(table.get("inventory")) is not int:
        yield Problem("", "other-inventory-version", f"The file says inventory = {tame(str(table.get('inventory')))}; this program knows {VERSION}.")  # fmt: skip
    odd = sorted(tame(name) for name in set(table) - {"inventory", "host"})
    if odd:
        yield Problem("", "unknown-key", f"Nothing is known of {listed(odd)}.")
    rows = table.get("host")
    if not isinstance(rows, list) or not rows:
        yield Problem("", "no-hosts", "There is no [[host]] in it.")


def _of_a_row(where: str, row: Any) -> Iterator[Problem]:
    if not isinstance(row, dict):
        yield Problem(where, "bad-host", "This is no table; write [[host]].")
        return
    odd = sorted(tame(name) for name in set(row) - set(_KEYS))
    if odd:
        yield Problem(where, "unknown-key", f"Nothing is known of {listed(odd)}.")
    for name, kind in _KEYS.items():
        value = row.get(name)
        wrong = value is not None and type(value) is not kind
        if wrong or (kind is list and any(type(each) is not str for each in value or ())):
            yield Problem(where, "bad-value", f"{name} is not {_KINDS[kind]}.")
    if not row.get("plan"):
        yield Problem(where, "no-plan", "It names no plan.")
    if type(row.get("port")) is int and not 1 <= row["port"] <= 65535:
        yield Problem(where, "bad-value", f"{row['port']} is no port.")


def _entry(number: int, row: dict[str, Any], beside: Path) -> Entry:
    file = beside / Path(row["plan"]).expanduser()
    plan = plan_from_file(file)
    address = {**plan.params["address"], **{_REACHED[name]: row[name] for name in _REACHED if name in row}}
    if not address["host"] and not plan.params.get("console"):
        raise UsageProblem("no-address", "Its survey came from a file, so nobody knows how to reach it: give its address.")  # fmt: skip
    plan = replace(plan, params={**plan.params, "address": address})
    return Entry(number, str(file), plan, tuple(row.get("confirm", ())))


def _twice(entries: Sequence[Entry]) -> Iterator[Problem]:
    """The same machine or the same name in two places: nobody could tell what was confirmed."""
    for at, entry in enumerate(entries):
        for earlier in entries[:at]:
            where, there = f"host {entry.number} ({entry.host})", f"host {earlier.number} ({earlier.host})"
            if _machine(entry) & _machine(earlier):
                yield Problem(where, "same-machine", f"It is the same machine as {there}.")
            elif entry.host == earlier.host:
                yield Problem(where, "same-name", f"It has the same name as {there}, so what is typed could mean either.")  # fmt: skip
            elif _place(entry) == _place(earlier):
                yield Problem(where, "same-address", f"It is reached at the same address as {there}.")


def _machine(entry: Entry) -> set[str]:
    """By what it is the same machine: hostid, and the guids of its pools."""
    found = entry.plan.params["identity"]
    return {f"hostid {found['hostid']}", *(f"pool {pool['guid']}" for pool in found["pools"])}


def _place(entry: Entry) -> tuple[Any, ...]:
    where = entry.plan.params["address"]
    return where["host"], where.get("port") or 22, where.get("jump"), entry.plan.params.get("console")


def _old(entries: Sequence[Entry], now: float, begun: Callable[[Plan], bool]) -> Iterator[Problem]:
    for entry in entries:
        age = now - entry.plan.params["surveyed"]
        if not -AHEAD <= age <= FRESH and not begun(entry.plan):
            said = f"is {duration(age)} old" if age > 0 else "says it was taken in the future"
            yield Problem(_named(entry), "survey-old", f"Its survey {said}; after 15 minutes something may have changed. Survey it and plan again.", ExitCode.REFUSED)  # fmt: skip


def _unconfirmed(entries: Sequence[Entry], typed: Sequence[str]) -> Iterator[Problem]:
    for entry in entries:
        missing = missing_tokens(entry, typed)
        if missing:
            yield Problem(_named(entry), "not-confirmed", f"Not confirmed: {listed([tame(each) for each in missing])}.", ExitCode.REFUSED)  # fmt: skip
        odd = [token for token in entry.confirm if token not in entry.tokens]
        if odd:
            yield Problem(_named(entry), "wrong-confirmation", f"Its plan asks for no {listed([tame(each) for each in odd])}.", ExitCode.REFUSED)  # fmt: skip
    known = {token for entry in entries for token in entry.tokens}
    odd = [token for token in typed if token not in known]
    if odd:
        yield Problem("", "wrong-confirmation", f"No plan asks for {listed([tame(each) for each in odd])}.", ExitCode.REFUSED)  # fmt: skip


def _named(entry: Entry) -> str:
    return f"host {entry.number} ({entry.host})"
