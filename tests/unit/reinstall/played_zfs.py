#!/usr/bin/python3 -S
# ruff: noqa: PTH103, PTH108, PTH110, PTH118, PTH119, PTH120, PTH123, PTH208
# It is started a hundred times, and pathlib takes as long as all the rest.
"""ZFS and SmartOS's commands as far as a backup uses them: each dataset and snapshot is a file in $STATE.

A stream has the first and last record of a true one, and between them the name and bytes of each dataset. Streams that
are no `-R` have a guid with each snapshot, and a receive of one that breaks off (`-s`) leaves a token to go on with.
"""

import json
import os
import struct
import sys
import zlib

STATE, ROOT = os.environ["STATE"], os.environ["ROOT"]
MAGIC = 0x2F5BACBAC


def path(name):
    return os.path.join(STATE, name.replace("/", "%"))


def exists(name):
    return os.path.exists(path(name))


def names():
    return sorted(each.replace("%", "/") for each in os.listdir(STATE))


def below(top):
    return [n for n in names() if "@" not in n and (n == top or n.startswith(top + "/"))]


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data)


def meta(name, **new):
    """What is known of a dataset or snapshot beside its bytes: guid, origin, token, properties, and when it was made."""
    place = os.path.join(os.path.dirname(STATE), "meta", name.replace("/", "%"))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    known = {}
    if os.path.exists(place):
        with open(place) as file:
            known = json.load(file)
    elif exists(name):
        known = {"guid": str(zlib.crc32(name.encode() + read(name)))}
    if new:
        known.update(new)
        with open(place, "w") as file:
            json.dump(known, file)
    return known


def forget(name):
    place = os.path.join(os.path.dirname(STATE), "meta", name.replace("/", "%"))
    if os.path.exists(place):
        os.unlink(place)


def marks(dataset):
    """Its snapshots, oldest first, with their guids."""
    found = [name for name in names() if name.startswith(dataset + "@")]
    return [(name, meta(name)["guid"]) for name in sorted(found, key=lambda n: (meta(n).get("txg", 0), n))]


def listed(top):
    if not exists(top):
        fail("does not exist")
    for name in below(top):
        known = meta(name)
        print(name, known.get("guid", "0"), known.get("origin", "-"), known.get("token") or "-", sep="\t")
    for name in below(top):
        for mark, guid in marks(name):
            print(mark, guid, "-", "-", sep="\t")


def pieces(args):
    """The snapshots that a send is of: (name, guid, guid it is based on, bytes to leave out)."""
    if "-t" in args:
        token = json.loads(bytes.fromhex(args[args.index("-t") + 1]))
        if not exists(token["name"]) or meta(token["name"])["guid"] != token["guid"]:
            fail("resume: used in the initial send no longer exists")
        return [(token["name"], token["guid"], token["from"], token["done"])]
    last = args[-1]
    if not exists(last):
        fail(f"{last} does not exist")
    if "-I" in args:
        found = marks(last.split("@")[0])
        order = [name for name, _ in found]
        first = order.index(last.split("@")[0] + args[args.index("-I") + 1])
        chain = found[first : order.index(last) + 1]
        return [(name, guid, chain[n][1], 0) for n, (name, guid) in enumerate(chain[1:])]
    base = meta(args[args.index("-i") + 1])["guid"] if "-i" in args else ""
    return [(last, meta(last)["guid"], base, 0)]


def send_pieces(args):
    out = sys.stdout.buffer
    chosen = pieces(args)
    out.write((struct.pack("<IIQQQIIQQ", 0, 0, MAGIC, 1, 0, 0, 0, 0, 0) + b"pieces").ljust(312, b"\0"))
    for name, guid, base, done in chosen:
        data = read(name)
        head = json.dumps(
            {"name": name, "guid": guid, "from": base, "done": done, "size": len(data)}
        ).encode()
        out.write(struct.pack("<I", len(head)) + head + data[done:])
    out.write(struct.pack("<I", 5).ljust(312, b"\0"))


def recv_pieces(args):
    target = args[-1]
    if "-A" in args:
        meta(target, token="")
        if not marks(target):
            os.unlink(path(target))
            forget(target)
        return
    stream = sys.stdin.buffer
    if len(stream.read(312)) < 312:
        fail("incomplete stream")
    while True:
        size = stream.read(4)
        if size == struct.pack("<I", 5) or len(size) < 4:
            break
        text = stream.read(struct.unpack("<I", size)[0])
        try:
            head = json.loads(text)
        except ValueError:
            break
        at = meta(target) if exists(target) else {}
        held = marks(target)
        resumed = bool(at.get("token"))
        if exists(target) and not resumed and (not held or held[-1][1] != head["from"]):
            fail(
                "destination exists"
                if not head["from"]
                else "most recent snapshot does not match incremental source"
            )
        origin = next((a.partition("=")[2] for a in args if a.startswith("origin=")), "")
        if not exists(target) and head["from"] and (not origin or meta(origin).get("guid") != head["from"]):
            fail("local origin for clone does not exist")
        if resumed and json.loads(bytes.fromhex(at["token"]))["done"] != head["done"]:
            fail("this is not where it broke off")
        begun = read(target)[: head["done"]] if resumed else b""
        if not exists(target):
            write(target, b"")
            meta(target, guid="7", **({"origin": origin} if origin else {}))
        came = stream.read(head["size"] - head["done"])
        write(target, begun + came)
        if len(begun + came) < head["size"]:
            token = {**{k: head[k] for k in ("name", "guid", "from")}, "done": len(begun + came)}
            meta(target, token=json.dumps(token).encode().hex())
            fail("checksum mismatch or incomplete stream")
        mark = target + "@" + head["name"].partition("@")[2]
        write(mark, begun + came)
        meta(mark, guid=head["guid"], txg=1 + max([meta(n).get("txg", 0) for n in names()] or [0]))
        meta(target, token="")
    if size != struct.pack("<I", 5):
        fail("incomplete stream")


