"""The answers form without a screen: which keys matter, what stands beside them, what setup will do. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from smartos_wizard.boot.answers_check import Finding, check_answers, stops, trap_warnings
from smartos_wizard.boot.answers_make import begin
from smartos_wizard.boot.answers_network import address, netmask, prefix_length
from smartos_wizard.boot.answers_schema import BY_NAME, KEYS, AnswerKey, Kind, start
from smartos_wizard.boot.answers_script import Does, does
from smartos_wizard.boot.answers_traps import unattended
from smartos_wizard.screens.options_list import Offer, Option

HOW, ADDRESS = "how", "address"
MADE = (
    Option(
        HOW,
        "Setup",
        "",
        "Whether somebody is at the machine. By itself: every machine started with this key is set up without a "
        "question, and all its fixed disks are erased.",
        (
            Offer("", "somebody is there", "Setup asks for consent before it erases anything."),
            Offer("alone", "runs by itself", "No question before all fixed disks of the machine are erased."),
        ),
    ),
    Option(
        ADDRESS,
        "Address",
        "",
        "Where the machine's address comes from: the network (DHCP), this form, or whoever stands at the machine.",
        (
            Offer("dhcp", "from DHCP", "The network gives address, netmask and router."),
            Offer("fixed", "fixed", "Address, netmask and gateway are given here."),
            Offer("", "setup asks", "Whoever stands at the machine gives it."),
        ),
    ),
)
"""Two questions that stand for several keys."""
_FIXED = ("admin_ip", "admin_netmask", "headnode_default_gateway")
_FIRST = (
    "admin_nic", "dns_resolver1", "dns_resolver2", "dns_search", "ntp_host", "root_password", "hostname",
)  # fmt: skip
_TURNED = (Kind.FLAG, Kind.ANY, Kind.LAYOUT, Kind.CONFIRM, Kind.YES_NO)
TITLES = {
    "config_console": "Go on unasked", "skip_instructions": "No explanations", "simple_headers": "Short headings",
    "admin_nic": "Network card", "admin_ip": "IP address", "headnode_default_gateway": "Gateway",
    "dns_resolver1": "Name server 1", "dns_resolver2": "Name server 2", "skip_ntp_check": "Skip time check",
    "zpool_layout": "Layout label", "zpool_confirm_layout": "Accept layout", "bootpool": "Boot from pool",
    "pisource": "SmartOS from", "install_pkgsrc": "Install pkgsrc", "skip_final_summary": "No summary",
    "skip_final_confirm": "Erase unasked",
}  # fmt: skip
"""Names that fit beside a field; other keys have a title short enough."""
_EXAMPLES = {
    "admin_nic": "52:54:00:2f:61:34", "admin_ip": "192.168.1.10/24", "admin_netmask": "255.255.255.0",
    "headnode_default_gateway": "192.168.1.1", "dns_resolver1": "8.8.8.8", "dns_resolver2": "8.8.4.4",
    "dns_search": "example.com", "ntp_host": "time.example.com", "hostname": "smartos1", "bootpool": "none, zones",
    "pisource": "media, latest",
}  # fmt: skip
_TRAP_AT = {
    "silent-wait": "config_console", "console-matters": "config_console", "layout-not-honoured": "zpool_layout",
    "layout-is-a-label": "zpool_layout", "erases-unasked": HOW, "clear-password": "root_password",
    "internet-for-install-pkgsrc": "install_pkgsrc", "no-internet-for-install-pkgsrc": "install_pkgsrc",
    "internet-for-pisource": "pisource", "no-internet-for-pisource": "pisource", "needs-medium": "pisource",
    "no-internet-for-time": "ntp_host",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """What is to say of one row: a few words, all of it, and how bad it is (`error`, `warning`, or nothing)."""

    short: str = ""
    long: str = ""
    level: str = ""


def title(key: AnswerKey) -> str:
    """The key's name on the form."""
    return TITLES.get(key.name, key.title)


def example(name: str) -> str:
    """What is shown in an empty field."""
    return f"e.g. {_EXAMPLES[name]}" if name in _EXAMPLES else ""


def offers(key: AnswerKey, value: str) -> tuple[Offer, ...]:
    """The values to turn through; empty where the key is typed. The present value is always among them."""
    if key.kind not in _TURNED:
        return ()
    gap = Offer("", "left to setup", key.asked)
    found = [gap, *(Offer(c, c) for c in key.choices)]
    if value and value not in key.choices:
        found.append(Offer(value, value, "As it was loaded."))
    return tuple(found)


def how_of(answers: Mapping[str, str]) -> str:
    """What stands in the row `how`."""
    return "alone" if unattended(answers) else ""


def address_of(answers: Mapping[str, str]) -> str:
    """What stands in the row `address`."""
    given = answers.get("admin_ip", "")
    return "dhcp" if given == "dhcp" else "fixed" if given or "admin_netmask" in answers else ""


