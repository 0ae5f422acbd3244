"""The driver by vboxapi under Oracle's own glue of four releases, in which things moved and numbers changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.lab.rig import glue
from tests.unit.guests.virtualbox.test_vboxapi import (  # noqa: F401 the same tests, with other Pythons
    iso,
    place,
    stub,
    test_busy_is_tried_again,
    test_it_is_as_asked,
    test_it_runs_and_stops,
    test_its_own_key_is_a_disk_that_forgets,
    test_killed_at_any_step_it_is_made_anew,
    test_snapshots_emptied_disks_and_gone,
    test_the_process_is_started_anew_where_it_ended,
    test_what_fails_is_taken_back_whole,
    test_what_it_forgets_is_said_and_shut_anew_at_every_start,
    test_what_speaks_against_it_is_found_through_the_interface,
)

pytestmark = pytest.mark.lab


@pytest.fixture(params=glue.RELEASES)
def python(request: pytest.FixtureRequest, space: Path) -> str:
    return str(glue.python(request.param, space))


_LOOK = """
import json, vboxapi
c = vboxapi.VirtualBoxManager(None, None)
box, n = c.getVirtualBox(), c.constants
print(json.dumps([box.version, n.MachineState_Running, n.AudioDriverType_Null, hasattr(n, "PlatformArchitecture_x86")]))
"""


@pytest.mark.usefixtures("stub")
def test_numbers_differ_from_release_to_release(space: Path) -> None:
    found = []
    for release in glue.RELEASES:
        done = subprocess.run(
            [glue.python(release, space), "-c", _LOOK], capture_output=True, text=True, check=True
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    assert found == [
        ["6.1.50", 5, 0, False],
        ["7.0.26", 6, 1, False],
        ["7.1.18", 6, 1, True],
        ["7.2.22", 6, 1, True],
    ]
