"""Who uses the processor's virtualisation, told of real processes: QEMU with KVM does, QEMU that imitates does not."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from smartos_wizard.guests.conflicts import for_virtualbox, users
from tests.lab.rig import parts

pytestmark = pytest.mark.lab


def test_a_guest_of_kvm_is_seen_and_one_that_is_imitated_is_not() -> None:
    parts.need_programs(["qemu-system-x86_64"])
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("this machine has no KVM")
    words = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-S", "-m", "32", "-cpu", "qemu64"]
    running = [
        subprocess.Popen([*words, "-machine", f"q35,accel={accelerator}"], stdin=subprocess.DEVNULL)
        for accelerator in ("kvm", "tcg")
    ]
    try:
        fast, imitating = (f"(process {process.pid})" for process in running)
        until = time.monotonic() + 30
        while not any(fast in each for each in users().kvm) and time.monotonic() < until:
            time.sleep(0.1)
        found = " ".join(users().kvm)
        assert fast in found
        assert imitating not in found
        (problem,) = for_virtualbox(release="6.1.0-44-amd64")  # this kernel may be one that lets them share
        assert fast in problem.text
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert fast not in " ".join(users().kvm)
