"""Keys that setup does not know: misspelt ones with what was meant, and others. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from smartos_wizard.boot.answers_finding import Finding, error, warning
from smartos_wizard.boot.answers_schema import BY_NAME
from smartos_wizard.core.text import tame

ALIASES: dict[str, tuple[str, str]] = {
    "admin_mac": (
        "admin_nic",
        "the published page calls it admin_mac, but setup reads admin_nic only",
    ),
    "admin_gateway": ("headnode_default_gateway", "setup takes the router from headnode_default_gateway"),
    "gateway": ("headnode_default_gateway", "setup takes the router from headnode_default_gateway"),
    "default_gateway": ("headnode_default_gateway", "setup takes the router from headnode_default_gateway"),
    "netmask": ("admin_netmask", "setup takes the netmask from admin_netmask"),
    "dns_domain": ("dns_search", "dns_domain is the name in /usbkey/config; setup reads dns_search"),
    "dns_resolvers": (
        "dns_resolver1",
        "dns_resolvers is the name in /usbkey/config; setup reads dns_resolver1 and dns_resolver2",
    ),
    "ntp_hosts": ("ntp_host", "ntp_hosts is the name in /usbkey/config; setup reads ntp_host"),
    "root_shadow": ("root_password", "setup takes a clear password only; a hash belongs to the boot options"),
    "zpool_confirm": ("zpool_confirm_layout", "the name is zpool_confirm_layout in full"),
    "zpool_layout_confirm": ("zpool_confirm_layout", "the words stand the other way round"),
    "boot_pool": ("bootpool", "setup writes it as one word"),
    "pi_source": ("pisource", "setup writes it as one word"),
}
"""Names people reach for, the key that setup reads, and why."""


def meant(name: str) -> tuple[str, str]:
    """The key that a wrong name probably means and why; two empty texts where nothing is near."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in BY_NAME:
        return plain, "keys are compared letter by letter"
    if plain in ALIASES:
        return ALIASES[plain]
    near = difflib.get_close_matches(plain, BY_NAME, n=1, cutoff=0.8)
    return (near[0], "it looks like a slip of the pen") if near else ("", "")


def key_findings(names: Iterable[str]) -> Iterator[Finding]:
    """One finding for each key that setup would pass over. The values are never told: one may be a password."""
    given = tuple(names)
    for name in given:
        if name in BY_NAME:
            continue
        better, why = meant(name)
        if not better:
            yield warning(name, "unknown-key", f"Setup does not know {tame(name)} and passes over it.")
        elif better in given:
            yield warning(name, "unknown-key", f"Setup passes over {tame(name)}; {better} counts.", better)
        else:
            said = f"Setup passes over {tame(name)}: {why}. Write {better}."
            yield error(name, "misspelt-key", said, better)
