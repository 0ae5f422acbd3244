"""What holds for every plan of a re-install, on 5,000 generated machines; `make test` takes 500 of them."""

from __future__ import annotations

import pytest

from tests.unit.reinstall import plan_promises as promised
from tests.unit.reinstall.test_plan_properties import enough

pytestmark = [pytest.mark.lab, pytest.mark.slow]
MACHINES = 5000


@pytest.mark.parametrize(
    "promise",
    [
        promised.names_what_it_destroys,
        promised.foretells_setup_after_way_c,
        promised.stops_where_something_speaks_against_it,
        promised.is_armed_by_all_its_tokens,
        promised.has_a_runbook_of_the_same_pools,
    ],
)
def test_on_five_thousand_machines(promise: promised.Promise) -> None:
    enough(promised.on_machines(MACHINES, promise), MACHINES)
