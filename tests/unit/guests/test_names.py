"""What a guest may be called, and whose folder its name leads to."""

from __future__ import annotations

import shlex

import pytest

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import require_confirmed
from smartos_wizard.guests.planning import plan_delete
from tests.unit.guests.parts import Place, plan_of


@pytest.mark.parametrize("name", ["lab", "My lab (2)", "d'été", "Überlab", "Łódź", "0.9-rc_1", "x" * 63])
def test_names_that_do(paths: Paths, name: str) -> None:
    place = Place(paths)
    assert plan_of(place, place.spec(name)).title.startswith(f"Make the guest {name} ")


@pytest.mark.parametrize(
    "name", ["", " lab", "lab ", "lab.", "-lab", 'a "b"', "a/b", "a{b}", "Ωmega", "a×b", "a\nb", "x" * 64]
)
def test_names_that_do_not(paths: Paths, name: str) -> None:
    place = Place(paths)
    with pytest.raises(Refused) as caught:
        plan_of(place, place.spec(name))
    assert caught.value.reference == "bad-name"


def test_two_names_with_one_folder_are_told_apart_before_anything_is_made(paths: Paths) -> None:
    place = Place(paths)
    end = place.run(plan_of(place, place.spec("My lab")))[-1]
    assert isinstance(end, PlanFinished)
    assert end.exit_code == 0
    for name in ("my-lab", "Mý lab"):
        with pytest.raises(Refused, match="same folder as the guest My lab"):
            plan_of(place, place.spec(name))
    assert [guest.name for guest in place.guests.list()] == ["My lab"]


def test_what_is_to_be_typed_again_is_quoted_for_a_shell(paths: Paths) -> None:
    place = Place(paths)
    place.run(plan_of(place, place.spec("Zoë's lab")))
    plan = plan_delete(place.guests.find("Zoë's lab"), place)
    with pytest.raises(Refused) as caught:
        require_confirmed(plan, ())
    words = caught.value.hint.partition(": ")[2]
    assert shlex.split(words) == ["--confirm", "Zoë's lab"]
    assert shlex.split(plan_lines(plan)[-1].partition(": ")[2]) == ["--confirm", "Zoë's lab"]
