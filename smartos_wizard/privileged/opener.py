"""The one program that runs as root: it opens one confirmed disk and hands the descriptor over.

Started as `sudo /usr/bin/python3 -I opener.py SOCKET` (or doas, pkexec), on Python 3.9 or newer. It believes
nothing it is told: it looks by itself whether the opened device is the one confirmed, and whether it belongs
to the running system. It never writes to the disk. It stays to empty the kernel's cache of it and to have its
partition table read again, which take root, and ends with the other side. Imports the standard library only.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import glob
import json
import os
import pwd
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Any

VERSION, LIMIT = 1, 65536  # of the messages; bytes of one
BLKROGET, BLKSSZGET, BLKGETSIZE64, BLKGETDISKSEQ = 0x125E, 0x1268, 0x80081272, 0x80081280  # <linux/fs.h>
REQUESTS = {"flush": 0x1261, "reread": 0x125F}  # BLKFLSBUF, BLKRRPART
REMOVABLE = ("/media", "/run/media", "/mnt")
SYSTEM = ("/boot", "/efi", "/usr", "/var", "/home", "/etc", "/opt", "/srv", "/root", "/nix", "/gnu", "/run")
UDEV = r"(?m)^E:(?:ID_SERIAL_SHORT|ID_SERIAL|ID_SCSI_SERIAL|ID_USB_SERIAL_SHORT)=(.*)$"
EXITS = {
    "bad-request": 20,
    "wrong-caller": 21,
    "no-such-device": 22,
    "not-a-disk": 23,
    "identity-changed": 24,
}
EXITS.update({"system-disk": 25, "mounted": 26, "in-use": 27, "read-only": 28, "open-failed": 29})
ERRNOS = {2: "no-such-device", 6: "no-such-device", 123: "no-such-device", 16: "in-use", 30: "read-only"}


class No(Exception):
    """Why the disk is not handed over: a name out of EXITS and a sentence."""

    def __init__(self, reference: str, text: str) -> None:
        super().__init__(text)
        self.reference, self.text = reference, text


def exactly(sock: socket.socket, count: int, got: bytes = b"") -> bytes:
    """`got` and what follows it in the stream, `count` bytes together; fewer only at its end."""
    while len(got) < count and (piece := sock.recv(count - len(got))):
        got += piece
    return got


def receive(sock: socket.socket, head: bytes = b"") -> dict[str, Any] | None:
    """One message: its length in 4 bytes, then a JSON object of this version. None where the stream ends."""
    head = exactly(sock, 4, head)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) == 4 and length <= LIMIT:
        body = exactly(sock, length)
        with contextlib.suppress(ValueError):
            data = json.loads(body)
            if len(body) == length and isinstance(data, dict) and data.get("version") == VERSION:
                return data
    raise No("bad-request", "A message was cut off, garbled, too long or of another version of the program.")


def send(sock: socket.socket, data: Mapping[str, Any], fds: Collection[int] = ()) -> None:
    """Send one message, with open descriptors along where there are any."""
    body = json.dumps({**data, "version": VERSION}).encode()
    frame = len(body).to_bytes(4, "big") + body
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    if rest := frame[sock.sendmsg([frame], rights) :]:  # sending nothing fails where the other side is done
        sock.sendall(rest)


def peer_uid(sock: socket.socket) -> int:
    """Who is at the other end of a Unix socket."""
    return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])


def read(path: str) -> str:
    """The text of a small file, empty where it cannot be read."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(1 << 20).decode("utf-8", "surrogateescape").strip("\0 \n")
    return ""


def asked(fd: int, request: int, code: str) -> int:
    """What an ioctl that fills in one number answers."""
    return int(struct.unpack(code, fcntl.ioctl(fd, request, bytes(struct.calcsize(code))))[0])


def serial_key(text: str) -> str:
    """A serial number without what the places it is read from spell differently."""
    return "".join(c for c in text if c.isprintable() and not c.isspace() and c != "_")


def serials(number: str, root: str = "") -> set[str]:
    """Every serial number that udev and sysfs know of the disk `number` ("8:16")."""
    found = set(re.findall(UDEV, read(f"{root}/run/udev/data/b{number}")))
    place = os.path.realpath(f"{root}/sys/dev/block/{number}")
    while "/devices/" in place:
        found |= {read(place + "/serial"), read(place + "/vpd_pg80")[4:]}
        if os.path.exists(place + "/idVendor"):
            break  # above the USB device come hubs and controllers, with serials of their own
        place = os.path.dirname(place)
    return {serial_key(name) for name in found} - {""}


