"""Builds answers from what a person says: addresses with a prefix, lists of servers, unattended or not. Pure.

Raises UsageProblem where the words cannot be an answer at all; whether the answers fit together is checked later.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartos_wizard.boot.answers_keys import meant
from smartos_wizard.boot.answers_network import address, mac_suggestion, netmask, prefix_length
from smartos_wizard.boot.answers_schema import BY_NAME, SECRETS, start
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

_UNATTENDED = ("config_console", "skip_instructions", "zpool_confirm_layout", "skip_final_confirm")
"""The answers without which setup always stops, and which are the same for everybody."""


def begin(existing: Mapping[str, str] | None, *, unattended: bool) -> dict[str, str]:
    """The answers to begin with: those of an existing file, or sane defaults.

    `unattended` fills the gaps of an existing file with defaults and answers what would stop setup.
    """
    if existing is None:
        return start(unattended=unattended)
    if not unattended:
        return dict(existing)
    ready = start(unattended=True)
    return ready | dict(existing) | {name: ready[name] for name in _UNATTENDED}


def put_ip(answers: dict[str, str], words: str, *, gateway: str = "") -> None:
    """Set the address from `dhcp`, `ADDRESS/PREFIX` or `ADDRESS`, and what hangs on it.

    With dhcp the netmask goes and the gateway is none. With an address and no gateway given, a gateway of none
    goes too, so that setup asks rather than cut the machine off in silence.
    """
    if words == "dhcp":
        answers["admin_ip"] = "dhcp"
        answers.pop("admin_netmask", None)
        answers["headnode_default_gateway"] = gateway or "none"
        return
    ip, slash, rest = words.partition("/")
    length = prefix_length(rest)
    if address(ip) is None or (slash and length is None):
        raise UsageProblem(
            "bad-address",
            f"{tame(words)} is neither dhcp nor an address with a prefix.",
            hint="For example: --ip dhcp, or --ip 192.168.1.10/24 --gateway 192.168.1.1",
        )
    answers["admin_ip"] = ip
    if length is not None:
        answers["admin_netmask"] = netmask(length)
    else:
        answers.setdefault("admin_netmask", BY_NAME["admin_netmask"].default)
    if gateway:
        answers["headnode_default_gateway"] = gateway
    elif answers.get("headnode_default_gateway") == "none":
        del answers["headnode_default_gateway"]


def put_servers(answers: dict[str, str], servers: tuple[str, ...]) -> None:
    """Set the name servers from one or two addresses; one is used for both, since setup insists on two."""
    given = tuple(part for words in servers for part in words.replace(",", " ").split())
    if not 1 <= len(given) <= 2:
        raise UsageProblem(
            "name-servers", "Setup takes one or two name servers.", hint="--dns 192.168.1.1 --dns 1.1.1.1"
        )
    answers["dns_resolver1"], answers["dns_resolver2"] = given[0], given[-1]


def put_nic(answers: dict[str, str], words: str) -> None:
    """Set the network card from a MAC address in any spelling."""
    mac = mac_suggestion(words)
    if not mac:
        raise UsageProblem("bad-mac", f"{tame(words)} is not a MAC address.", hint="--nic 52:54:00:2f:61:34")
    answers["admin_nic"] = mac


def put_pair(answers: dict[str, str], words: str) -> None:
    """Set one answer from `KEY=VALUE`. Secrets are refused: other users see a command line, and shells keep it."""
    name, equals, value = words.partition("=")
    if not equals or not name:
        raise UsageProblem("bad-pair", "--set wants KEY=VALUE.", hint="For example: --set bootpool=zones")
    known(name)
    if name in SECRETS:
        raise UsageProblem(
            "secret-on-the-command-line",
            f"{name} does not belong on a command line: other users see it, and the shell remembers it.",
            hint="Use --root-password-prompt, --root-password-file FILE or --one-time-password.",
        )
    answers[name] = value


def known(name: str) -> None:
    """Raise UsageProblem `unknown-key`, with what was probably meant, for a key that setup does not read."""
    if name in BY_NAME:
        return
    better, why = meant(name)
    hint = (
        f"{better} is meant? {why[:1].upper()}{why[1:]}."
        if better
        else f"The keys are: {', '.join(BY_NAME)}."
    )
    raise UsageProblem("unknown-key", f"Setup does not know the key {tame(name)}.", hint=hint)
