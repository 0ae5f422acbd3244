"""Plans of a re-install as an Ansible inventory and playbook, for fleets that have Ansible already.

The playbook is the same for every fleet (`assets/ansible`); what differs stands in the inventory. Only what a playbook can
do alone is exported: way A, and way C on a machine that is in Rescue Mode already. Whatever a plan says is checked
strictly before it becomes a word of YAML, Jinja or a shell: a plan is a file that anybody may have written to. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.export_readme import readme_of
from smartos_wizard.reinstall.model import SYSTEM_POOL, Mode, Way
from smartos_wizard.reinstall.plan_file import host_of
from smartos_wizard.reinstall.saying import listed

PLAYBOOKS = ("reinstall.yml", "recheck.yml", "look.yml", "verified.yml", "verify.yml")
"""The files that are the same for every fleet."""
MARK = "# Written by SmartOS Wizard; sha256 of what follows: "
_SHAPES = {
    "hostname": r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}",
    "hostid": r"[0-9A-Fa-f]{1,16}",
    "pool": r"[A-Za-z][A-Za-z0-9_.:-]{0,254}",
    "guid": r"[0-9]{1,20}",
    "release": r"(|[0-9]{8}T[0-9]{6}Z)",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "card": r"[0-9a-f]{2}(:[0-9a-f]{2}){5}",
    "token": r"[A-Za-z0-9][A-Za-z0-9._:-]{0,300}",
    "address": r"(|[A-Za-z0-9:][A-Za-z0-9._:-]{0,252})",
    "user": r"(|[A-Za-z0-9_][A-Za-z0-9._-]{0,63})",
    "jump": r"(|[A-Za-z0-9_][A-Za-z0-9._@:,\[\]-]{0,252})",
    "identity": r"(|[A-Za-z0-9_./~+-][A-Za-z0-9_./~+ -]{0,500})",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of the export: its name, and its text with our mark in the first line."""

    name: str
    text: str


def exported(plans: Sequence[Plan], *, practice: bool = False) -> tuple[Exported, ...]:
    """All files for these machines, in their order.

    Raises Refused `not-for-ansible` for a plan that needs hands, `odd-name`, `same-machine`.
    """
    hosts = [host_vars(plan) for plan in plans]
    for key, what in (("name", "name"), ("reinstall_hostid", "hostid")):
        seen = [host[key] for host in hosts]
        twice = sorted({each for each in seen if seen.count(each) > 1})
        if twice:
            raise Refused("same-machine", f"Two of these plans are for the {what} {listed(twice)}.", hint="Give one plan for each machine.")  # fmt: skip
    head = "# PRACTICE: these machines are make-believe.\n" if practice else ""
    texts = {name: (files("smartos_wizard") / "assets" / "ansible" / name).read_text(encoding="utf-8") for name in PLAYBOOKS}  # fmt: skip
    texts["inventory.yml"] = head + _inventory(hosts)
    made = [Exported(name, marked(text)) for name, text in texts.items()]
    readme = readme_of(hosts, practice=practice)
    return (*made, Exported("README.md", f"<!-- {marked(readme).replace(chr(10), f' -->{chr(10)}', 1)}"))


def marked(text: str) -> str:
    """The text below our mark, by which it is known again."""
    return f"{MARK}{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def is_ours(text: str) -> bool:
    """Whether it is a file of ours that nobody changed since."""
    first, _, rest = text.partition("\n")
    first = first.removeprefix("<!-- ").removesuffix(" -->")
    return first == f"{MARK}{hashlib.sha256(rest.encode()).hexdigest()}"