def check_identity(fd: int, wanted: Mapping[str, Any], root: str = "") -> str:
    """Return the number of the opened disk. Raise No unless it is the one whose fingerprint was confirmed."""
    status, path = os.fstat(fd), wanted["path"]
    if not stat.S_ISBLK(status.st_mode):
        raise No("not-a-disk", f"{path} is not a disk.")
    rdev = [os.major(status.st_rdev), os.minor(status.st_rdev)]
    found = {"size": asked(fd, BLKGETSIZE64, "Q"), "sector": asked(fd, BLKSSZGET, "I")}
    differing = [key for key in found if found[key] != wanted.get(key)]
    if wanted.get("rdev") and list(wanted["rdev"]) != rdev:
        differing.append("device number")
    with contextlib.suppress(OSError):  # the kernel tells since 5.15
        if wanted.get("diskseq") not in (None, asked(fd, BLKGETDISKSEQ, "Q")):
            differing.append("attachment")
    serial, known = serial_key(wanted.get("serial") or ""), serials(f"{rdev[0]}:{rdev[1]}", root)
    if serial not in known | {""} and not (
        serial[-1] == "…" and any(s.startswith(serial[:-1]) for s in known)
    ):
        differing.append("serial number")
    if differing:
        words = ", another ".join(differing)
        raise No("identity-changed", f"{path} is not the disk that was confirmed any more: another {words}.")
    return f"{rdev[0]}:{rdev[1]}"


def family(number: str, root: str = "") -> tuple[set[str], list[str]]:
    """The numbers of a disk, its partitions and whatever is built on them, and the names of what holds them."""
    numbers: set[str] = set()
    holders, queue = [], [os.path.realpath(f"{root}/sys/dev/block/{number}")]
    for place in queue:  # grows meanwhile
        if (dev := read(place + "/dev")) not in numbers | {""}:
            numbers.add(dev)
            held = sorted(glob.glob(glob.escape(place) + "/holders/*"))
            holders += [read(h + "/dm/name") or os.path.basename(h) for h in held]
            queue += [os.path.dirname(p) for p in glob.glob(glob.escape(place) + "/*/partition")]
            queue += [os.path.realpath(h) for h in held]
    return numbers, holders


