"""A program of 108 bytes that a BIOS starts from a key or a CD, and the media with it on.

It tries to write to what it was started from, says its word on the first serial port, answers each letter with the
same letter in the other case, and, where it `obeys`, switches the machine off when its button is pressed (ACPI as
SeaBIOS sets it up on q35: PM block at 0x600). Assembled by GNU as from:

    xor ax,ax; mov ds,ax; mov ss,ax; mov sp,0x7c00; cld; sti
    mov si,dap; mov ax,0x4300; int 0x13                     write a sector of the medium, if that can be done
    mov si,text; print: lodsb; test al,al; jz ready; call put; jmp print
    ready: mov dx,0x602; mov ax,0x100; out dx,ax            the button makes a status
    idle: hlt; mov dx,0x3fd; in al,dx; test al,1; jz nokey; mov dx,0x3f8; in al,dx; xor al,0x20; call put
    nokey: mov dx,0x600; in ax,dx; test ah,1; jz idle       (deaf: jmp idle)
    mov dx,0x604; mov ax,0x2000; out dx,ax; jmp idle        off
    put: mov ah,al; mov dx,0x3fd; wait: in al,dx; test al,0x20; jz wait; mov al,ah; mov dx,0x3f8; out dx,al; ret
    dap: .byte 16,0; .word 1,0x7c00,0; .quad 3; text:
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.practice.image import build_iso
from tests.lab.rig import fatkey

WORD = "SmartOS Setup"
SAYS = f"SmartOS (build: test)\r\n{WORD}\r\nlogin: "
_CODE = bytes.fromhex(
    "31c08ed88ed0bc007cfcfbbe5c7cb80043cd13be6c7cac84c07405e82d00ebf6ba0206b80001eff4bafd03eca8017409"
    "baf803ec3420e81200ba0006edf6c40174e5ba0406b80020efebdc88c4bafd03eca82074fb88e0baf803eec31000010000"
    "7c00000300000000000000"
)
_DEAF_AT = 0x40
_ROOM = 0xFA
"""Bytes of sector 0 before the version of a key."""


@dataclass(frozen=True, slots=True)
class Media:
    """The same program on a packed USB image and on an ISO, with their digests."""

    image: Path
    iso: Path

    @property
    def before(self) -> dict[Path, str]:
        """What their bytes are."""
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.image, self.iso)}


def program(*, obeys: bool = True) -> bytes:
    """Code and text; `obeys` is whether the power button switches it off."""
    code = bytearray(_CODE)
    if not obeys:
        code[_DEAF_AT] = 0xEB
    whole = bytes(code) + SAYS.encode() + b"\0"
    assert len(whole) <= _ROOM, len(whole)
    return whole


def build(place: Path, name: str, *, obeys: bool = True) -> Media:
    """Small media: a key of 39 MiB with every file of a release, and an ISO."""
    code = program(obeys=obeys)
    key = fatkey.small_key(place / f"{name}.img")
    with key.path.open("r+b") as file:
        file.write(code)
        file.seek(510)
        file.write(b"\x55\xaa")
    packed = place / f"smartos-{fatkey.STAMP}-{name}-USB.img.gz"
    packed.write_bytes(gzip.compress(key.path.read_bytes(), 1, mtime=0))
    key.path.unlink()
    iso = build_iso(
        place / f"smartos-{fatkey.STAMP}-{name}.iso",
        fatkey.STAMP,
        boot_archive_size=64 << 10,
        boot_code=code,
    )
    return Media(packed, iso)
