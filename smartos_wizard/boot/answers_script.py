"""How SmartOS's setup reads an answers file, as pure functions: the rules by which everything here is judged.

From smartos-live: src/smartdc/lib/smartos_prompt_config.sh (getanswer, promptval, promptopt, promptnet,
prompt_host_ok_val, promptnic, promptpw, promptpool and the main loop). Imports only the nouns of the answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from smartos_wizard.boot.answers_schema import BY_NAME, DEFAULT, Kind

YES_WORDS = ("y", "yes", "true")
CANONICAL_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_ECHO_OPTION = re.compile(r"-[neE]+")


class Does(StrEnum):
    """What setup does about one key."""

    USES = "uses"
    ASKS = "asks"
    WAITS = "waits"
    LOOPS = "loops"
    SHELL = "shell"
    SKIPS = "skips"


def as_read(value: str) -> str:
    """The text that setup gets for a value.

    Ends of line at the end fall away and NUL characters too (command substitution); what looks like an option of
    `echo` (`-n`, `-e`) vanishes, because the script prints the answer with a bare echo.
    """
    text = value.replace("\0", "").rstrip("\n")
    return "" if _ECHO_OPTION.fullmatch(text) else text


def is_net(text: str) -> bool:
    """The script's own idea of a network number: four fields of digits, the first three at most 255.

    The last field has no upper limit, and what comes after a fourth dot is not looked at.
    """
    fields = text.split(".")
    if len(fields) < 4 or not all(re.fullmatch(r"[0-9]+", field) for field in fields[:4]):
        return False
    return all(len(f.lstrip("0")) <= 3 and int(f[-3:]) <= 255 for f in fields[:3])


def value_of(name: str, answers: Mapping[str, str]) -> str | None:
    """The value setup goes on with for the key `name`, its own default included; None where it has to ask.

    Says nothing of whether the key is read at all: see `does`.
    """
    key = BY_NAME[name]
    given = answers.get(name)
    if given is None:
        return None
    value = as_read(given)
    if value == DEFAULT and key.has_default:
        value = key.default
    match key.kind:
        case Kind.ADDRESS | Kind.NETMASK | Kind.GATEWAY:
            return value if value in ("none", "dhcp") or is_net(value) else None
        case Kind.MAC:
            return value if CANONICAL_MAC.fullmatch(value) else None
        case Kind.POOL | Kind.SOURCE | Kind.HOSTNAME | Kind.FLAG | Kind.LAYOUT:
            return value  # an empty answer counts as one here
        case _:
            return value or None


def on(name: str, answers: Mapping[str, str]) -> bool:
    """Whether a flag is on: exactly the word `true`."""
    return as_read(answers.get(name, "")) == "true"


def is_static(answers: Mapping[str, str]) -> bool:
    """Whether setup takes the path of a fixed address: admin_ip is usable and not dhcp (`none` counts as one)."""
    ip = value_of("admin_ip", answers)
    return ip is not None and ip != "dhcp"


def wants_pkgsrc(answers: Mapping[str, str]) -> bool:
    """Whether pkgsrc will be installed: y, yes or true in any case."""
    return (value_of("install_pkgsrc", answers) or "").lower() in YES_WORDS


def boots_from_pool(answers: Mapping[str, str]) -> bool:
    """Whether setup will make a pool bootable: any answer but `none`, the empty one included."""
    pool = value_of("bootpool", answers)
    return pool is not None and pool != "none"


def does(name: str, answers: Mapping[str, str]) -> Does:
    """What setup does when it comes to the key `name`."""
    value = value_of(name, answers)
    match name:
        case "config_console":
            return Does.USES if value else Does.WAITS
        case "skip_instructions" | "skip_final_confirm":
            return Does.USES if on(name, answers) else Does.WAITS
        case "simple_headers" | "skip_ntp_check" | "skip_final_summary" | "zpool_layout":
            return Does.USES if value is not None else Does.SKIPS
        case "admin_netmask" if not is_static(answers):
            return Does.SKIPS
        case "pisource" if not boots_from_pool(answers):
            return Does.SKIPS
        case "zpool_confirm_layout" if value is not None and value != "yes":
            return Does.SHELL if value == "manual" else Does.LOOPS
        case "admin_ip" if _asks_itself_for_ever(answers):
            return Does.LOOPS
    return Does.USES if value is not None else Does.ASKS


def _asks_itself_for_ever(answers: Mapping[str, str]) -> bool:
    """Whether address and netmask make the loop that only ends when the address is not the broadcast address."""
    ip, mask = value_of("admin_ip", answers), value_of("admin_netmask", answers)
    if ip is None or mask is None or not (is_net(ip) and is_net(mask)):
        return False
    address, net = number(ip), number(mask)
    if address is None or net is None:
        return False
    return address == (net & address) + (~net & 0xFFFFFFFF)


def number(text: str) -> int | None:
    """An address as the script's arithmetic makes it of the four fields; None where that arithmetic fails.

    The shell reads a field with a leading zero as octal, and 08 or 09 not at all.
    """
    try:
        a, b, c, d = (int(f, 8) if f.startswith("0") else int(f) for f in text.split(".")[:4])
    except ValueError:
        return None
    return (a << 24) + (b << 16) + (c << 8) + d
