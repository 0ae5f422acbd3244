"""Recorded answers, and the make-believe commands of a SmartOS machine on PATH."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from smartos_wizard.reinstall.answers import read_answers
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.parse import survey_of

DATA = Path(__file__).parent / "data"
RECORDED = sorted(path.stem for path in DATA.glob("*.txt"))


def recorded(name: str) -> str:
    """The answers of a recorded machine."""
    return (DATA / f"{name}.txt").read_text()


def surveyed(name: str) -> Survey:
    """The survey that they make."""
    return survey_of(recorded(name), taken=None, how="file")


def fake_commands(place: Path, outputs: dict[str, str], log: Path) -> Path:
    """A directory with commands that write down their arguments and print what `outputs` says."""
    place.mkdir(exist_ok=True)
    for name, output in outputs.items():
        (place / f"{name}.out").write_text(output)
        script = place / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\ncat {place}/{name}.out\n')
        script.chmod(0o755)
    return place


_CALLS = {
    "system": "uname -s", "version": "uname -v", "hostname": "uname -n", "zone": "zonename", "hostid": "hostid",
    "parameters": "bootparams", "memory": "prtconf", "maker": "smbios -t SMB_TYPE_SYSTEM", "status": "zpool status",
    "pools": "zpool list -Hpo name,guid,health,size,allocated,bootfs", "import": "zpool import",
    "system-pool": "svcprop -p config/zpool smartdc/init",
    "reset": "zfs get -Hpo name,value -t filesystem -s local,received,inherited smartdc:factoryreset",
    "datasets": "zfs list -Hpo name,type,used,referenced,origin,mountpoint -t filesystem,volume",
    "encryption": "zfs get -Hpo name,value -t filesystem,volume encryption",
    "snapshots": "zfs list -Hpo name,creation -t snapshot",
    "instances": "vmadm lookup -j -o uuid,alias,brand,state,zone_state,owner_uuid,ram,max_physical_memory,autoboot,zfs_filesystem,zpool,disks,datasets",
    "disks": "diskinfo -Hp", "cards": "dladm show-phys -pmo link,address", "links": "dladm show-phys -po link,state",
    "services": "svcs -x",
}  # fmt: skip


def fake_smartos(place: Path, name: str, log: Path) -> Path:
    """Commands that answer as the recorded machine did, call by call, and fail at any other call; each writes down its call."""
    given = read_answers(recorded(name)).given
    place.mkdir()
    said = {call: given[probe] for probe, call in _CALLS.items()}
    for command in {call.split()[0] for call in said} | {"fstyp", "disklist"}:
        cases = []
        for number, (call, answer) in enumerate(
            (call, answer) for call, answer in said.items() if call.split()[0] == command
        ):
            output = place / f"{command}.{number}"
            output.write_text("".join(f"{line}\n" for line in answer.lines))
            complaint = "".join(f"echo {shlex.quote(line)} >&2; " for line in answer.complaints)
            cases.append(f"'{call}') cat {output}; {complaint}exit {answer.status} ;;")
        if command == "disklist":
            cases.append("'disklist -a') echo c1t0d0 c2t0d0 ;;")
        if command == "fstyp":
            cases.append("'fstyp /dev/dsk/c2t0d0s2') echo pcfs ;;")
            cases.append("'fstyp -v /dev/dsk/c2t0d0s2') echo pcfs; echo 'Volume Label: SMARTOSBOOT' ;;")
        body = "\n".join(cases)
        script = place / command
        script.write_text(
            f'#!/bin/sh\ncall="{command}${{*:+ $*}}"\necho "$call" >> {log}\ncase "$call" in\n{body}\n'
            "*) echo unknown >&2; exit 2 ;;\nesac\n"
        )
        script.chmod(0o755)
    return place


def ran(shell: str, script: str, path: str, cwd: Path) -> str:
    """What the script prints in that shell, fed on stdin as over ssh."""
    done = subprocess.run(
        [*shell.split(), "-s"], input=script, capture_output=True, text=True, cwd=cwd, timeout=60,
        env={"PATH": path, "HOME": str(cwd), "LANG": os.environ.get("LANG", "C")}, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout
