"""A boot program of a few dozen bytes that prints a line on the first serial port and on the screen.

It stands in for the SmartOS loader on make-believe images, so that a boot test can be tried without SmartOS.
"""

from __future__ import annotations

_ORIGIN = 0x7C00  # where a BIOS puts the first sector
_START = bytes.fromhex("fa31c08ed88ed0bc007cfbfcb8e30031d2cd14")  # segments, stack; COM1 at 9600 8n1
_EACH = bytes.fromhex("ac84c0741150b40ebb0700cd1058b40131d2cd14ebea")  # load, end?; to screen; to COM1
_HALT = bytes.fromhex("f4ebfd")


def boot_code(text: bytes) -> bytes:
    """Machine code for sector 0 that prints `text`. Raises ValueError where it is longer than 440 bytes."""
    place = _ORIGIN + len(_START) + 3 + len(_EACH) + len(_HALT)
    code = _START + b"\xbe" + place.to_bytes(2, "little") + _EACH + _HALT + text + b"\0"
    if len(code) > 440:
        raise ValueError("The text is too long for a boot sector.")
    return code
