"""Configuration for the servers a site has already, over the same tree: where a fleet is served from.

Facts: dnsmasq(8), dhcpd.conf(5), Kea's administrator manual (client classes), nginx's manual; iPXE's own DHCP option
175 and user class keep it from being given iPXE again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.netboot.boot_programs import BIOS_LOADER, LOADERS
from smartos_wizard.netboot.ports import NetbootWorld
from smartos_wizard.netboot.serve_plan import Serving
from smartos_wizard.privileged import wire

KIND = "netboot-config"
FILES = ("dnsmasq.conf", "dhcpd.conf", "kea-dhcp4.json", "nginx.conf", "README.txt")


def plan_config(serving: Serving, into: Path) -> Plan:
    """The plan to write configuration into a directory; nothing is served."""
    files = configuration(serving)
    step = Step(
        "config", "netboot-config", f"configuration for other servers in {into}", Effect.CREATES, tuple(files),
        undo=f"remove {into}", params={"into": str(into), "files": files},
    )  # fmt: skip
    return Plan(
        KIND,
        f"Write configuration for {serving.root}",
        (step,),
        untouched=("the tree", "every server of this machine"),
        params={
            "root": str(serving.root), "interface": serving.interface.name, "port": serving.port,
            "first": serving.first, "last": serving.last, "into": str(into),
        },
    )  # fmt: skip


def configuration(serving: Serving) -> dict[str, str]:
    """File name to content."""
    return {
        "dnsmasq.conf": _dnsmasq(serving),
        "dhcpd.conf": _dhcpd(serving),
        "kea-dhcp4.json": _kea(serving),
        "nginx.conf": _nginx(serving),
        "README.txt": _readme(serving),
    }


def _server(serving: Serving) -> str:
    return serving.interface.address


def _dnsmasq(serving: Serving) -> str:
    where = serving.interface
    asked: dict[str, Any] = {
        "interface": where.name, "address": where.address, "netmask": where.netmask, "url": serving.url,
        "first": serving.first, "last": serving.last, "tftp": LOADERS[0], "bios": BIOS_LOADER, "uefi": "",
    }  # fmt: skip
    skip = ("dhcp-leasefile=/dev/null", "user=nobody", "log-dhcp", "bind-interfaces", "except-interface=lo")
    lines = [line for line in wire.settings(asked) if line not in skip]
    return (
        "# dnsmasq: a file for /etc/dnsmasq.d/. Beside another DHCP server it gives no addresses.\n"
        + "\n".join(lines)
        + "\n"
    )


def _dhcpd(serving: Serving) -> str:
    network = serving.interface.network
    pool = (
        f"  range {serving.first} {serving.last};\n"
        if serving.first
        else "  # your own range and options stay here\n"
    )
    return f"""\
# ISC dhcpd: into your subnet's declaration. {BIOS_LOADER} comes by TFTP from next-server.
option client-arch code 93 = unsigned integer 16;
subnet {network.network_address} netmask {network.netmask} {{
{pool}  next-server {_server(serving)};
  if exists user-class and option user-class = "iPXE" {{
    filename "{serving.url}";
  }} elsif option client-arch = 00:00 {{
    filename "{BIOS_LOADER}";
  }}
}}
"""


def _kea(serving: Serving) -> str:
    import json

    subnet: dict[str, Any] = {
        "id": 1,
        "subnet": str(serving.interface.network),
        "next-server": _server(serving),
    }
    if serving.first:
        subnet["pools"] = [{"pool": f"{serving.first} - {serving.last}"}]
    classes = [
        {"name": "ipxe", "test": "option[77].hex == 'iPXE'", "boot-file-name": serving.url},
        {
            "name": "bios", "test": "not (option[77].hex == 'iPXE') and option[93].hex == 0x0000",
            "boot-file-name": BIOS_LOADER,
        },
    ]  # fmt: skip
    interfaces = {"interfaces": [serving.interface.name]}
    return (
        json.dumps(
            {"Dhcp4": {"interfaces-config": interfaces, "client-classes": classes, "subnet4": [subnet]}},
            indent=2,
        )
        + "\n"
    )


def _nginx(serving: Serving) -> str:
    return f"""\
# nginx: a file for /etc/nginx/conf.d/. What machines are told may hold passwords: keep it on a network you trust.
server {{
  listen {_server(serving)}:{serving.port};
  root {_quoted(serving.root)};
  sendfile on;
  tcp_nopush on;
  autoindex off;
  default_type application/octet-stream;
  location ~ /\\. {{ deny all; }}
}}
"""


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _readme(serving: Serving) -> str:
    tree = shlex.quote(str(serving.root))
    return f"""\
SmartOS over the network from servers you have already, for the tree {serving.root}

Machines: DHCP -> {BIOS_LOADER} by TFTP (BIOS machines; not those that have iPXE) -> {serving.url}
by HTTP -> the menu, the kernel and the boot archive by HTTP. UEFI machines cannot start SmartOS this way.

nginx.conf      the tree by HTTP; any other web server does as well: static files, ranges, no names with a dot.
dnsmasq.conf    tells machines where to boot from, beside your DHCP server or as your DHCP server; and TFTP.
dhcpd.conf      the same for ISC dhcpd; kea-dhcp4.json for Kea. Both need a TFTP server with {BIOS_LOADER}.

Only one of dnsmasq, dhcpd and Kea. Scripts name no host but where they came from, so the tree may be copied
to another server as it is: rsync -a --delete --exclude .smartos-wizard {tree}/ SERVER:/srv/netboot/
A boot server with a Triton-style tree (os/STAMP/platform/i86pc/...) takes os/STAMP as it is, beside its own; its
own scripts then name the release. Leave its other files alone.
PXELINUX and GRUB find {serving.root.name}/pxelinux.cfg and {serving.root.name}/grub there.

After each change: smartos-wizard netboot check {serving.url}
"""


def _write(run: Run[NetbootWorld], step: Step) -> Work:
    into = Path(step.params["into"])
    there = [name for name in step.params["files"] if (into / name).exists()]
    if there:
        raise Refused(
            "file-in-the-way", f"{into / there[0]} is there already. Nothing was written.", context=str(into / there[0]),
            hint="Choose a new directory.",
        )  # fmt: skip
    try:
        for name, text in step.params["files"].items():
            replace_file(into / name, text.encode(), 0o644)
    except OSError as error:
        raise WriteFailed(
            "cannot-write", f"{into} cannot be written: {error.strerror}.", context=str(into)
        ) from error
    run.result["files"] = [str(into / name) for name in step.params["files"]]
    run.result["say"] = [*run.result["files"], f"Read {into / 'README.txt'} first."]
    yield from ()
    return {}


CONFIG_ACTIONS: Mapping[str, Action[Any]] = {"netboot-config": Action(_write)}
"""The code that runs plans of kind `netboot-config`."""