def get(args):
    name = args[-1]
    if args[:2] == ["-Ho", "name"]:
        if not exists(name):
            fail("does not exist")
        print(name)
    elif "available" in args:
        if not exists(name):
            fail("does not exist")
        print(os.environ.get("FREE", "1000000000"))
    elif "-rHp" in args:
        for each in [n for n in names() if n.split("@")[0] in below(name)]:
            for what, value in sorted(meta(each).get("set", {}).items()):
                print(each, what, value, sep="\t")
    elif "value" in args:
        if not exists(name):
            fail("does not exist")
        print(meta(name).get("set", {}).get(args[args.index("value") + 1], "-"))


def put(name, settings):
    known = meta(name).get("set", {})
    known.update(dict(each.split("=", 1) for each in settings))
    meta(name, set=known)


def fail(words):
    sys.exit(f"cannot do it: {words}")


def send(args):
    dry = "-nP" in args
    top, _, mark = args[-1].partition("@")
    if not exists(args[-1]):
        fail(f"{args[-1]} does not exist")
    inside = [name for name in below(top) if exists(f"{name}@{mark}")]
    parts = [(name[len(top) :], read(f"{name}@{mark}")) for name in inside]
    parts += [
        (name[len(top) :], read(name)) for name in names() if "@" in name and name.split("@")[0] in inside
    ]
    if dry:
        print(f"size\t{sum(len(data) for _, data in parts)}")
        return
    out = sys.stdout.buffer
    out.write(
        (struct.pack("<IIQQQIIQQ", 0, 0, MAGIC, 2, 0, 0, 0, 0, 0) + args[-1].encode()).ljust(312, b"\0")
    )
    for name, data in parts:
        out.write(struct.pack("<II", len(name), len(data)) + name.encode() + data)
    out.write(struct.pack("<I", 5).ljust(312, b"\0"))


def recv(args):
    data = sys.stdin.buffer.read()
    if "-nvu" in args:
        return
    if exists(args[-1]):
        fail("destination exists")
    rest = data[312:]
    while len(rest) > 312:
        size, count = struct.unpack_from("<II", rest)
        name = args[-1] + rest[8 : 8 + size].decode()
        write(name, rest[8 + size : 8 + size + count])
        rest = rest[8 + size + count :]
    if rest[:4] != struct.pack("<I", 5):
        fail("incomplete stream")


def zfs(verb, args):
    if verb == "snapshot":
        for top, _, mark in (each.partition("@") for each in args[1:]):
            for name in below(top):
                write(f"{name}@{mark}", read(name))
                txg = 1 + max(meta(n).get("txg", 0) for n in names())
                meta(f"{name}@{mark}", guid=str(zlib.crc32(f"{name}@{mark} {txg}".encode())), txg=txg)
    elif verb == "destroy":
        top, at, mark = args[-1].partition("@")
        if not exists(args[-1]):
            fail("does not exist")
        gone = [
            n
            for n in names()
            if (n.split("@")[0] == top or n.startswith(top + "/")) and (not at or n.endswith(at + mark))
        ]
        for name in gone:
            os.unlink(path(name))
            forget(name)
    elif verb == "get":
        get(args)
    elif verb == "list":
        listed(args[-1])
    elif verb == "set":
        put(args[1], args[:1])
    elif verb == "create":
        if exists(args[-1]):
            fail("dataset already exists")
        write(args[-1], b"")
        put(args[-1], [each for each in args if "=" in each])
    elif verb == "send":
        (send if any(each.startswith("-R") for each in args) else send_pieces)(args)
    elif verb == "recv":
        (recv_pieces if "-s" in args or "-A" in args else recv)(args)


def vmadm(args):
    with open(os.path.join(ROOT, "etc/zones/index")) as file:
        known = [line.split(":")[0] for line in file]
    uuid = args[-1].rpartition("=")[2]
    found = uuid in known and os.path.exists(os.path.join(ROOT, "etc/zones", uuid + ".xml"))
    if args[0] == "get" and not found:
        fail("no such instance")
    if found:
        print(f'{{"uuid": "{uuid}"}}' if args[0] == "get" else uuid)


def main():
    name, args = os.path.basename(sys.argv[0]), sys.argv[1:]
    if name == "zfs":
        zfs(args[0], args[1:])
    elif name == "hostid":
        print("4d2a0001")
    elif name == "zpool":
        print(
            *[f"{n}\t{os.environ.get('GUID', '1111')}" for n in names() if "/" not in n and "@" not in n],
            sep="\n",
        )
    elif name == "vmadm":
        vmadm(args)
    elif name == "zonecfg":
        print("create -b")
    elif name == "imgadm":
        print("[]")


main()
