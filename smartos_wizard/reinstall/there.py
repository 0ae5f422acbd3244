"""The other host of a backup: looked at before anything is planned, and the connection to it while a plan runs.

It need not be SmartOS: a machine with ZFS and an ssh server that lets somebody in who may create datasets.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.runner import Run
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import sending
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.parse_values import is_dataset, number
from smartos_wizard.reinstall.ports import Address, Host
from smartos_wizard.reinstall.sent import Sent, There, there_from_json
from smartos_wizard.reinstall.streams import StreamHost, ask


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found there. `mark`: which backup the dataset holds; None where it does not exist, empty where it holds none."""

    there: There
    mark: str | None
    free: int | None
    pools: dict[str, str]


def dataset_of(words: str) -> str:
    """A dataset below a pool, as the user named it. Raises UsageProblem `bad-dataset`."""
    if not is_dataset(words) or "/" not in words or words.endswith("/") or " " in words:
        raise UsageProblem("bad-dataset", f"{tame(words, 120)} is no dataset below a pool.", hint="It looks like tank/kestrel. It is made for this backup, so it must not exist.")  # fmt: skip
    return words


def look(host: StreamHost, address: Address, dataset: str) -> Looked:
    """What is there now; changes nothing. Raises Refused `no-such-pool`, `parent-missing`, and what `ask` raises."""
    lines = ask(host, "zpool list -Ho name,guid").decode("utf-8", "replace").splitlines()
    pools = dict(line.split("\t", 1) for line in lines if "\t" in line)
    pool, parent = dataset.split("/", maxsplit=1)[0], dataset.rpartition("/")[0]
    if pool not in pools:
        raise Refused("no-such-pool", f"{tame(address.host)} has no pool {tame(pool)}.", hint=f"It has: {', '.join(map(tame, pools)) or 'none'}.")  # fmt: skip
    free = number(_said(host, sending.available(parent) + " 2>/dev/null || true"))
    if free is None:
        raise Refused("parent-missing", f"{tame(parent, 120)} is missing on {tame(address.host)}, so {tame(dataset, 120)} has no place.", hint=f"zfs create -p {shlex.quote(parent)}")  # fmt: skip
    mark = _said(host, sending.marked(dataset))
    there = There(address.host, address.user, address.port, address.jump, address.identity, host.host_key, pool, pools[pool], dataset)  # fmt: skip
    return Looked(there, None if not mark else mark.strip("-"), free, pools)


def _said(host: StreamHost, command: str) -> str:
    return ask(host, command).decode("utf-8", "replace").strip()


def mark_of(hostid: str, stamp: str) -> str:
    """What stands in the property of the dataset that holds a backup."""
    return f"{hostid}:{stamp}"


def require_place(looked: Looked, survey: Survey, mark: str) -> None:
    """Raise Refused `same-machine`, `target-exists` where the backup cannot lie there."""
    there = looked.there
    mine = next((pool for pool in survey.imported if pool.guid in looked.pools.values()), None)
    if mine is not None:
        raise Refused("same-machine", f"{tame(there.host)} has the pool {tame(mine.name)} of {tame(survey.hostname)}: it is the same machine, and a re-install can take every pool of it.", hint="Send to another machine.")  # fmt: skip
    if looked.mark is not None and looked.mark != mark:
        raise Refused("target-exists", f"{tame(there.dataset, 120)} is on {tame(there.host)} already. Nothing was changed.", hint="Name a dataset that does not exist: it is made for this backup, and nothing is received over what is there.")  # fmt: skip


def key_of(host: str, port: int | None) -> str:
    """How the connection to the other host is kept among open ones; it may be called like the first."""
    return f"there {host} {port or ''}"


def open_there(world: ReinstallWorld, address: Address) -> StreamHost:
    """The other host, connected, and kept for the plan that follows. Raises what `Hosts.open` raises."""
    host = world.hosts.open(address)
    world.doors[key_of(address.host, address.port)] = host
    return world.streaming(host)


def known_address(there: There, given: Address) -> Address:
    """How to reach it again: as then, but for what is given now."""
    accept = (*given.accept, *([there.host_key] if there.host_key else []))
    return replace(
        given, host=there.host, user=given.user or there.user, port=given.port or there.port, jump=given.jump or there.jump,
        identity=given.identity or there.identity, accept=accept, remember=False,
    )  # fmt: skip


def at_address(there: There, address: Address) -> There:
    """The same place, reached as that address says."""
    return replace(there, user=address.user, port=address.port, jump=address.jump, identity=address.identity)


def open_known(world: ReinstallWorld, there: There, address: Address) -> StreamHost:
    """The host that was sent to, connected again, and kept for a plan that follows.

    Raises what `Hosts.open` raises, Refused `other-host` where its pool is another.
    """
    opened = open_there(world, address)
    _require_pool(opened, there)
    return opened


def _require_pool(host: StreamHost, there: There) -> None:
    lines = ask(host, "zpool list -Ho name,guid").decode("utf-8", "replace").splitlines()
    if f"{there.pool}\t{there.guid}" not in lines:
        raise Refused("other-host", f"On {tame(there.host)} the pool {tame(there.pool)} is not the one it was.", hint="Is this the right address, and is the pool imported?", context="nothing was changed there")  # fmt: skip


def differences(host: StreamHost, sent: Iterable[Sent]) -> dict[str, str]:
    """In words, what does not lie there as it was sent, by dataset."""
    found = {each.dataset: difference(host, each) for each in sent}
    return {name: words for name, words in found.items() if words}


def difference(there: StreamHost, sent: Sent) -> str:
    """The same of one tree; empty where all is there."""
    said = ask(there, sending.list_tree(sent.place)).decode("utf-8", "replace")
    found = sending.tree_of(said, sent.place)
    for name, snapshots in sent.snapshots.items():
        lying = found.get(name)
        if lying is None:
            return f"{tame(sent.place + name, 160)} is missing on {tame(there.name)}."
        if not set(snapshots) <= set(lying.snapshots):
            return f"{tame(sent.place + name, 160)} on {tame(there.name)} does not hold every snapshot that was sent."
    return ""


def there_of(run: Run[ReinstallWorld]) -> StreamHost:
    """The other host of the plan, connected. Raises what `Hosts.open` raises, Refused `other-host-key`, `other-host`."""
    found: StreamHost | None = run.found.get("there")
    if found is not None:
        return found
    where: dict[str, Any] = run.plan.params["there"]
    host: Host | None = run.world.doors.pop(key_of(where["host"], where["port"]), None)
    if host is None:
        key = (where["host_key"],) if where["host_key"] else ()
        address = Address(where["host"], where["user"], where["port"], where["jump"], where["identity"], accept=key, remember=False)  # fmt: skip
        host = run.world.hosts.open(address)
    run.on_end.append(host.close)
    if where["host_key"] and host.host_key != where["host_key"]:
        raise Refused("other-host-key", f"{host.name} shows another key than before.", hint="Compare it on its console.", context="nothing was changed there")  # fmt: skip
    opened = run.world.streaming(host)
    _require_pool(opened, there_from_json(where))
    run.found["there"] = opened
    return opened
