"""Every kind of plan has code that runs it, in the place that the table names."""

from __future__ import annotations

import pytest

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.runner import Action
from smartos_wizard.world import _ACTIONS, actions_of


@pytest.mark.parametrize("kind", [*_ACTIONS, "guest-create"])
def test_every_kind_of_plan_can_be_run(kind: str) -> None:
    actions = actions_of(kind)
    assert actions
    assert all(isinstance(action, Action) for action in actions.values())


def test_a_kind_nobody_knows_is_named() -> None:
    with pytest.raises(UsageProblem, match="No such kind of plan: x"):
        actions_of("x")
