"""Plans an evening of serving: pure over the choices and an interface already read."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.netboot.model import FIRST_SCRIPT

KIND = "netboot-serve"
PORT = 8080


@dataclass(frozen=True, slots=True)
class Serving:
    """What was chosen. `first` and `last` are set where addresses are given too; `http_only` leaves DHCP and TFTP out."""

    root: Path
    interface: Interface
    port: int = PORT
    first: str = ""
    last: str = ""
    http_only: bool = False
    loader: str = ""
    elsewhere: bool = False
    """Whether somebody may be asked to give the rights at another terminal: a job has none of its own."""

    @property
    def url(self) -> str:
        """What machines are told to fetch first."""
        return f"http://{self.interface.address}:{self.port}/{FIRST_SCRIPT}"


def plan_serve(serving: Serving) -> Plan:
    """The plan; it ends when it is asked to stop, and then nothing of it is left."""
    where = serving.interface
    steps = [
        Step(
            "tree", "netboot-serve-tree", f"every file of {serving.root}, and compares it with its hash", Effect.READS,
            ("A tree that is not whole is not served.",), by_hand=f"smartos-wizard netboot check {shlex.quote(str(serving.root))}",
        )
    ]  # fmt: skip
    if not serving.http_only:
        steps.append(
            Step(
                "wire", "netboot-serve-wire", f"who gives addresses on {where.name}", Effect.READS,
                ("asks as a machine does that starts; takes root's rights, asked for once",),
                params={"loader": serving.loader, "elsewhere": serving.elsewhere},
            )
        )  # fmt: skip
    steps.append(
        Step(
            "http", "netboot-serve-http", f"{serving.url} for machines on {where.name}", Effect.CREATES,
            ("files of the tree, to anybody on that network",), undo="stopped at the end",
        )
    )  # fmt: skip
    if not serving.http_only:
        steps.append(_boot(serving))
    steps.append(
        Step(
            "serve",
            "netboot-serve",
            "machines, until it is stopped (Ctrl-C)",
            Effect.READS,
            ("then nothing of it is left",),
        )
    )
    return Plan(
        KIND, f"Serve {serving.root} on {where.name}", tuple(steps),
        untouched=("the tree", "every other network of this machine", "its own configuration and services"),
        locks=(f"{where.name}:{serving.port}",),
        params={
            "root": str(serving.root), "interface": where.name, "address": where.address, "netmask": where.netmask,
            "mac": where.mac, "port": serving.port, "url": serving.url, "first": serving.first, "last": serving.last,
        },
    )  # fmt: skip


def _boot(serving: Serving) -> Step:
    where = serving.interface
    if serving.first:
        gives = f"Machines get an address from {serving.first} to {serving.last}: only on a network with no other DHCP server."
    else:
        gives = (
            "No address is given to anybody: the network's own DHCP server goes on doing that (proxyDHCP)."
        )
    return Step(
        "boot", "netboot-serve-boot", f"dnsmasq, which tells machines on {where.name} where to boot from", Effect.CREATES,
        (gives, "It gives iPXE by TFTP to machines whose firmware is not iPXE."), undo="stopped at the end",
        by_hand=f"smartos-wizard netboot serve {shlex.quote(str(serving.root))} --interface {where.name} --config-only DIR2",
    )  # fmt: skip
