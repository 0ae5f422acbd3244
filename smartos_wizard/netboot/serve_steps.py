"""Carries out an evening of serving. Whatever was started is stopped when the run ends, however it ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Cancelled, Refused
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot import machines
from smartos_wizard.netboot.boot_service import Other, refused_by
from smartos_wizard.netboot.check_steps import check_local
from smartos_wizard.netboot.dhcp_log import Asked, DhcpLog, Loaded, trouble_in
from smartos_wizard.netboot.http_server import Fetched
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.netboot.ports import NetbootWorld, Service

_ASKING = 3.0
"""Seconds for which other servers are waited for; a DHCP server that first pings an address takes more than one."""
_LOOK = 0.25
_WHY = "Telling machines on this network where to boot from takes root, once. Nothing else runs as root."
_INTERFACE_EVERY = 2.0
_PROGRESS_EVERY = 0.5


def _interface(run: Run[NetbootWorld]) -> Interface:
    p = run.plan.params
    return Interface(p["interface"], p["address"], p["netmask"], p["mac"])


def _tree(run: Run[NetbootWorld], step: Step) -> Work:
    report = yield from check_local(run, step, Path(run.plan.params["root"]))
    report.require()
    return {"files": report.files, "bytes": report.bytes}


def _wire(run: Run[NetbootWorld], step: Step) -> Work:
    where, gives = _interface(run), bool(run.plan.params["first"])
    wire = run.world.wire
    wire.require_still(where)
    run.found["dnsmasq"], run.found["loader"] = wire.dnsmasq(), wire.loader(step.params["loader"])
    service = yield from _rights(run, step)
    run.on_end.append(service.close)
    run.found["service"] = service
    others = yield from in_thread(run, lambda: service.others(where, _ASKING), lambda: ())
    for other in others:
        yield Noted(run.clock(), step.id, _told(other), level="warning" if other.boots else "info", reference="other-server",
                    data={"server": other.server, "mac": other.mac, "gives_addresses": other.gives_addresses, "boots": other.boots})  # fmt: skip
    giving = [other for other in others if other.gives_addresses]
    if gives and giving:
        raise Refused(
            "other-dhcp-server",
            f"{giving[0].server} ({giving[0].mac}) gives addresses on {where.name} already. Two that do so break a network.",
            hint="Leave --dhcp out: machines keep that server's addresses and are only told where to boot from.",
            server=giving[0].server, mac=giving[0].mac,
        )  # fmt: skip
    if not gives and not giving:
        yield Noted(
            run.clock(), step.id, f"Nobody gives addresses on {where.name}, so machines will get none. On a network of "
            "its own, say --dhcp FIRST-LAST.", level="warning", reference="no-dhcp-server",
        )  # fmt: skip
    return {"others": [other.server for other in others]}


def _rights(run: Run[NetbootWorld], step: Step) -> Generator[Event, None, Service]:
    """The privileged program at work. Raises PrivilegeFailed, Cancelled."""
    if not step.params.get("elsewhere"):
        return run.world.wire.service()
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> Service:
        service = run.world.wire.service(commands.put, stop.is_set)
        if stop.is_set():
            service.close()
        return service

    def tick() -> Iterator[Event]:
        while not commands.empty():
            command = commands.get()
            yield Noted(run.clock(), step.id, f"{_WHY} Run this in another terminal: {command}", level="warning",
                        reference="needs-opener", data={"command": command, "why": _WHY})  # fmt: skip

    try:
        return (yield from in_thread(run, work, tick))
    except Cancelled:
        stop.set()
        raise


def _told(other: Other) -> str:
    words = "gives addresses" if other.gives_addresses else "gives no addresses"
    if other.boots:
        words += (
            f" and boots machines too{f' ({other.file})' if other.file else ''}: a machine may follow either"
        )
    return f"Another DHCP server, {other.server} ({other.mac}), {words}."


def _http(run: Run[NetbootWorld], step: Step) -> Work:
    p = run.plan.params
    news: queue.SimpleQueue[Fetched] = queue.SimpleQueue()
    run.found["fetched"] = news
    server = run.world.wire.server(Path(p["root"]), p["address"], int(p["port"]), news.put)
    run.on_end.append(server.close)
    yield Noted(run.clock(), step.id, f"Serving {p['url']}", reference="serving", data={"url": p["url"]})
    return {"url": p["url"]}


def _boot(run: Run[NetbootWorld], _step: Step) -> Work:
    p, loader = run.plan.params, run.found["loader"]
    service: Service = run.found["service"]
    service.keep(
        {
            "dnsmasq": run.found["dnsmasq"], "interface": p["interface"], "address": p["address"], "netmask": p["netmask"],
            "url": p["url"], "first": p["first"], "last": p["last"], "tftp": loader.folder, "bios": loader.bios,
            "uefi": loader.uefi,
        }
    )  # fmt: skip
    complaint = ""
    for _ in range(8):  # it complains at once or not at all
        line = service.heard(0.15)
        if line is None:
            continue
        if line["event"] == "ended":
            raise refused_by(complaint)
        complaint = trouble_in(str(line.get("line", ""))) or complaint
        run.found.setdefault("early", []).append(line)
    yield from ()
    return {}


def _serve(run: Run[NetbootWorld], step: Step) -> Work:
    where, news = _interface(run), run.found["fetched"]
    service: Service | None = run.found.get("service")
    log, watch = DhcpLog(), _Watch(run, step)
    looked = run.clock()
    for line in run.found.get("early", []):
        yield from watch.heard(log, line)
    while not run.cancel.requested:
        line = service.heard(_LOOK) if service is not None else None
        if service is None:
            run.cancel.wait(_LOOK)
        while line is not None:
            if line["event"] == "ended":
                raise refused_by(str(line.get("code") or ""))
            yield from watch.heard(log, line)
            assert service is not None
            line = service.heard(0)
        yield from watch.fetched(news)
        if run.clock() - looked > _INTERFACE_EVERY:
            looked = run.clock()
            run.world.wire.require_still(where)
    rows = [row.to_json() for row in watch.table.rows.values()]
    started = sum(row["starts"] for row in rows)
    run.result |= {"machines": rows, "starts": started}
    run.result["say"] = [
        f"Stopped; nothing is left. {len(rows)} machines came, SmartOS was started {started} times."
    ]
    return {"machines": len(rows)}


class _Watch:
    """Turns what is heard and fetched into events: a note when a machine's state changes, progress in between."""

    def __init__(self, run: Run[NetbootWorld], step: Step) -> None:
        self._run, self._step = run, step
        self.table = machines.Table()
        self._told: dict[str, float] = {}

    def heard(self, log: DhcpLog, line: dict[str, Any]) -> Iterator[Event]:
        found = log.read(str(line.get("line", "")))
        if found is not None:
            yield from self._reduce(
                found, "" if isinstance(found, Asked) else self._run.world.wire.mac_at(found.address)
            )

    def fetched(self, news: queue.SimpleQueue[Fetched]) -> Iterator[Event]:
        while not news.empty():
            what = news.get()
            yield from self._reduce(what, self._run.world.wire.mac_at(what.address))

    def _reduce(self, what: Asked | Loaded | Fetched, mac: str) -> Iterator[Event]:
        now = self._run.clock()
        before = self.table
        self.table, key = machines.reduce(before, what, now, mac)
        row, old = self.table.row(key), before.rows.get(key)
        if old is None or (row.state, row.starts) != (old.state, old.starts):
            yield self._note(row)
        ended = isinstance(what, Fetched) and what.ended
        if row.total and (ended or now - self._told.get(key, 0.0) >= _PROGRESS_EVERY):
            self._told[key] = now
            yield Advanced(
                now,
                self._step.id,
                row.done,
                row.total,
                target=row.name,
                bottleneck=row.file.rsplit("/", 1)[-1],
            )

    def _note(self, row: machines.Row) -> Noted:
        words = machines.WORDS[row.state]
        if row.state == machines.BROKE_OFF and row.total:
            words += f" in {row.file.rsplit('/', 1)[-1]} at {row.done * 100 // row.total} %"
        elif row.state == machines.MISSING:
            words += f": {row.file}"
        elif row.state == machines.NOT_BY_UEFI:
            words += ": switch it to BIOS (legacy) boot, or use a key (`smartos-wizard key write`)"
        elif row.release and row.state in (machines.KERNEL_, machines.STARTING):
            words += f" ({row.release})"
        bad = row.state in (machines.BROKE_OFF, machines.MISSING, machines.NOT_BY_UEFI)
        name = f"{row.name}{f' ({row.address})' if row.mac and row.address else ''}"
        return Noted(self._run.clock(), self._step.id, f"{name} {words}", level="warning" if bad else "info",
                     target=row.name, reference="machine", data=row.to_json())  # fmt: skip


SERVE_ACTIONS: Mapping[str, Action[Any]] = {
    "netboot-serve-tree": Action(_tree),
    "netboot-serve-wire": Action(_wire),
    "netboot-serve-http": Action(_http),
    "netboot-serve-boot": Action(_boot),
    "netboot-serve": Action(_serve),
}
"""The code that runs plans of kind `netboot-serve`."""
