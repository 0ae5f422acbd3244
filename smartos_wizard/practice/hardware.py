"""A make-believe machine for `doctor --target`: a small server that is fit, with one thing worth knowing."""

from __future__ import annotations

from smartos_wizard.boot.hardware import HardwareFacts, read_facts

FACTS = """smartos-wizard hardware 1
# Make-believe: a small server with a RAID card that is not in HBA mode.
system Linux
machine x86_64
maker Practice
product Make-believe server
cpu GenuineIntel 6 63
cpu-name Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz
cpu-flags lm vmx ept unrestricted_guest
kvm yes
memory 33645600768
firmware uefi
secure-boot off
pci-list
pci 8086:8d31 0c0330 8086:7270
pci 8086:8d02 010601 8086:7270
pci 1000:005d 010400 1028:1f49
pci 8086:1521 020000 8086:5001
pci 8086:1521 020000 8086:5001
disk-list
disk sda 480103981056 512 4096 ssd fixed
disk sdb 4000787030016 512 4096 hdd fixed
disk sdc 4000787030016 512 4096 hdd fixed
end
"""


def make_believe() -> HardwareFacts:
    """The facts of the practice machine."""
    return read_facts(FACTS)