def host_vars(plan: Plan) -> dict[str, Any]:
    """All that the playbook knows of the plan's machine. Raises Refused `not-for-ansible`, `odd-name`."""
    name, params = host_of(plan), plan.params
    against = next(_against(plan), "")
    if against:
        raise Refused("not-for-ansible", f"{tame(name)}: {against}", hint="`smartos-wizard reinstall run` does it, or `reinstall runbook` by hand.", context=tame(name))  # fmt: skip
    known, where, pool = params["identity"], params["address"], params["pool"]
    stopped = [
        uuid for step in plan.steps if step.action == "stop-instances" for uuid in step.params["instances"]
    ]
    pools = [(_fit("pool", p["name"]), _fit("guid", p["guid"]), bool(p["imported"])) for p in known["pools"]]
    return {
        "name": _fit("hostname", name),
        **_reached(where),
        "reinstall_way": params["way"],
        "reinstall_words": ", ".join(f"{_fit('pool', p['name'])} (guid {_fit('guid', p['guid'])})" for p in params["dying"]),
        "reinstall_hostid": _fit("hostid", known["hostid"]),
        "reinstall_release": _fit("release", known["stamp"]),
        "reinstall_macs": sorted(_as_dladm(_fit("card", mac)) for mac in known.get("macs", [])),
        "reinstall_pool": {"name": _fit("pool", pool["name"]), "guid": _fit("guid", pool["guid"])},
        "reinstall_new_pool": SYSTEM_POOL,
        "reinstall_imported": sorted(f"{n} {guid}" for n, guid, imported in pools if imported),
        "reinstall_attached": sorted(f"{n} {guid}" for n, guid, imported in pools if not imported),
        "reinstall_all": sorted(guid for _, guid, _ in pools),
        "reinstall_dying": sorted(_fit("guid", p["guid"]) for p in params["dying"] if p["fate"] == "destroyed"),
        "reinstall_kept": sorted(_fit("guid", p["guid"]) for p in params["kept"]),
        "reinstall_instances": sorted(_fit("uuid", uuid) for uuid in known["instances"]),
        "reinstall_stop": sorted(_fit("uuid", uuid) for uuid in stopped),
        "reinstall_tokens": [_fit("token", token) for token in (plan.confirmation.tokens if plan.confirmation else ())],
    }  # fmt: skip


def _against(plan: Plan) -> Iterator[str]:
    """Why a playbook cannot do this plan alone."""
    params = plan.params
    way, mode = params["way"], params["identity"]["mode"]
    if way == Way.LOADER:
        yield "way B is typed at the loader's prompt, within ten seconds; no playbook can do that."
    if way == Way.RESET and params["limited"]:
        yield "its limit is typed at the loader's prompt, within ten seconds; no playbook can do that."
    if way == Way.RESCUE and mode != Mode.RESCUE:
        yield "way C begins in Rescue Mode, which is chosen at the console. Start the machine there (`key configure --reinstall` makes a key that does), survey it and plan again."  # fmt: skip
    if params["by_hand"]:
        yield "its new pool is made by hand in setup, and the other pools live only by that."
    if params.get("console"):
        yield "it is reached by a serial console, and Ansible by ssh."
    if way not in tuple(Way):
        yield "nobody knows its way."


def _reached(where: dict[str, Any]) -> dict[str, Any]:
    """The address in Ansible's words; a key is named, a password never stands anywhere."""
    port, jump = where.get("port"), _fit("jump", where.get("jump") or "")
    found: dict[str, Any] = {"ansible_user": _fit("user", where.get("user") or "") or "root"}
    address = _fit("address", where["host"])
    if address:
        found["ansible_host"] = address
    if isinstance(port, int) and 0 < port < 65536:
        found["ansible_port"] = port
    identity = _fit("identity", where.get("identity") or "")
    if identity:
        found["ansible_ssh_private_key_file"] = identity
    if jump:
        found["ansible_ssh_common_args"] = f"-o ProxyJump={jump}"
    return found | {"reinstall_watch": not jump}


def _fit(kind: str, value: Any) -> str:
    """The value, which is what such a thing may be and nothing that YAML, Jinja or a shell would read otherwise."""
    if not isinstance(value, str) or re.fullmatch(_SHAPES[kind], value, re.ASCII) is None:
        raise Refused("odd-name", f"“{tame(str(value))}” cannot be the {kind} of a machine in a playbook.", hint="Give it a plain name, survey it and plan again.")  # fmt: skip
    return value


def _as_dladm(mac: str) -> str:
    """`0:8:20:a:0:1` for `00:08:20:0a:00:01`, as dladm prints it."""
    return ":".join(part.lstrip("0") or "0" for part in mac.split(":"))


def _inventory(hosts: Sequence[dict[str, Any]]) -> str:
    """YAML, with every value as JSON writes it."""
    lines = ["# What is known of each machine, from its survey and plan. There are no secrets in it.", "smartos_reinstall:", "  hosts:"]  # fmt: skip
    for host in hosts:
        lines.append(f"    {json.dumps(host['name'])}:")
        lines += [f"      {name}: {json.dumps(value)}" for name, value in host.items() if name != "name"]
    return "\n".join(lines) + "\n"
