"""Serving a boot archive of true size to one machine and to sixteen, against nginx on the same file, on loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.bench.cases import Bench
from tests.bench.measure import Result, in_turn

SIZE = 300 << 20
"""A boot archive of 2022 has more than 300 MB (ipxe/ipxe pull request 594)."""
MANY = 16
_SERVER = """
import sys, time
from pathlib import Path
from smartos_wizard.netboot.http_server import FileServer
server = FileServer(Path(sys.argv[1]), "127.0.0.1", 0, lambda _: None)
print(server.port, flush=True)
sys.stdin.read()
server.close()
"""
_NGINX = """
daemon off; worker_processes auto; pid {place}/nginx.pid; error_log {place}/nginx.err;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {root}; }} }}
"""


def serving(bench: Bench) -> list[Result]:
    """Seconds for every byte at every client, and how much the server's memory grows with them."""
    root = bench.where / "netboot"
    root.mkdir()
    with (root / "boot_archive").open("wb") as file:
        for _ in range(SIZE >> 20):
            file.write(bytes(1 << 20))
    with _ours(root) as (port, process), _nginx(root, bench.where) as other:
        rows = []
        for clients in (1, MANY):
            contenders = {"smartos-wizard": _fetch(port, clients), "nginx": _fetch(other, clients)}
            seen = in_turn(contenders, bench.runs)
            ratio = seen["nginx"] / seen["smartos-wizard"]
            name = f"netboot serve, 300 MB to {clients} machine{'s' if clients > 1 else ''}"
            rows.append(Result(name, "nginx (throughput)", ratio, "≥ 0.8", ratio >= 0.8, bench.runs, seen))
        rows.append(_memory(port, process))
    shutil.rmtree(root)
    return rows


def _memory(port: int, process: psutil.Process) -> Result:
    """The most memory while sixteen fetch, compared with the least while one does."""
    seen: dict[str, float] = {}
    for clients in (1, MANY):
        most, ended = [0], threading.Event()

        def look(most: list[int] = most, ended: threading.Event = ended) -> None:
            while not ended.wait(0.02):
                most[0] = max(most[0], process.memory_info().rss)

        watcher = threading.Thread(target=look)
        watcher.start()
        _fetch(port, clients)()
        ended.set()
        watcher.join()
        seen[f"{clients} at once"] = most[0] / 1e6
    ratio = seen[f"{MANY} at once"] / seen["1 at once"]
    return Result(
        "netboot serve, memory with 16 machines", "with one", ratio, "≤ 1.1", ratio <= 1.1, 1, seen, "MB"
    )


def _fetch(port: int, clients: int) -> Callable[[], float]:
    def once() -> float:
        got = [0] * clients
        threads = [threading.Thread(target=_client, args=(port, got, n)) for n in range(clients)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - start
        if got != [SIZE] * clients:
            raise SystemExit(f"not every byte came: {got}")
        return spent

    return once


def _client(port: int, got: list[int], number: int) -> None:
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET /boot_archive HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(4096)
        got[number] = len(head.split(b"\r\n\r\n", 1)[1])
        while count := sock.recv_into(buffer):
            got[number] += count


@contextlib.contextmanager
def _ours(root: Path) -> Iterator[tuple[int, psutil.Process]]:
    words = [sys.executable, "-c", _SERVER, str(root)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        yield int(process.stdout.readline()), psutil.Process(process.pid)
        process.stdin.close()


@contextlib.contextmanager
def _nginx(root: Path, place: Path) -> Iterator[int]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        raise SystemExit("nginx is not installed (packaging/lab-packages.txt)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for path in (root, *root.parents):  # nginx's workers are not root
        if path.stat().st_uid == 0 and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    conf = place / "nginx.conf"
    conf.write_text(_NGINX.format(place=place, port=port, root=root))
    with subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            if time.monotonic() > until:
                raise SystemExit("nginx did not start")
            time.sleep(0.05)
        try:
            yield port
        finally:
            process.terminate()


CASES = {"netboot": serving}
