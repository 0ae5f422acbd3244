"""The first program of the lab guest: sets the machine up, then runs what the host asks for.

Standard library only; runs as process 1 on the system's Python. Requests and answers are JSON lines on the
virtio port named `lab`: {"id", "op": "run", "argv", "user", "env", "seconds", "cwd"} is answered with
{"id", "code", "out", "err"}; `start`, `look` (with the handle) and `stop` are the same for work that goes on.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

USER = "tess"
HOME = "/home/tess"


def setup() -> None:
    """Mounts, an ordinary user who may use sudo without a password, and a way in to the checkout for that user."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["HOME"] = "/root"
    for kind, point in (("tmpfs", "/run"), ("devpts", "/dev/pts"), ("tmpfs", "/dev/shm")):
        Path(point).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, point], check=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    subprocess.run(["hostname", "lab"], check=False)
    Path("/etc/hosts").write_text("127.0.0.1 localhost lab\n")
    for name in sys.argv[1:]:
        for path in (Path(name), *Path(name).parents):
            path.chmod(path.stat().st_mode | 0o055)
    subprocess.run(["useradd", "-m", "-s", "/bin/sh", "-d", HOME, USER], check=False)
    rule = Path("/etc/sudoers.d/lab")
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    rule.chmod(0o440)
    user = pwd.getpwnam(USER)
    runtime = Path(f"/run/user/{user.pw_uid}")
    runtime.mkdir(parents=True, mode=0o700, exist_ok=True)
    os.chown(runtime, user.pw_uid, user.pw_gid)


def port() -> str:
    """The device node of the virtio port named `lab`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for entry in Path("/sys/class/virtio-ports").iterdir():
            if (entry / "name").read_text().strip() == "lab":
                return f"/dev/{entry.name}"
        time.sleep(0.1)
    raise SystemExit("no port")


Request = dict[str, Any]
Answer = dict[str, Any]


class Agent:
    """Answers requests; each runs in a thread, so that a hanging command stops nobody else."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR)
        self.lock = threading.Lock()
        self.works: dict[int, subprocess.Popen[bytes]] = {}
        self.handles = 0

    def say(self, data: Answer) -> None:
        line = json.dumps(data).encode() + b"\n"
        with self.lock:
            while line:
                line = line[os.write(self.fd, line) :]

    def serve(self) -> None:
        rest = b""
        while True:
            chunk = os.read(self.fd, 65536)
            if not chunk:
                time.sleep(0.1)
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                request = json.loads(line)
                threading.Thread(target=self.answer, args=(request,), daemon=True).start()

    def answer(self, request: Request) -> None:
        try:
            data = getattr(self, "do_" + request["op"])(request)
        except Exception as error:
            data = {"code": 255, "out": "", "err": f"agent: {error!r}"}
        self.say({**data, "id": request["id"]})

    def popen(self, request: Request, **streams: Any) -> subprocess.Popen[bytes]:
        user = pwd.getpwnam(request.get("user", "root"))
        env = {"PATH": os.environ["PATH"], "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name,
               "LANG": "C.UTF-8", "TERM": "dumb", "XDG_RUNTIME_DIR": f"/run/user/{user.pw_uid}",
               **request.get("env", {})}  # fmt: skip
        return subprocess.Popen(
            request["argv"], stdin=subprocess.DEVNULL, env=env, cwd=request.get("cwd", "/"),
            user=user.pw_uid, group=user.pw_gid, extra_groups=[user.pw_gid], start_new_session=True, **streams,
        )  # fmt: skip

    def do_run(self, request: Request) -> Answer:
        work = self.popen(request, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = work.communicate(timeout=request.get("seconds", 60))
        except subprocess.TimeoutExpired:
            os.killpg(work.pid, signal.SIGKILL)
            return {"code": 254, "out": "", "err": "agent: took too long"}
        return {
            "code": work.returncode,
            "out": out.decode(errors="replace"),
            "err": err.decode(errors="replace"),
        }

    def do_start(self, request: Request) -> Answer:
        self.handles += 1
        handle = self.handles
        with Path(f"/run/lab{handle}.out").open("wb") as out, Path(f"/run/lab{handle}.err").open("wb") as err:
            self.works[handle] = self.popen(request, stdout=out, stderr=err)
        return {"code": 0, "out": str(handle), "err": ""}

    def do_look(self, request: Request) -> Answer:
        handle = request["handle"]
        code = self.works[handle].poll()
        out, err = (Path(f"/run/lab{handle}.{name}").read_text(errors="replace") for name in ("out", "err"))
        return {"code": code, "out": out, "err": err}

    def do_stop(self, request: Request) -> Answer:
        os.killpg(self.works[request["handle"]].pid, request["signal"])
        return {"code": 0, "out": "", "err": ""}


if __name__ == "__main__":
    setup()
    agent = Agent(port())
    agent.say({"id": 0, "code": 0, "out": "ready", "err": ""})
    agent.serve()
