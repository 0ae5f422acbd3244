"""The command at work on a machine with real OpenZFS, over its sshd: the words it is given, killed and cut off."""

from __future__ import annotations

from pathlib import Path

from tests.lab.rig import command
from tests.lab.rig.command import Outcome
from tests.lab.rig.parts import PYTHON
from tests.lab.rig.zfs_host import ZfsHost
from tests.lab.rig.zfs_things import OWN, SECRET

PATIENCE = 900.0
WHAT = ("--instance", "all", "--dataset", OWN, "--dataset", SECRET)
_ASKED_ONCE = """#!/bin/sh
name=${0##*/}
case $name in vmadm|zonecfg|reboot) exec /mnt/bin/real/$name "$@";; esac
said=/run/said/$name
for word; do said=$said-${word##*/}; done
if [ ! -e "$said.code" ]; then
	mkdir -p /run/said
	/mnt/bin/real/$name "$@" >"$said" 2>"$said.err"
	echo $? >"$said.code"
fi
cat "$said"; cat "$said.err" >&2; read -r code <"$said.code"; exit $code
"""


def quick(machine: ZfsHost) -> None:
    """Before it has started: what a played command says is remembered there, because each takes a second to begin.

    For tests of what comes after a survey; the disks of the machine, and what it is told, must not change.
    """
    place = machine.shared / "bin"
    (place / "real").mkdir()
    for link in [each for each in place.iterdir() if each.is_symlink()]:
        (place / "real" / link.name).symlink_to("../real-played")
    (place / "played").rename(place / "real-played")
    (place / "played").write_text(_ASKED_ONCE)
    (place / "played").chmod(0o755)
    (place / "disklist").unlink()  # no disk to look for a key on
    (place / "disklist").write_text("#!/bin/sh\n")
    (place / "disklist").chmod(0o755)


def door_to(machine: ZfsHost, prefix: str = "") -> tuple[str, ...]:
    """The options that reach it, as the second machine of a command where there is a prefix."""
    shown = machine.sh("ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub")
    words = (
        ("port", str(machine.port)),
        ("identity", str(machine.key)),
        ("accept-host-key", shown.split()[1]),
    )
    return tuple(each for name, value in words for each in (f"--{prefix}{name}", value))


def cut(machine: ZfsHost) -> None:
    """Every ssh connection to it is gone."""
    machine.sh("pkill -9 -f '[s]shd: root' || true")


class Wizard:
    """The command, with its directories and the way to the machine."""

    def __init__(self, machine: ZfsHost, home: Path) -> None:
        self.machine, self.home = machine, home
        self.door = door_to(machine)

    def backup(self, to: Path, *more: str) -> list[str]:
        """The words of a backup of everything."""
        return ["reinstall", "backup", "root@127.0.0.1", "--to", str(to), *self.door, *WHAT, "--json", *more]

    def restore(self, directory: Path, *more: str) -> list[str]:
        """The words of a restore of everything."""
        return ["reinstall", "restore", str(directory), "root@127.0.0.1", *self.door, "--config", *WHAT, "--json", *more]  # fmt: skip

    def run(self, words: list[str]) -> Outcome:
        """The command, to its end."""
        return command.run(self.home, *words, seconds=PATIENCE)

    def killed_at(self, moment: str, words: list[str]) -> Outcome:
        """The command, killed at that moment of its plan (see `at_event`)."""
        line = [PYTHON, "-m", "tests.lab.rig.at_event", moment, "kill", *words]
        return command.Running(line, self.home).end(PATIENCE)

    def in_the_middle(self, words: list[str], step: str) -> command.Running:
        """At work, and some MiB of that step are done."""
        running = command.Running(command.argv(*words), self.home)
        running.wait_for(lambda e: e.get("event") == "advanced" and e.get("step") == step and (e.get("done") or 0) > 4 << 20, PATIENCE)  # fmt: skip
        return running

    def steps_of(self, words: list[str]) -> list[str]:
        """The steps of the plan that it would carry out."""
        shown = self.run([*words, "--dry-run"])
        assert shown.code == 0, shown.told()
        return [step["id"] for step in shown.document["steps"]]

    def check(self, directory: Path) -> Outcome:
        """What `backup-check` says."""
        return self.run(["reinstall", "backup-check", str(directory), "--json"])
