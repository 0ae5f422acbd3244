"""A device over a descriptor: any offset and length arrives, sizes and reads are what the file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.device import open_file
from smartos_wizard.media.faults import read_all, write_all
from smartos_wizard.media.slots import aligned


def test_odd_pieces_arrive_beside_direct_ones(tmp_path: Path) -> None:
    path = tmp_path / "f"
    device = open_file(str(path), 3 * 4096 + 777, write=True)
    try:
        assert device.size == 3 * 4096 + 777
        buffer = aligned(4096)
        buffer[:] = os.urandom(4096)
        write_all(device, buffer, 0)
        write_all(device, buffer[:777], 3 * 4096)
        write_all(device, buffer[1:100], 5000)
        device.sync()
        device.drop_cache()
        back = aligned(4096)
        assert read_all(device, back, 0) == 4096
        assert back == buffer
        assert read_all(device, back, 3 * 4096) == 777
        assert back[:777] == buffer[:777]
        assert path.read_bytes()[5000:5099] == bytes(buffer[1:100])
        assert device.fingerprint().size == device.size
    finally:
        device.close()
        device.close()


def test_anything_but_a_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(Refused):
            open_file(str(place), 10, write=True)