def number_of(path: str) -> str:
    """The number of the device at `path`, or of the one that the file there lies on."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
        return f"{os.major(number)}:{os.minor(number)}"
    return ""


def mounts_of(numbers: set[str], root: str = "") -> dict[str, str]:
    """{mount point: source} of every mount of these devices, here and where process 1 lives."""
    found = {}
    for line in (read(f"{root}/proc/self/mountinfo") + "\n" + read(f"{root}/proc/1/mountinfo")).splitlines():
        words, rest = line.split(" - ")[0].split(" "), line.split(" - ")[-1].split(" ")
        if len(words) > 4 and len(rest) > 1:
            point, source = (
                re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), w) for w in (words[4], rest[1])
            )
            if words[2] in numbers or (words[2].startswith("0:") and number_of(source) in numbers):
                found[point] = source
    return found


def below(point: str, places: Collection[str]) -> bool:
    """Whether `point` is one of `places` or lies in one."""
    return any(point == place or point.startswith(place + "/") for place in places)


def check_unused(path: str, number: str, unmount: Collection[str], write: bool, root: str = "") -> list[str]:
    """Return what must be unmounted. Raise No where the disk serves the running system or is in use."""
    numbers, holders = family(number, root)
    if not numbers or os.path.exists(f"{root}/sys/dev/block/{number}/partition"):
        raise No("not-a-disk", f"{path} is not a whole disk.")
    mounts = mounts_of(numbers, root)
    for point, source in mounts.items():
        if point == "/" or (below(point, SYSTEM) and not below(point, REMOVABLE)):
            raise No("system-disk", f"{path} belongs to the running system: {source} is mounted at {point}.")
    if any(number_of(line.split()[0]) in numbers for line in read(f"{root}/proc/swaps").splitlines()[1:]):
        raise No("system-disk", f"{path} holds swap space of the running system.")
    if not write:
        return []
    for backing in glob.glob(f"{root}/sys/block/loop*/loop/backing_file"):
        if read(backing).startswith("/dev/") and number_of(read(backing)) in numbers:
            holders.append(backing.split("/")[-3])
    if holders:
        raise No("in-use", f"{path} is in use by {', '.join(holders)}.")
    for point, source in mounts.items():
        if not below(point, REMOVABLE) or not {point, source} & set(unmount):
            raise No("mounted", f"{source} is mounted at {point}.")
    return sorted(mounts, reverse=True)


def open_disk(
    path: str, fingerprint: Mapping[str, Any], unmount: Collection[str] = (), write: bool = True
) -> int:
    """The open descriptor of the disk at `path`, proven to be the one of the fingerprint. Raises No.

    For writing it is opened exclusively: that fails while anything in the kernel uses the disk or a partition
    of it, and keeps it from being mounted meanwhile.
    """
    wanted = {**fingerprint, "path": path}
    with contextlib.ExitStack() as stack:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            points = check_unused(path, check_identity(fd, wanted), unmount, write)
            if write and asked(fd, BLKROGET, "I"):
                raise No("read-only", f"{path} is write-protected.")
            for point in points:
                run = subprocess.run(
                    ["/bin/umount", "--", point], capture_output=True, timeout=40, check=False
                )
                if run.returncode:
                    raise No("mounted", f"{point} cannot be unmounted: {run.stderr.decode(errors='replace')}")
            stack.close()
            fd = os.open(path, os.O_DIRECT | os.O_CLOEXEC | (os.O_RDWR | os.O_EXCL if write else os.O_RDONLY))
            stack.callback(os.close, fd)
            check_unused(path, check_identity(fd, wanted), (), write)
        except OSError as error:
            reference = ERRNOS.get(error.errno or 0, "open-failed")
            raise No(reference, f"{path} cannot be opened: {error.strerror}.") from error
        stack.pop_all()
        return fd


def connect(path: str, environ: Mapping[str, str]) -> socket.socket:
    """The connection to the program, proven to belong to the user who called this. Raises No."""
    callers = {int(environ[key]) for key in ("SUDO_UID", "PKEXEC_UID") if environ.get(key)}
    if environ.get("DOAS_USER"):
        callers.add(pwd.getpwnam(environ["DOAS_USER"]).pw_uid)
    here, above = os.lstat(path), os.lstat(os.path.dirname(os.path.abspath(path)))
    callers = callers or {here.st_uid}  # called by root itself: the socket's owner says whom it is for
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(20)
    if not above.st_mode & 0o77 and callers == {here.st_uid} == {above.st_uid}:
        sock.connect(path)
        if callers == {peer_uid(sock)}:
            return sock
    sock.close()
    raise No("wrong-caller", f"{path} does not belong to the user who asked.")


def detach() -> None:
    """Go on in a session of its own: a closed terminal or lost line ends nothing, and sudo returns at once."""
    ready, done = os.pipe()
    if os.fork():
        os.close(done)
        os.read(ready, 1)
        os._exit(0)
    signal.alarm(0)
    os.setsid()
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(name, signal.SIG_IGN)
    for stream in (0, 1, 2, ready, done):  # which closes the pipe's ends too
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)


def serve(sock: socket.socket, fd: int) -> None:
    """Empty the cache or read the partition table again, whenever asked, until the other side lets go."""
    sock.settimeout(None)
    while (request := receive(sock)) is not None:
        try:
            fcntl.ioctl(fd, REQUESTS[request.get("do", "")], 0)
            send(sock, {"ok": True})
        except (OSError, KeyError) as error:
            send(sock, {"ok": False, "message": str(error), "errno": getattr(error, "errno", 22)})


def main(words: list[str]) -> int:
    """Do one request. Return the exit code: 0 after a hand-over, 2 for wrong words, else as EXITS says."""
    if len(words) != 1:
        print("usage: opener.py SOCKET    (smartos-wizard starts this)", file=sys.stderr)
        return 2
    signal.alarm(120)
    sock = None
    try:
        sock = connect(words[0], os.environ)
        ask = receive(sock) or {}
        path, unmount, mode = str(ask.get("path")), ask.get("unmount"), ask.get("mode")
        if not (path.startswith("/dev/") and mode in ("read", "write") and isinstance(unmount, list)):
            raise No("bad-request", "The request makes no sense.")
        fd = open_disk(path, ask.get("fingerprint") or {}, unmount, mode == "write")
        detach()
        send(sock, {"ok": True}, [fd])
        serve(sock, fd)
    except (No, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        no = error if isinstance(error, No) else No("bad-request" if sock else "wrong-caller", str(error))
        print("smartos-wizard: " + no.text, file=sys.stderr)
        with contextlib.suppress(OSError):
            if sock:
                send(sock, {"ok": False, "reference": no.reference, "message": no.text})
        return EXITS[no.reference]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
