"""GRUB in the loader's place on a make-believe key, a small kernel in SmartOS' place, and what that kernel was told."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from smartos_wizard.media.machine import PROGRAM, Qmp
from smartos_wizard.practice import gpt
from smartos_wizard.practice.image import build_usb_image
from tests.lab.rig import parts
from tests.lab.rig.bootreport import CONSOLES, Heard
from tests.lab.rig.loader import KERNEL, Loader

SOURCES = Path(__file__).parent / "kernel32"
GRUB = Path("/usr/lib/grub/i386-pc")
MODULES = (
    "biosdisk part_gpt part_msdos fat normal configfile legacycfg multiboot serial terminal echo halt test"
)
GCC = ["gcc", "-m32", "-march=i386", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static",
        "-fno-pic", "-no-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mgeneral-regs-only",
        "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"]  # fmt: skip


def need() -> None:
    """What this rig is made with."""
    parts.need_programs([PROGRAM, "gcc", "ld", "grub-mkimage", "mcopy", "mmd", "mdir"])
    parts.need_files([str(GRUB / "legacycfg.mod"), str(GRUB / "multiboot.mod")])


def kernel(place: Path) -> bytes:
    """The kernel that tells what it was told."""
    path = place / "unix"
    sources = [str(SOURCES / name) for name in ("start.S", "kernel.c")]
    _run([*GCC, f"-Wl,-T,{SOURCES}/kernel.ld", "-o", str(path), *sources])
    return path.read_bytes()


class BootKey:
    """An image on which GRUB stands where the loader stands on a real key."""

    def __init__(self, path: Path, *, legacy: bool = False) -> None:
        self.path, self.legacy = path, legacy
        self.root = "(hd0,msdos1)" if legacy else "(hd0,gpt3)"
        self._root_at = gpt.LEGACY_START * gpt.SECTOR if legacy else gpt.ROOT.offset

    def install_grub(self) -> None:
        """Put GRUB in: where the loader's first stages stand, and its own settings where the loader has none."""
        place = self.path.parent
        core, first, early = place / "core.img", place / "first.bin", place / "early.cfg"
        early.write_text(f"terminal_output console\nconfigfile {self.root}/lab/grub.cfg\n")
        _run(
            [
                "grub-mkimage",
                "-O",
                "i386-pc",
                "-o",
                str(core),
                "-p",
                "/lab",
                "-c",
                str(early),
                *MODULES.split(),
            ]
        )
        at = 1 if self.legacy else gpt.BOOT.first
        _run(
            [
                *GCC,
                f"-DCORE={at}",
                "-Wl,--oformat=binary",
                "-Wl,-Ttext=0",
                "-o",
                str(first),
                f"{SOURCES}/first.S",
            ]
        )
        code, image = first.read_bytes(), bytearray(core.read_bytes())
        assert len(code) < 0xFA
        image[500:508] = (at + 1).to_bytes(8, "little")  # diskboot.img: where the rest of the image lies
        assert len(image) < (gpt.LEGACY_START - 1 if self.legacy else gpt.BOOT.sectors) * gpt.SECTOR
        with self.path.open("r+b") as file:
            facts = file.read(0x40)[0x3E:0x40] if self.legacy else b"\0\0"
            file.seek(0)
            file.write(code[:0x3E] + facts + code[0x40:])
            file.seek(at * gpt.SECTOR)
            file.write(image)

    def install_grub_for_uefi(self) -> None:
        """Put GRUB in where UEFI looks for the loader; its settings are those of the other one."""
        program, early = self.path.parent / "bootx64.efi", self.path.parent / "early.cfg"
        modules = [name for name in MODULES.split() if name not in ("biosdisk", "legacycfg")]
        early.write_text(f"configfile {self.root}/lab/grub.cfg\n")
        _run(
            ["grub-mkimage", "-O", "x86_64-efi", "-o", str(program), "-p", "/lab", "-c", str(early), *modules]
        )
        self._mtools("mcopy", "-o", str(program), "::/efi/boot/bootx64.efi", at=gpt.LOADER.offset)

    def read(self, path: str) -> bytes | None:
        """A file of the key's root, read by mtools; None where there is none."""
        done = self._mtools("mcopy", f"::{path}", "-", check=False)
        return done.stdout if done.returncode == 0 else None

    def text(self, path: str) -> str | None:
        """The same as text."""
        data = self.read(path)
        return None if data is None else data.decode()

    def put(self, path: str, data: bytes) -> None:
        """A file into the key's root, by mtools."""
        parents = path.strip("/").split("/")[:-1]
        for i in range(len(parents)):
            self._mtools("mmd", "::/" + "/".join(parents[: i + 1]), check=False)
        self._mtools("mcopy", "-o", "-", f"::/{path.strip('/')}", data=data)

    def names(self, folder: str) -> list[str]:
        """The paths of the files in a folder of the key's root."""
        done = self._mtools("mdir", "-b", f"::{folder}", check=False)
        return (
            [line.removeprefix("::") for line in done.stdout.decode().splitlines()]
            if not done.returncode
            else []
        )

    def _mtools(
        self, program: str, *words: str, data: bytes | None = None, check: bool = True, at: int | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        head = [program, "-i", f"{self.path}@@{self._root_at if at is None else at}"]
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
        return _run([*head, *words], data=data, check=check, environment=environment)

    def loaded(self) -> Loader:
        """What the loader would make of what lies on the key now."""
        return Loader().start(self.read, self.names("/boot/conf.d"))

    def say_to_grub(self, script: str) -> None:
        """GRUB's settings: what it does when this key is started."""
        self.put("lab/grub.cfg", script.encode())

    def act_as_loader(self) -> Loader:
        """Have GRUB do what the loader would do with what lies on the key now."""
        loader = self.loaded()
        self.put("lab/environment", loader.handed_over())
        files = [*loader.files(), ("/lab/environment", "type=environment")]
        lines = [f"set root={self.root}", f"multiboot {KERNEL} {_quoted(loader.kernel_line())}"]
        lines += [f"module --nounzip '{path}' {_quoted(f'{path} {words}')}" for path, words in files]
        self.say_to_grub("\n".join([*lines, "boot\n"]))
        return loader

    def boot(self) -> Heard:
        """Start it by BIOS."""
        key = ["-device", "qemu-xhci", "-device", "usb-storage,drive=key,bootindex=0"]
        key += ["-drive", f"if=none,id=key,file={self.path},format=raw,snapshot=on"]
        return started(self.path.with_suffix(".run"), key)


def started(place: Path, media: list[str], patience: float = 60) -> Heard:
    """Start a machine with four serial ports and a screen, until the kernel ends it or patience does."""
    place.mkdir(exist_ok=True)
    logs = {name: place / name for name in (*CONSOLES, "text")}
    words = [
        PROGRAM,
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "q35,accel=tcg",
        "-m",
        "256",
    ]
    words += ["-vga", "std", "-net", "none", "-no-reboot", "-debugcon", f"file:{logs['text']}"]
    for name in CONSOLES:
        words += ["-serial", f"file:{logs[name]}"]
    words += [
        "-device",
        "isa-debug-exit,iobase=0xf4,iosize=1",
        "-qmp",
        f"unix:{place}/qmp,server=on,wait=off",
    ]
    with subprocess.Popen([*words, *media], stdin=subprocess.DEVNULL) as process:
        screen = ""
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            code, screen = None, _screen(place)
        finally:
            process.kill()
    return Heard({name: path.read_text("latin-1") for name, path in logs.items()}, code, screen)


def built(place: Path, *, legacy: bool = False, extra: Mapping[str, bytes] | None = None) -> BootKey:
    """A key as it is released, but for GRUB in the loader's place and the small kernel in SmartOS'."""
    need()
    place.mkdir()
    files = {KERNEL.strip("/"): kernel(place), **(extra or {})}
    path = place / "key.img"
    build_usb_image(path, "20260101T000000Z", boot_archive_size=1 << 20, legacy=legacy, extra=files)
    key = BootKey(path, legacy=legacy)
    key.install_grub()
    return key


@contextmanager
def copied(key: BootKey) -> Iterator[BootKey]:
    """A copy of a key, for one test."""
    path = key.path.with_name("copy.img")
    _run(["cp", "--sparse=always", str(key.path), str(path)])
    yield BootKey(path, legacy=key.legacy)
    path.unlink()


def _screen(place: Path) -> str:
    """The letters on the screen of a machine that does not go on."""
    qmp, picture = Qmp(place / "qmp"), place / "screen"
    qmp.ask("pmemsave", val=0xB8000, size=4000, filename=str(picture))
    qmp.close()
    time.sleep(0.2)
    letters = picture.read_bytes()[::2].decode("cp437", "replace")
    return "\n".join(letters[i : i + 80].rstrip(" \0") for i in range(0, len(letters), 80))


def _quoted(line: str) -> str:
    """Words for GRUB's shell, which drops these quotes and puts no variables in."""
    assert "'" not in line, "GRUB would hand a backslash to the kernel with it"
    return " ".join(f"'{word}'" for word in line.split())


def _run(
    words: list[str],
    *,
    data: bytes | None = None,
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(words, input=data, capture_output=True, check=False, timeout=120, env=environment)
    assert not check or done.returncode == 0, (words, done.stderr.decode(errors="replace"))
    return done
