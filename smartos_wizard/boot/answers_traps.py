"""What goes wrong although every answer is a good one: traps, told where they matter; and where setup will stop.

Pure. Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh (promptpool, create_dump, setup_datasets, and
the trace it keeps of itself), src/piadm.sh; smartos-docs: docs/non-interactive-install.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from smartos_wizard.boot.answers_finding import Stop
from smartos_wizard.boot.answers_network import address, own_network
from smartos_wizard.boot.answers_schema import DEFAULT, KEYS
from smartos_wizard.boot.answers_script import (
    Does,
    as_read,
    boots_from_pool,
    does,
    is_static,
    on,
    value_of,
    wants_pkgsrc,
)
from smartos_wizard.boot.model import Warned
from smartos_wizard.core.text import size, tame

GIB = 1 << 30
SMALLEST_DUMP = GIB
ROOM = 10 * GIB
"""Below this much left beside swap and dump, a pool is of little use; a rule of this program."""


def stops(answers: Mapping[str, str]) -> tuple[Stop, ...]:
    """Where setup will stop, in its own order. Empty means that nobody has to stand at the machine."""
    found = [stop for key in KEYS for stop in _stops_at(key.name, answers)]
    return tuple(found)


def asked(answers: Mapping[str, str]) -> tuple[str, ...]:
    """What setup will stop and do, one clause each: "ask for root's password (root_password)"."""
    return tuple(f"{stop.text} ({stop.key})" for stop in stops(answers))


_ASKS = {
    "admin_ip": "ask for the IP address, and for the netmask unless it is dhcp",
    "admin_netmask": "ask for the netmask",
    "headnode_default_gateway": "ask for the default gateway",
    "dns_resolver1": "ask for the first name server",
    "dns_resolver2": "ask for the second name server",
    "dns_search": "ask for the search domain",
    "ntp_host": "ask for the time server",
    "zpool_confirm_layout": "show the pool layout and ask whether to take it",
    "bootpool": "ask for the pool to boot from",
    "pisource": "ask where the bootable pool takes SmartOS from",
    "install_pkgsrc": "ask whether to install pkgsrc",
    "root_password": "ask for root's password",
    "hostname": "ask for the host name",
}
_WAITS = {
    "config_console": "wait for Enter, and say nothing, before it begins",
    "skip_instructions": "explain each section and wait for Enter before the network questions",
    "skip_final_confirm": "ask whether to erase the disks, and wait for Enter before it restarts",
}


def _stops_at(name: str, answers: Mapping[str, str]) -> Iterator[Stop]:
    what = does(name, answers)
    if what is Does.WAITS:
        yield Stop(name, _WAITS[name], silent=name == "config_console")
    elif what is Does.SHELL:
        yield Stop(name, "open a shell in which the pool zones has to be made by hand")
    elif name == "admin_nic" and what is Does.ASKS:
        yield Stop(name, "ask for the network card, where there is more than one", maybe=True)
    elif name == "skip_ntp_check" and not on(name, answers):
        yield Stop(name, "wait for Enter, if the time server does not answer", maybe=True)
    elif what is Does.ASKS:
        yield Stop(name, _ASKS[name])


def trap_warnings(
    answers: Mapping[str, str],
    ram: int | None = None,
    pool_size: int | None = None,
    *,
    console_set: bool = False,
) -> tuple[Warned, ...]:
    """The traps in these answers. `ram` and `pool_size` (usable bytes of the pool) are in bytes.

    `console_set` says that the boot choices name the console, so that this need not be told.
    """
    rules: tuple[Callable[[], Iterator[Warned]], ...] = (
        lambda: _console(answers, console_set),
        lambda: _layout(answers),
        lambda: _erases(answers),
        lambda: _password(answers),
        lambda: _internet(answers),
        lambda: _medium(answers),
        lambda: _space(ram, pool_size),
    )
    return tuple(warned for rule in rules for warned in rule())


def unattended(answers: Mapping[str, str]) -> bool:
    """Whether setup erases the disks without asking anybody."""
    return on("skip_final_confirm", answers) and value_of("zpool_confirm_layout", answers) == "yes"


def _console(answers: Mapping[str, str], console_set: bool) -> Iterator[Warned]:
    if does("config_console", answers) is Does.WAITS:
        said = "Without config_console setup waits for Enter and shows nothing that says so."
        yield Warned("silent-wait", said)
    elif not console_set:
        said = (
            "Setup goes on by itself only on the console that SmartOS starts with. Choose it with the boot options "
            "(text for a screen, ttya to ttyd for a serial line); on any other it waits for Enter and says nothing."
        )
        yield Warned("console-matters", said, "info")


def _layout(answers: Mapping[str, str]) -> Iterator[Warned]:
    layout = tame(as_read(answers.get("zpool_layout", "")))
    if layout in ("", "default", DEFAULT):
        return
    if value_of("zpool_confirm_layout", answers) == "yes":
        said = (
            f"Setup shows “{layout}” and builds the default layout all the same: zpool_layout is only a label. For "
            "another layout leave out zpool_confirm_layout and choose it at the machine."
        )
        yield Warned("layout-not-honoured", said)
    else:
        yield Warned(
            "layout-is-a-label", "zpool_layout is only a label; the layout is chosen at the machine.", "info"
        )


def _erases(answers: Mapping[str, str]) -> Iterator[Warned]:
    if unattended(answers):
        said = (
            "Every machine started with this file is set up without a question: its fixed disks, all of them, are "
            "erased for the pool. A machine that is set up already is left alone."
        )
        yield Warned("erases-unasked", said, "info")


def _password(answers: Mapping[str, str]) -> Iterator[Warned]:
    if value_of("root_password", answers) is None:
        return
    said = (
        "root_password stands in clear text in this file, on the key, and in the machine's /var/log/prompt-config.log, "
        "where setup traces itself. Leave it out to be asked at the machine, or use a one-time password and change it "
        "after the first login."
    )
    yield Warned("clear-password", said)


def _internet(answers: Mapping[str, str]) -> Iterator[Warned]:
    needs = []
    if wants_pkgsrc(answers):
        needs.append(("install_pkgsrc", "pkgsrc"))
    source = value_of("pisource", answers) or "media"
    if boots_from_pool(answers) and source != "media" and not source.startswith("/"):
        needs.append(("pisource", f"pisource={tame(source)}"))
    cut_off = is_static(answers) and value_of("headnode_default_gateway", answers) == "none"
    for name, what in needs:
        if cut_off:
            said = f"{what} needs the Internet, and with a fixed address and no gateway the machine has none."
            yield Warned(f"no-internet-for-{name.replace('_', '-')}", said)
        else:
            said = f"{what} needs the Internet while setup runs."
            yield Warned(f"internet-for-{name.replace('_', '-')}", said, "info")
    if cut_off and not on("skip_ntp_check", answers) and not _time_is_near(answers):
        said = "Without a gateway a time server outside is not reached: setup warns and waits for Enter."
        yield Warned("no-internet-for-time", said)


def _time_is_near(answers: Mapping[str, str]) -> bool:
    """Whether the time server is an address in the machine's own network."""
    net, host = own_network(answers), address(value_of("ntp_host", answers) or "")
    return net is not None and host is not None and host in net


