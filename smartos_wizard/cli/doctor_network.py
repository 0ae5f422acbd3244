"""What `doctor` says of booting machines over the network: what tells them where to boot from, and their first program."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import WizardError

if TYPE_CHECKING:
    from smartos_wizard.media.needs import Need
    from smartos_wizard.world import World


def found(world: World) -> tuple[Need, ...]:
    """dnsmasq and undionly.kpxe, each with how to get it. A key needs neither."""
    wire = world.wire

    def loader() -> str:
        there = wire.loader("")
        return f"{there.folder}/{there.bios}"

    return (
        _need("dnsmasq", wire.dnsmasq, "netboot serve: it tells machines where to boot from"),
        _need("undionly.kpxe", loader, "netboot serve: the first program of BIOS machines without iPXE"),
    )


def _need(name: str, ask: Callable[[], str], purpose: str) -> Need:
    from smartos_wizard.media.needs import Need

    try:
        return Need(name, True, ask(), purpose)
    except WizardError as error:
        return Need(name, False, "not found", purpose, error.hint)
