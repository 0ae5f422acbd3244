"""Process 1 of the machine that plays SmartOS on Linux: real OpenZFS and sshd, SmartOS's own part of the boot played.

What is played, in the order of illumos-joyent's fs-joyent and smartdc-config: import every pool (or those of
`zpools=`), destroy them where the loader or the factory-reset property says so, mount the system pool, take
the host keys and the configuration from /usbkey, set up anew where there is none and answers are given.
Standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, "/mnt")

from agent import Agent, port  # type: ignore[import-not-found]  # beside it on the shared directory

LAB = Path("/mnt")
MOUNTED = (("config", "/etc/zones"), ("opt", "/opt"), ("usbkey", "/usbkey"))
KEYS = Path("/usbkey/ssh")


def say(words: str) -> None:
    """A line on the console."""
    print(words, flush=True)


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program; what it said goes to the console where it failed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"{' '.join(argv)}: {done.returncode} {done.stderr.strip()}")
    return done


def lines(*argv: str) -> list[str]:
    """The lines a program prints."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split("\n")[:-1]


def parameters() -> dict[str, str]:
    """The boot parameters."""
    words = Path("/proc/cmdline").read_text().split()
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def begin() -> None:
    """Mounts, devices, network."""
    os.environ["PATH"] = "/mnt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["HOME"] = "/root"
    for kind, point in (("tmpfs", "/run"), ("devpts", "/dev/pts"), ("tmpfs", "/dev/shm"), ("tmpfs", "/tmp")):
        Path(point).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", kind, kind, point)
    for name in ("/usbkey", "/etc/zones"):
        Path(name).mkdir(parents=True, exist_ok=True)
    run("/lib/systemd/systemd-udevd", "--daemon")
    run(
        "udevadm", "trigger", "--subsystem-match=block"
    )  # of all else nobody asks, and it takes a third of the start
    run("udevadm", "settle")
    run("ip", "link", "set", "lo", "up")
    for card in [path.name for path in Path("/sys/class/net").iterdir() if path.name != "lo"][:1]:
        run("ip", "link", "set", card, "up")
        run("ip", "address", "add", "10.0.2.15/24", "dev", card)
        run("ip", "route", "add", "default", "via", "10.0.2.2")
    Path("/etc/profile").write_text(f"export PATH={os.environ['PATH']}\n")
    Path("/etc/environment").write_text(f"PATH={os.environ['PATH']}\n")


def importable() -> list[str]:
    """Names of the pools that could be imported."""
    return [line.split()[1] for line in lines("zpool", "import") if line.strip().startswith("pool:")]


def pools(boot: dict[str, str]) -> str:
    """Import, destroy where that was asked for; the name of the system pool, empty where there is none."""
    if boot.get("noimport") == "true":
        return ""
    wanted = boot.get("zpools", boot.get("zpool", ""))
    for name in wanted.split(",") if wanted else importable():
        run("zpool", "import", "-f", name)
    names = lines("zpool", "list", "-H", "-o", "name")
    system = next((name for name in names if Path(f"/{name}/.system_pool").exists()), "zones")
    reset = lines("zfs", "get", "-Hpo", "value", "smartdc:factoryreset", f"{system}/var") == ["yes"]
    if boot.get("destroy_zpools") == "true" or reset:
        for name in names:
            say(f"destroying {name}")
            for _ in range(20):  # udev looks at volumes that have just come, and holds them open meanwhile
                if not run("zpool", "destroy", "-f", name).returncode:
                    break
                time.sleep(0.5)
        return ""
    if system not in names:
        return ""
    for dataset, point in MOUNTED:
        run("mount", "-t", "zfs", f"{system}/{dataset}", point)
    return system


def host_keys() -> None:
    """Those of /usbkey where there are any, else new ones: a machine that was wiped has another identity."""
    for old in Path("/etc/ssh").glob("ssh_host_*"):
        old.unlink()
    if KEYS.is_dir():
        for key in KEYS.iterdir():
            shutil.copy(key, "/etc/ssh")
            Path("/etc/ssh", key.name).chmod(0o600)
    else:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/ssh_host_ed25519_key")


