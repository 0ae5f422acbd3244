"""Run as an ordinary user by /usr/bin/python3: opens a disk as the program does and obeys lines from stdin.

argv: directory of the program, home, target as JSON, `write` or `read`. Prints one JSON object per line.
"""

import json
import mmap
import os
import sys

sys.path.insert(0, sys.argv[1])

from pathlib import Path

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.paths import below
from smartos_wizard.media.as_json import target_from_json
from smartos_wizard.media.opening import SystemOpener

MIB = 1 << 20


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


def main() -> None:
    chief = SystemOpener(below(Path(sys.argv[2])), patience=20)
    try:
        device = chief.open(
            target_from_json(json.loads(sys.argv[3])),
            write=sys.argv[4] == "write",
            notify=lambda reference, data: say(note=reference, **data),
        )
    except WizardError as error:
        say(**error.report().to_json())
        return
    say(opened=type(device).__name__, size=device.size, uid=os.getuid(), diskseq=device.fingerprint().diskseq)
    block = mmap.mmap(-1, MIB)
    block[:] = bytes(range(256)) * (MIB // 256)
    for line in sys.stdin:
        try:
            match line.split():
                case ["write", count]:
                    for number in range(int(count)):
                        if device.pwrite(memoryview(block), number * MIB) != MIB:
                            say(short=number)
                    device.sync()
                case ["read", at]:
                    into = mmap.mmap(-1, 4096)
                    device.pread(memoryview(into), int(at))
                    say(head=into[:8].hex())
                case ["flush"]:
                    device._helper.ask("flush")
                case ["drop"]:
                    device.drop_cache()
                case ["reread"]:
                    device.reread_partitions()
            say(did=line.split()[0])
        except OSError as error:
            say(failed=line.split()[0], errno=error.errno)
    device.close()


main()