def put_how(answers: Mapping[str, str], value: str) -> dict[str, str]:
    """The answers for a setup that runs by itself, or with somebody there."""
    if value:
        ready = begin(answers, unattended=True)
        if address_of(answers) == "fixed":  # a router that was not given yet is asked for, not taken for none
            ready = {k: v for k, v in ready.items() if k not in _FIXED or k in answers}
        return ready
    return {k: v for k, v in answers.items() if k not in ("zpool_confirm_layout", "skip_final_confirm")}


def put_address(answers: Mapping[str, str], value: str) -> dict[str, str]:
    """The answers with an address from there."""
    rest = {k: v for k, v in answers.items() if k not in _FIXED}
    match value:
        case "dhcp":
            return rest | {"admin_ip": "dhcp", "headnode_default_gateway": "none"}
        case "fixed":
            return rest | {"admin_netmask": answers.get("admin_netmask", BY_NAME["admin_netmask"].default)}
        case _:
            return rest


def put_key(answers: Mapping[str, str], name: str, text: str) -> dict[str, str]:
    """The answers with one key as typed; nothing typed leaves the key to setup.

    An address with a prefix, 192.168.1.10/24, gives the netmask too.
    """
    words = text if BY_NAME[name].secret else text.strip()
    if not words:
        return {k: v for k, v in answers.items() if k != name}
    ip, slash, rest = words.partition("/")
    length = prefix_length(rest) if slash else None
    if name == "admin_ip" and address(ip) is not None and length is not None:
        return {**answers, "admin_ip": ip, "admin_netmask": netmask(length)}
    return {**answers, name: words}


def matters(name: str, answers: Mapping[str, str], beside: Mapping[str, Beside], *, every: bool) -> bool:
    """Whether a key is shown: those that most people decide, and those with something set or wrong."""
    fixed = address_of(answers) == "fixed"
    if every or name in _FIRST or (name in _FIXED and fixed):
        return True
    if beside.get(name, Beside()).level:
        return True
    given = answers.get(name, "")
    usual = (start().get(name), start(unattended=True).get(name))
    return bool(given) and given not in usual and name not in _FIXED


def beside_all(answers: Mapping[str, str], *, console_set: bool) -> dict[str, Beside]:
    """What is to say of each row, by its name."""
    found: dict[str, Beside] = {}
    for trap in trap_warnings(answers, console_set=console_set):
        name = _TRAP_AT.get(trap.reference)
        if name is not None and name not in found:
            level = "warning" if trap.level == "warning" or name == HOW else ""
            found[name] = Beside(_SHORT.get(trap.reference, ""), trap.text, level)
    for finding in check_answers(answers):
        known = found.get(finding.key)
        if known is None or known.level != "error":
            found[finding.key] = _said(finding, answers.get(finding.key, ""))
    for key in KEYS:
        if key.name not in found or not found[key.name].short:
            words = _left(key, answers)
            if words:
                found[key.name] = Beside(words, found.get(key.name, Beside()).long)
    return found


_SHORT = {
    "erases-unasked": "erases all fixed disks",
    "clear-password": "clear text on the key",
    "layout-not-honoured": "only a label",
    "silent-wait": "setup waits in silence",
}


def _said(finding: Finding, value: str) -> Beside:
    words = finding.text.removeprefix(f"{finding.key}: ").removeprefix(f"{value} ")
    more = f" Meant is perhaps {finding.suggestion}." if finding.suggestion else ""
    return Beside(words, finding.text + more, finding.level if finding.level != "info" else "")


def _left(key: AnswerKey, answers: Mapping[str, str]) -> str:
    match does(key.name, answers):
        case Does.ASKS:
            return "asked, if several" if key.name == "admin_nic" else "setup asks"
        case Does.WAITS:
            return "setup waits"
        case Does.SHELL:
            return "setup opens a shell"
        case Does.SKIPS if key.name in ("admin_netmask", "pisource"):
            return "not read"
        case _:
            return ""


def stop_line(answers: Mapping[str, str]) -> str:
    """Where setup will stop, as a sentence."""
    found = [stop.text for stop in stops(answers) if not stop.maybe]
    if not found:
        return "Setup will not stop: nobody has to be there."
    asks = [w.removeprefix("ask for ") for w in found if w.startswith("ask for ")]
    rest = [w for w in found if not w.startswith("ask for ")]
    parts = ([f"ask for {_joined(asks)}"] if asks else []) + rest
    return f"Setup will stop and {'; '.join(parts)}."


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def fitting(words: str, width: int, lines: int, tail: str) -> str:
    """`words` in so many lines of `width` cells; what does not fit is cut, and `tail` says where the rest is."""
    wrapped = textwrap.wrap(words, max(20, width))
    if len(wrapped) <= lines:
        return "\n".join(wrapped)
    kept = wrapped[:lines]
    last = textwrap.shorten(kept[-1], max(20, width) - len(tail), placeholder="")
    return "\n".join([*kept[:-1], f"{last} {tail}" if len(last) + len(tail) < width else f"{last}{tail}"])
