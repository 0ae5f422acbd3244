"""The page that comes with an exported playbook: what it does, how it is started, what it cannot see. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PAGE = """\
# A clean re-install with Ansible
{practice}
`reinstall.yml` re-installs these machines, **one after the other**, and stops at the first that fails:

| Machine | Way | Destroys, for good |
| --- | --- | --- |
{rows}

Way A marks the system pool and reboots, and the boot destroys it. Way C destroys the one pool in Rescue Mode, where the machine
has to be already. What no playbook can do (the loader's prompt, the choice of Rescue Mode, setup's questions) is not in it.

    ansible-playbook -i inventory.yml reinstall.yml --syntax-check
    ansible-playbook -i inventory.yml reinstall.yml --check -e reinstall_confirm={tokens}
    ansible-playbook -i inventory.yml reinstall.yml -e reinstall_confirm={tokens}

`reinstall_confirm` is typed each time and belongs in no file. It names everything that is destroyed, machine by machine. With
`--limit NAME` for one machine, its own tokens do:

{each}

What it does, in this order:

1. Every machine is looked at before anything begins: hostid, release, network cards, the guid of **every** pool, instances. Another
   machine, another pool, one pool more or less: it fails with the reason, and nothing was changed on any of them.
2. Then machine by machine: all of that once more; instances are stopped; the pool is marked, or in Rescue Mode imported by its
   guid and destroyed; it reboots. Right before each change the machine itself compares its hostid and all guids again. What
   fails before the reboot is taken back: the mark goes, stopped instances start.
3. The next machine begins only when this one answers again, so somebody does its setup on the console meanwhile, or the key in it
   carries the answers. It waits two hours (`-e reinstall_back_seconds=7200`). A machine behind a jump host cannot be watched:
   the playbook stops after it, unless `-e reinstall_go_on=true`.

Given again it does nothing on a machine whose pools are gone already. A connection that is lost in the middle is no failure it
could take back: give the same command again.

After setup the machine has a new host key, and root's authorized keys are gone with the old pool. Once Ansible can log in again:

    ansible-playbook -i inventory.yml verify.yml --limit NAME

With `-e reinstall_verify=true` the first playbook does that by itself, where logging in works without a person.

The machines need no Python. ssh must know their keys beforehand; passwords are in none of these files. A plan says what was true
when it was made, and the playbook compares all of it: where something has changed, survey and plan again, and export anew.
"""


def readme_of(hosts: Sequence[dict[str, Any]], *, practice: bool = False) -> str:
    """The page for these machines (`export.host_vars`)."""
    tokens = list(dict.fromkeys(token for host in hosts for token in host["reinstall_tokens"]))
    return _PAGE.format(
        practice="\nPRACTICE: these machines are make-believe.\n" if practice else "",
        rows="\n".join(f"| {host['name']} | {host['reinstall_way']} | {host['reinstall_words']} |" for host in hosts),
        tokens=",".join(tokens),
        each="\n".join(f"    {host['name']}: -e reinstall_confirm={','.join(host['reinstall_tokens'])}" for host in hosts),
    )  # fmt: skip
