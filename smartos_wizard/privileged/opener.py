"""The one program that runs as root: it opens one confirmed disk and hands the descriptor over.

Started as `sudo /usr/bin/python3 -I opener.py SOCKET` (or doas, pkexec). Standard library only, Python 3.9 or
newer, so that it runs on the system's own interpreter. It believes nothing it is told: it looks by itself
whether the opened device is the one confirmed, and whether it belongs to the running system. It never writes
to the disk. It stays to empty the kernel's cache of it and to have its partition table read again, which
take root, and ends when the other side does.
"""

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

VERSION, LIMIT = 1, 65536  # of the messages; bytes of one
BLKROGET, BLKRRPART, BLKFLSBUF, BLKSSZGET = 0x125E, 0x125F, 0x1261, 0x1268  # <linux/fs.h>
BLKGETSIZE64, BLKGETDISKSEQ = 0x80081272, 0x80081280
REMOVABLE = ("/media", "/run/media", "/mnt")
SYSTEM = tuple("/boot /efi /usr /var /home /etc /opt /srv /root /nix /gnu /cdrom /sysroot /run /lib".split())
UDEV = r"(?m)^E:(?:ID_SERIAL_SHORT|ID_SERIAL|ID_SCSI_SERIAL|ID_USB_SERIAL_SHORT)=(.*)$"
REFERENCES = tuple(
    "bad-request wrong-caller no-such-device not-a-disk identity-changed system-disk mounted in-use "
    "read-only open-failed".split()
)  # a refusal's exit code is 20 and its place in this list
ERRNOS = {2: "no-such-device", 6: "no-such-device", 123: "no-such-device", 16: "in-use", 30: "read-only"}


class No(Exception):
    """Why the disk is not handed over: a name out of REFERENCES and a sentence."""

    def __init__(self, reference, text):
        super().__init__(text)
        self.reference, self.text = reference, text


def exactly(sock, count):
    """The next bytes of a stream, fewer only at its end."""
    got = b""
    while len(got) < count:
        piece = sock.recv(count - len(got))
        if not piece:
            break
        got += piece
    return got


def receive(sock, head=None):
    """One message: its length in 4 bytes, then a JSON object of this version. None at the end of the stream."""
    head = exactly(sock, 4) if head is None else head + exactly(sock, 4 - len(head))
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < 4 or not 2 <= length <= LIMIT:
        raise No("bad-request", "A message of an impossible length came.")
    body = exactly(sock, length)
    try:
        data = json.loads(body.decode()) if len(body) == length else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise No("bad-request", "A message was cut off or garbled.")
    if data.get("version") != VERSION:
        raise No("bad-request", "The program and its opener are of different versions; start it again.")
    return data


def send(sock, data, fds=()):
    """Send one message, with open descriptors along where there are any."""
    body = json.dumps(dict(data, version=VERSION)).encode()
    frame = len(body).to_bytes(4, "big") + body
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendall(frame[sock.sendmsg([frame], rights) :])


def peer_uid(sock):
    """Who is at the other end of a Unix socket."""
    return struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]


