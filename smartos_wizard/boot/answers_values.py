"""Are the answers other than the network's such that setup does what they say? Pure.

Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh. What setup writes to /usbkey/config is read by bash
at every start, unquoted, so a blank or a quote in it breaks more than setup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from smartos_wizard.boot.answers_finding import Finding, error, info, warning
from smartos_wizard.boot.answers_network import address
from smartos_wizard.boot.answers_schema import BY_NAME, DEFAULT, KEYS, SECRETS, Kind
from smartos_wizard.boot.answers_script import YES_WORDS, as_read, boots_from_pool
from smartos_wizard.core.text import tame

_CONFIG = ("dns_search", "ntp_host", "hostname", "dns_resolver1", "dns_resolver2")
_UNQUOTED = re.compile(r"[A-Za-z0-9._:/@%+,\-]*")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_POOL = re.compile(r"[A-Za-z][A-Za-z0-9_.:\-]*")
_WEAK = ("root", "password", "secret", "smartos", "admin", "toor", "changeme", "test", "joyent")


def value_findings(answers: Mapping[str, str]) -> Iterator[Finding]:
    """Everything wrong with flags, names, storage, the boot pool, pkgsrc and the password."""
    for key in KEYS:
        if key.name in answers:
            yield from _text(key.name, answers[key.name])
            rule = _RULES.get(key.kind)
            if rule is not None:
                yield from rule(key.name, as_read(answers[key.name]))
    if "pisource" in answers:
        yield from _source(as_read(answers["pisource"]), answers)


def _text(name: str, value: str) -> Iterator[Finding]:
    """What no value may hold: control characters, halves of characters, and an option of echo."""
    if value and not as_read(value):
        said = (
            f"{name}: setup loses this value on the way (it looks like an option of echo) and gets nothing."
        )
        yield error(name, "lost-value", said)
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        yield error(
            name, "control-character", f"{name} holds a line break, a tab or another control character."
        )
    elif any(0xD800 <= ord(c) < 0xE000 for c in value):
        yield error(name, "half-character", f"{name} holds half of a character (a lone surrogate).")
    elif name in _CONFIG and value != DEFAULT and not _UNQUOTED.fullmatch(value):
        said = (
            f"{name} goes without quotes into /usbkey/config, which the machine reads at every start. Blanks, quotes, "
            "backquotes and other signs of the shell break that file."
        )
        yield error(name, "breaks-config", said)
    elif name not in SECRETS and value != value.strip():
        yield warning(
            name, "blanks-around", f"{name} begins or ends with a blank, which setup keeps.", value.strip()
        )


def _console(name: str, value: str) -> Iterator[Finding]:
    if value.lower() in ("false", "no", "none", "0"):
        said = f'Any word in {name} means go on, "{tame(value)}" too. Leave the key out to have setup wait.'
        yield warning(name, "any-word-counts", said)


def _flag(name: str, value: str) -> Iterator[Finding]:
    if value in ("true", "false", ""):
        return
    meant = "true" if value.lower() in ("true", "yes", "y", "on", "1") else "false"
    said = f"{name}: only the word true counts; {tame(value)} means no."
    yield warning(name, "not-true", said, meant)


def _domain(name: str, value: str) -> Iterator[Finding]:
    if value == DEFAULT:
        said = f"{name} has no default; setup would take the word {DEFAULT} itself and break /usbkey/config with it."
        yield error(name, "no-default", said)
    elif value and _UNQUOTED.fullmatch(value) and not is_hostname(value):
        better = value.strip(".").lower()
        said = f"{name}: {tame(value)} is not a domain name."
        yield error(name, "bad-domain", said, better if is_hostname(better) else "")


def is_hostname(text: str) -> bool:
    """Whether a text is a host or domain name: labels of letters, digits and hyphens, 63 at most, 253 in all."""
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def _time_server(name: str, value: str) -> Iterator[Finding]:
    if value in ("", DEFAULT) or not _UNQUOTED.fullmatch(value) or address(value) is not None:
        return
    if re.fullmatch(r"[0-9.]+", value):
        yield error(name, "bad-time-server", f"{name}: {tame(value)} is neither a name nor an address.")
    elif ":" in value:
        yield warning(
            name, "ipv6-time-server", f"{name}: setup knows IPv4 only; {tame(value)} will not be reached."
        )
    elif not is_hostname(value):
        yield error(name, "bad-time-server", f"{name}: {tame(value)} is neither a name nor an address.")


def _hostname(name: str, value: str) -> Iterator[Finding]:
    if value in ("", DEFAULT):
        yield info(name, "no-hostname", "The machine gets no name.")
    elif not _UNQUOTED.fullmatch(value):
        return
    elif value.lower() in ("localhost", "none"):
        yield warning(name, "odd-hostname", f"The machine will be called {value}.")
    elif "_" in value and is_hostname(value.replace("_", "-")):
        better = value.replace("_", "-").strip("-")
        yield warning(name, "odd-hostname", f"{tame(value)}: host names have no underscore.", better)
    elif address(value) is not None or not is_hostname(value):
        yield error(
            name, "bad-hostname", f"{tame(value)} is not a host name: letters, digits, hyphens and dots."
        )


def _storage(name: str, value: str) -> Iterator[Finding]:
    key = BY_NAME[name]
    if name == "zpool_confirm_layout":
        if value not in ("", "yes", "manual", DEFAULT):
            said = f"zpool_confirm_layout: setup reads {tame(value)} again and again, for ever. Write yes or leave it out."
            yield error(name, "loops-for-ever", said, "yes")
    elif value not in ("", DEFAULT, *key.choices):
        said = f"zpool_layout: {tame(value)} is no layout of setup ({', '.join(key.choices)})."
        yield warning(name, "unknown-layout", said, "default")


def _pool(name: str, value: str) -> Iterator[Finding]:
    if value == "":
        said = "bootpool is empty, which setup takes for a pool without a name. Write none."
        yield error(name, "empty-pool", said, "none")
    elif value != "none" and value.lower() in ("none", "no", "false", "n"):
        yield error(
            "bootpool",
            "bad-pool",
            f"bootpool: {tame(value)} would be the name of a pool. Write none.",
            "none",
        )
    elif value != DEFAULT and not _POOL.fullmatch(value):
        yield error(name, "bad-pool", f"bootpool: {tame(value)} cannot be the name of a pool.")
    elif value == "zones":
        said = (
            "The pool zones can boot only where it is a single disk, one mirror or one raidz; otherwise setup goes on "
            "without."
        )
        yield info(name, "one-vdev", said)
    elif value not in ("none", DEFAULT):
        said = f"bootpool: setup does not make the pool {tame(value)}; it has to be there beforehand. The usual one is zones."
        yield warning(name, "foreign-pool", said)


def _source(value: str, answers: Mapping[str, str]) -> Iterator[Finding]:
    if "bootpool" in answers and not boots_from_pool(answers):
        yield info("pisource", "not-read", "pisource is not read, because bootpool is none.")
    elif (
        value in ("media", "latest", DEFAULT) or _STAMP.fullmatch(value) or re.match(r"https?://\S+$", value)
    ):
        return
    elif value == "":
        yield error("pisource", "empty-source", "pisource is empty. Write media or latest.", "media")
    elif re.fullmatch(r"/\S+", value):
        said = f"pisource: {tame(value)} has to be a file on the machine while setup runs."
        yield warning("pisource", "local-source", said)
    else:
        said = f"pisource: {tame(value)} is neither media, latest, a release stamp, a URL nor a file."
        yield error(
            "pisource", "bad-source", said, value.lower() if value.lower() in ("media", "latest") else ""
        )


def _pkgsrc(name: str, value: str) -> Iterator[Finding]:
    lowered = value.lower()
    if lowered in ("", "n", "no", *YES_WORDS):
        return
    if set(lowered) & set("yes"):
        said = f"{name}: {tame(value)} means no today and yes in releases before 2024. Write no."
        yield warning(name, "depends-on-release", said, "no")
    else:
        yield warning(name, "means-no", f"{name}: {tame(value)} means no.", "no")


def _password(name: str, value: str) -> Iterator[Finding]:
    if value == "":
        yield warning(name, "empty-password", "The password is empty, so setup asks for one.")
    elif value == DEFAULT:
        yield error(
            name, "no-default", f"There is no default password; setup would take the word {DEFAULT} itself."
        )
    elif value != value.strip():
        yield warning(name, "blanks-around", "The password begins or ends with a blank, which setup keeps.")
    elif not value.isascii():
        said = "The password holds characters that a console may send differently. Letters, digits and signs are safe."
        yield warning(name, "password-not-ascii", said)
    elif len(value) < 8 or value.lower() in _WEAK:
        yield warning(
            name, "weak-password", "The password is short or known to everybody. Setup takes it all the same."
        )


_RULES: dict[Kind, Callable[[str, str], Iterator[Finding]]] = {
    Kind.ANY: _console,
    Kind.FLAG: _flag,
    Kind.DOMAIN: _domain,
    Kind.TIME_SERVER: _time_server,
    Kind.HOSTNAME: _hostname,
    Kind.LAYOUT: _storage,
    Kind.CONFIRM: _storage,
    Kind.POOL: _pool,
    Kind.YES_NO: _pkgsrc,
    Kind.PASSWORD: _password,
}