def _medium(answers: Mapping[str, str]) -> Iterator[Warned]:
    if boots_from_pool(answers) and (value_of("pisource", answers) or "media") == "media":
        said = "pisource=media needs the key or CD in the machine; started over the network, use latest or a URL."
        yield Warned("needs-medium", said, "info")


def _space(ram: int | None, pool_size: int | None) -> Iterator[Warned]:
    if ram is None and pool_size is None:
        said = "The pool has to hold swap as large as the RAM, a dump of at least 1 GiB, and your data."
        yield Warned("swap-and-dump", said, "info")
        return
    taken = (ram or 0) + SMALLEST_DUMP
    if ram is not None:
        said = f"Swap and dump will take {size(taken)} of the pool: swap is as large as the RAM, the dump 1 GiB or more."
        yield Warned("swap-and-dump", said, "info")
    if pool_size is None:
        return
    if taken > pool_size:
        said = (
            f"The pool ({size(pool_size)}) cannot hold swap and dump ({size(taken)}). Setup erases the disks and then "
            "stops with “failed to create swap partition”. Use larger disks or less RAM."
        )
        yield Warned("pool-too-small", said, "error")
    elif pool_size - taken < ROOM:
        left = size(pool_size - taken)
        yield Warned(
            "pool-nearly-full", f"Beside swap and dump only {left} of the pool is left for everything else."
        )
