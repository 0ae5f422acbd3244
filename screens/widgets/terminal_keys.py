"""Keys as a VT100 sends them."""

from __future__ import annotations

_PLAIN = {
    "enter": b"\r", "tab": b"\t", "shift+tab": b"\x1b[Z", "escape": b"\x1b", "backspace": b"\x7f", "delete": b"\x1b[3~",
    "insert": b"\x1b[2~", "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "ctrl+at": b"\x00", "ctrl+space": b"\x00",
    "ctrl+left_square_bracket": b"\x1b", "ctrl+backslash": b"\x1c", "ctrl+circumflex_accent": b"\x1e",
    "ctrl+underscore": b"\x1f", "ctrl+slash": b"\x1f", "ctrl+h": b"\x08",
    "f5": b"\x1b[15~", "f6": b"\x1b[17~", "f7": b"\x1b[18~", "f8": b"\x1b[19~", "f9": b"\x1b[20~", "f11": b"\x1b[23~",
    "f12": b"\x1b[24~",
}  # fmt: skip
_CURSOR = {"up": b"A", "down": b"B", "right": b"C", "left": b"D", "home": b"H", "end": b"F"}


def bytes_for(key: str, character: str | None, *, application: bool = False) -> bytes:
    """What a terminal sends for a key; nothing for one it does not know. `application`: the mode of cursor keys."""
    if key in _PLAIN:
        return _PLAIN[key]
    if key in _CURSOR:
        return (b"\x1bO" if application else b"\x1b[") + _CURSOR[key]
    if key.startswith("ctrl+") and len(key) == 6 and key[5].isalpha():
        return bytes([ord(key[5].lower()) - 96])
    if key.startswith("alt+") and len(key) == 5:
        return b"\x1b" + key[4].encode()
    if character and character.isprintable():
        return character.encode()
    return b""


def bytes_of_paste(words: str) -> bytes:
    """Pasted words as if typed: lines end with Enter, nothing else that is not printable gets through."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\r".join("".join(c for c in line if c.isprintable() or c == "\t") for line in lines).encode()