def sshd() -> None:
    """Let root in with the lab's key, and with the password where the system is a rescue system."""
    place = Path("/root/.ssh")
    place.mkdir(mode=0o700, exist_ok=True)
    (place / "authorized_keys").write_bytes((LAB / "authorized_keys").read_bytes())
    Path("/run/sshd").mkdir(exist_ok=True)
    subprocess.run(["chpasswd"], input=b"root:root\n", check=False)
    Path("/etc/ssh/sshd_config").write_text(
        "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin yes\nPasswordAuthentication yes\nUsePAM no\n"
        f"PidFile /run/sshd.pid\nSetEnv PATH={os.environ['PATH']}\nSubsystem sftp internal-sftp\n"
    )
    run("/usr/sbin/sshd")


def setup(answers: dict[str, str]) -> None:
    """What setup makes with answers for everything: the pool of all disks that no USB stick is, and /usbkey."""
    found = sorted(path.name for path in Path("/sys/block").glob("vd*"))
    disks = [
        f"/dev/{name}" for name in answers.get("disks", "").split() or found
    ]  # named where it is made by hand
    kind = {1: [], 2: ["mirror"]}.get(len(disks), ["raidz1"])
    run("zpool", "create", "-f", "zones", *kind, *disks)
    make_system(answers.get("hostname", "clean"))


def make_system(hostname: str) -> None:
    """The datasets and files of a machine that was set up."""
    run("zfs", "set", "atime=off", "zones")
    Path("/zones/.system_pool").touch()
    for name in ("config", "usbkey"):
        run("zfs", "create", "-o", "mountpoint=legacy", f"zones/{name}")
    for name in ("cores", "var"):
        run("zfs", "create", f"zones/{name}")
    run("zfs", "create", "-o", "mountpoint=legacy", "zones/opt")
    for name in ("dump", "swap"):
        run("zfs", "create", "-V", "64M", f"zones/{name}")
    for dataset, point in MOUNTED:
        run("mount", "-t", "zfs", f"zones/{dataset}", point)
    Path("/usbkey/config").write_text(f"admin_nic=52:54:00:12:34:56\nadmin_ip=dhcp\nhostname={hostname}\n")
    Path("/usbkey/shadow").write_text("root:$5$lab$hash:6445::::::\n")
    Path("/usbkey/shadow").chmod(0o400)
    KEYS.mkdir(exist_ok=True)
    for key in Path("/etc/ssh").glob("ssh_host_*"):
        shutil.copy(key, KEYS)


def restart() -> None:
    """At once, without exporting anything, as SmartOS does."""
    os.sync()
    Path("/proc/sysrq-trigger").write_text("b")


def configured() -> dict[str, str]:
    """What /usbkey/config says."""
    file = Path("/usbkey/config")
    if not file.exists():
        return {}
    return dict(line.partition("=")[::2] for line in file.read_text().splitlines())


def console(words: list[str]) -> None:
    """Have a program at the serial console, as if it were there alone."""
    line = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
    subprocess.Popen(words, stdin=line, stdout=line, stderr=line, start_new_session=True)
    os.close(line)


def at_console(password: str, host: str, *, waits: bool) -> None:
    """A login, or setup's questions, to which whatever is typed is kept in /run/setup-typed."""
    if waits:
        console(
            [
                "/bin/sh",
                "-c",
                "printf 'SmartOS Setup\\n\\nIs this correct, proceed with installation? [y]: '; exec cat >/run/setup-typed",
            ]
        )
    else:
        console(
            ["/usr/bin/python3", "/mnt/login.py", host, password, "/bin/bash", "--norc", "--noprofile", "-i"]
        )


def main() -> None:
    """The boot."""
    begin()
    boot = parameters()
    state = {"boot": boot, "began": time.time()}
    system = pools(boot)
    rescue = boot.get("noimport") == "true"
    settings = json.loads((LAB / "settings.json").read_text())
    host_keys()
    if not rescue and boot.get("smartos") == "true" and not configured():
        if settings.get("make"):
            setup({"hostname": settings["hostname"]})
        elif settings.get("answers"):
            say("SmartOS Setup: answers found")
            setup(settings["answers"])
            restart()
        else:
            say("SmartOS Setup: waiting for somebody")
            state["waits"] = True
    run("hostname", configured().get("hostname", "smartos"))
    state.update(system=system, rescue=rescue)
    Path("/run/lab-state.json").write_text(json.dumps(state))
    if not state.get("waits"):
        sshd()
    if settings.get("console"):
        password = "root" if rescue else settings["console"]
        at_console(password, os.uname().nodename, waits=bool(state.get("waits")))
    else:
        say(f"{os.uname().nodename} console login: ")
    agent = Agent(port())
    agent.say({"id": 0, "code": 0, "out": "ready", "err": ""})
    agent.serve()


if __name__ == "__main__":
    main()