def read(path):
    """The text of a small file, empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20).decode("utf-8", "surrogateescape").strip("\0 \n")
    except OSError:
        return ""


def ask_number(fd, request, code):
    """What an ioctl that fills in one number answers."""
    return struct.unpack(code, fcntl.ioctl(fd, request, bytes(struct.calcsize(code))))[0]


def serial_key(text):
    """A serial number without what the places it is read from spell differently."""
    return "".join(c for c in text if c.isprintable() and not c.isspace() and c != "_")


def serials(number, root=""):
    """Every serial number that udev and sysfs know of the disk `number` ("8:16")."""
    found = set(re.findall(UDEV, read(f"{root}/run/udev/data/b{number}")))
    place = os.path.realpath(f"{root}/sys/dev/block/{number}")
    while "/devices/" in place:
        found |= {read(place + "/serial"), read(place + "/vpd_pg80")[4:]}
        if os.path.exists(place + "/idVendor"):
            break  # above the USB device come hubs and controllers, with serials of their own
        place = os.path.dirname(place)
    return {serial_key(name) for name in found} - {""}


def check_identity(fd, wanted, root=""):
    """Return the number of the opened disk. Raise No unless it is the one whose fingerprint was confirmed."""
    status, path = os.fstat(fd), str(wanted.get("path"))
    if not stat.S_ISBLK(status.st_mode):
        raise No("not-a-disk", f"{path} is not a disk.")
    rdev = [os.major(status.st_rdev), os.minor(status.st_rdev)]
    number = "%d:%d" % tuple(rdev)
    found = {"size": ask_number(fd, BLKGETSIZE64, "Q"), "sector": ask_number(fd, BLKSSZGET, "I")}
    differing = [key for key in found if found[key] != wanted.get(key)]
    if wanted.get("rdev") and list(wanted["rdev"]) != rdev:
        differing.append("device number")
    with contextlib.suppress(OSError):  # the kernel tells since 5.15
        if wanted.get("diskseq") not in (None, ask_number(fd, BLKGETDISKSEQ, "Q")):
            differing.append("attachment")
    serial = serial_key(wanted.get("serial") or "")
    cut = serial[:-1] if serial.endswith("…") else None
    if serial and not any(s == serial or (cut and s.startswith(cut)) for s in serials(number, root)):
        differing.append("serial number")
    if differing:
        words = ", another ".join(differing)
        raise No("identity-changed", f"{path} is not the disk that was confirmed any more: another {words}.")
    return number


def family(number, root=""):
    """The numbers of a disk, its partitions and whatever is built on them, and the names of what holds them."""
    numbers, holders, queue = set(), [], [os.path.realpath(f"{root}/sys/dev/block/{number}")]
    while queue:
        place = queue.pop()
        if read(place + "/dev") not in numbers | {""}:
            numbers.add(read(place + "/dev"))
            queue += [os.path.dirname(p) for p in glob.glob(glob.escape(place) + "/*/partition")]
            held = sorted(glob.glob(glob.escape(place) + "/holders/*"))
            holders += [read(h + "/dm/name") or os.path.basename(h) for h in held]
            queue += [os.path.realpath(h) for h in held]
    return numbers, holders


def number_of(path):
    """The number of the device at `path`, or of the one that the file there lies on."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def mounts_of(numbers, root=""):
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


def check_unused(path, number, unmount, write, root=""):
    """Return what must be unmounted. Raise No where the disk serves the running system or is in use."""

    def below(point, places):
        return any(point == place or point.startswith(place + "/") for place in places)

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


def open_disk(path, fingerprint, unmount=(), write=True):
    """The open descriptor of the disk at `path`, proven to be the confirmed one. Raises No.

    For writing it is opened exclusively: that fails while anything in the kernel uses the disk or a partition
    of it, and keeps it from being mounted meanwhile.
    """
    wanted, fd = dict(fingerprint, path=path), -1
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        number = check_identity(fd, wanted)
        points = check_unused(path, number, unmount, write)
        if write and ask_number(fd, BLKROGET, "I"):
            raise No("read-only", f"{path} is write-protected.")
        os.close(fd)
        for point in points:
            run = subprocess.run(["/bin/umount", "--", point], capture_output=True, timeout=40, check=False)
            if run.returncode:
                raise No(
                    "mounted", f"{point} cannot be unmounted: {run.stderr.decode(errors='replace')[:200]}"
                )
        fd = -1
        fd = os.open(path, os.O_DIRECT | os.O_CLOEXEC | (os.O_RDWR | os.O_EXCL if write else os.O_RDONLY))
        check_unused(path, check_identity(fd, wanted), (), write)
    except BaseException as error:
        if fd >= 0:
            os.close(fd)
        if isinstance(error, OSError):
            reference = ERRNOS.get(error.errno, "open-failed")
            raise No(reference, f"{path} cannot be opened: {error.strerror}.") from error
        raise
    return fd


def connect(path, environ):
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


def detach():
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
    os.chdir("/")
    for stream in (0, 1, 2, ready, done):  # closes the pipe's ends too
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)


def serve(sock, fd):
    """Empty the cache or read the partition table again, whenever asked, until the other side lets go."""
    sock.settimeout(None)
    for asked in iter(lambda: receive(sock), None):
        answer = {"ok": False, "message": "There is no such request.", "errno": 22}
        if asked.get("do") in ("flush", "reread"):
            try:
                fcntl.ioctl(fd, BLKFLSBUF if asked["do"] == "flush" else BLKRRPART, 0)
                answer = {"ok": True}
            except OSError as error:
                answer = {"ok": False, "message": str(error.strerror), "errno": error.errno}
        send(sock, answer)


def main(arguments):
    """Do one request. Return the exit code: 0 after a hand-over, 2 for wrong words, else as REFERENCES says."""
    if len(arguments) != 1:
        print("usage: opener.py SOCKET    (smartos-wizard starts this)", file=sys.stderr)
        return 2
    signal.alarm(120)
    sock = None
    try:
        sock = connect(arguments[0], os.environ)
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
        with contextlib.suppress(OSError, AttributeError):
            send(sock, {"ok": False, "reference": no.reference, "message": no.text})
        return 20 + REFERENCES.index(no.reference)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
