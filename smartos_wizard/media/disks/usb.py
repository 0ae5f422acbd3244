"""What the USB bus tells of a key, from sysfs and, where it works, pyusb; and the words for its port."""

from __future__ import annotations

import re
from typing import Any

from smartos_wizard.core.text import duration, tame
from smartos_wizard.media.disks.reader import Reader, number, words
from smartos_wizard.media.model import UsbFacts

_PORT = re.compile(r"^\d+-\d+(\.\d+)*$")
_SPEEDS = {1: 1.5, 2: 12.0, 3: 480.0, 4: 5000.0, 5: 10000.0}  # libusb's enum of speeds in megabits


def port_of(home: str) -> str:
    """The port (`2-1.4`) in a sysfs path; empty where the disk is not on USB."""
    ports = [part for part in home.split("/") if _PORT.match(part)]
    return ports[-1] if ports and re.search(r"/usb\d+/", home) else ""


def read_usb(reader: Reader, home: str) -> UsbFacts | None:
    """Facts of the USB device a disk's sysfs directory lies in; None where it is not on USB."""
    port = port_of(home)
    if not port:
        return None
    base = home[: home.index(f"/{port}/")] + f"/{port}"
    speed = words(reader, f"{base}/speed")
    return UsbFacts(
        maker=tame(words(reader, f"{base}/manufacturer")),
        product=tame(words(reader, f"{base}/product")),
        serial=tame(words(reader, f"{base}/serial")),
        version=tame(words(reader, f"{base}/version"), 8),
        speed=float(speed) if re.fullmatch(r"\d+(\.\d+)?", speed) else None,
        port=port,
        vid=_hex(words(reader, f"{base}/idVendor")),
        pid=_hex(words(reader, f"{base}/idProduct")),
    )


def _hex(text: str) -> int | None:
    return int(text, 16) if re.fullmatch(r"[0-9a-fA-F]{1,4}", text) else None


def ask_pyusb() -> dict[tuple[int, int], UsbFacts]:
    """Facts of every USB device by (bus, address), as far as this user may ask; empty without libusb.

    Never raises: the bus adds words to the list, it does not decide anything.
    """
    try:
        import usb.core

        found = list(usb.core.find(find_all=True) or ())  # type: ignore[no-untyped-call]
    except Exception:  # pyusb raises NoBackendError, USBError and whatever its backend's loader does
        return {}
    facts = {}
    for device in found:
        try:
            facts[(int(device.bus), int(device.address))] = _from_pyusb(device)
        except Exception:  # a device that left meanwhile; the others still count
            continue
    return facts


def _from_pyusb(device: Any) -> UsbFacts:
    def string(name: str) -> str:
        try:
            return tame(str(getattr(device, name) or ""))
        except Exception:  # strings need the device node to be writable; most users may not
            return ""

    version = int(device.bcdUSB)
    return UsbFacts(
        maker=string("manufacturer"),
        product=string("product"),
        serial=string("serial_number"),
        version=f"{version >> 8:x}.{version & 0xFF:02x}",
        speed=_SPEEDS.get(getattr(device, "speed", None) or 0),
        vid=int(device.idVendor),
        pid=int(device.idProduct),
    )


def address_of(reader: Reader, home: str) -> tuple[int, int] | None:
    """(bus, address) of the USB device in a sysfs path, the key of `ask_pyusb`."""
    port = port_of(home)
    if not port:
        return None
    base = home[: home.index(f"/{port}/")] + f"/{port}"
    bus, address = number(reader, f"{base}/busnum"), number(reader, f"{base}/devnum")
    return None if bus is None or address is None else (bus, address)


def merged(first: UsbFacts, second: UsbFacts | None) -> UsbFacts:
    """`first`, with what it lacks taken from `second`."""
    if second is None:
        return first
    return UsbFacts(
        first.maker or second.maker,
        first.product or second.product,
        first.serial or second.serial,
        first.version or second.version,
        first.speed or second.speed,
        first.port or second.port,
        first.vid or second.vid,
        first.pid or second.pid,
    )


def seconds_for(size: int, speed: float | None) -> float | None:
    """Seconds a usual key takes to be written with `size` bytes in a port of `speed` megabits; a guess.

    Assumed: 0.9 MB/s at USB 1, 21.5 MB/s at USB 2 (what the protocol leaves of 480 Mb/s to one key that
    writes), 65 MB/s at USB 3 and above, where the key itself is the limit.
    """
    if not speed:
        return None
    per_second = 0.9e6 if speed <= 12 else 21.5e6 if speed <= 480 else 65e6
    return size / per_second


def generation(facts: UsbFacts) -> int | None:
    """1, 2 or 3: the generation of the connection as it runs now."""
    if not facts.speed:
        return None
    return 1 if facts.speed <= 12 else 2 if facts.speed <= 480 else 3


def port_words(facts: UsbFacts, size: int) -> str:
    """The port in words: `USB 3 port, 5 Gb/s`, or what a slow port costs; empty where it is not known.

    A USB 3 key says version 2.10 or more when it runs in a USB 2 port, a true USB 2 key says 2.00 anywhere.
    """
    now = generation(facts)
    if now is None or facts.speed is None:
        return ""
    if now == 3:
        return f"USB 3 port, {facts.speed / 1000:g} Gb/s"
    here, better = seconds_for(size, facts.speed), seconds_for(size, 5000)
    assert here is not None and better is not None
    try:
        could_more = float(facts.version) >= 2.09
    except ValueError:
        could_more = False
    if could_more or now == 1:
        return (
            f"in a USB {now} port: about {duration(_rounded(here))} instead of {duration(_rounded(better))}"
        )
    return f"USB 2, {facts.speed:g} Mb/s"


def _rounded(seconds: float) -> float:
    """To five seconds: an estimate should not look like a measurement."""
    return max(5.0, round(seconds / 5) * 5)
