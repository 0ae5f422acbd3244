"""A boot program of a few hundred bytes that prints a line on the first serial port and on the screen.

It stands in for the SmartOS loader on make-believe images, so that a boot test can be tried without SmartOS.
"""

from __future__ import annotations

_ORIGIN = 0x7C00
_CODE = bytes.fromhex(
    "fa 31c0 8ed8 8ed0 bc007c fb fc"  # cli; ds = ss = 0; sp = 0x7c00; sti; cld
    "be 0000"  # mov si, text (patched)
    "ac 84c0 742a"  # next: lodsb; test al, al; jz halt
    "50 b40e bb0700 cd10 58"  # push ax; teletype output by the BIOS; pop ax
    "b401 31d2 cd14"  # send al to COM1 by the BIOS
    "ebec"  # jmp next
)


def boot_code(text: bytes) -> bytes:
    """Machine code for the first 440 bytes of a disk, printing `text`. Raises ValueError where it is too long."""
    head = bytes.fromhex("fa31c08ed88ed0bc007cfbfc")  # cli; ds = ss = 0; sp = 0x7c00; sti; cld
    head += bytes.fromhex("b8e30031d2cd14")  # COM1 at 9600 baud, 8 data bits, no parity
    loop = (
        bytes.fromhex("ac84c07411") + bytes.fromhex("50b40ebb0700cd1058") + bytes.fromhex("b40131d2cd14ebe8")
    )
    code = b""
    place = _ORIGIN + len(head) + 3 + len(loop) + 3
    code = head + b"\xbe" + place.to_bytes(2, "little") + loop + bytes.fromhex("f4ebfd") + text + b"\0"
    if len(code) > 440:
        raise ValueError("The text is too long for a boot sector.")
    return code
