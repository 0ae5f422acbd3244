"""Guests in the real VirtualBox: a place for them, with either driver, and VBoxManage as a person would call it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.paths import below
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, GuestSpec
from smartos_wizard.guests.virtualbox import talk
from smartos_wizard.guests.virtualbox.api import child
from smartos_wizard.guests.virtualbox.api.driver import VirtualBoxApiDriver
from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
from tests.lab.rig import virtualbox
from tests.unit.guests.parts import Place, image, plan_of


@contextmanager
def box(home: Path, space: Path, monkeypatch: pytest.MonkeyPatch, *, api: bool = False) -> Iterator[Place]:
    """A VirtualBox with settings and a server of its own; `api` drives it by its own vboxapi."""
    programs = space / "virtualbox"
    if not programs.exists():
        virtualbox.install(programs)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv(child.PYTHON, str(programs / "vbox-python"))
    for name, value in virtualbox.environment(home / "vbox").items():
        monkeypatch.setenv(name, value)
    paths = below(home)
    yield Place(paths, drivers=((VirtualBoxApiDriver if api else VirtualBoxDriver)(paths),))
    child.close()


def iso_in(home: Path) -> Path:
    """Something VirtualBox takes as a CD: whole sectors of 2048 with the mark of ISO 9660."""
    path = home / "smartos, the 1st (größer).iso"
    path.write_bytes((bytes(32 << 10) + b"\1CD001\1").ljust(128 << 10, b"\0"))
    return path


def manage(place: Place, *words: str) -> str:
    """What VBoxManage answers to a person; raises WizardError where it fails."""
    return talk.insist((place.drivers[0].detect().path, "-q", *words)).out


def spec_of(place: Place, iso: Path, name: str = "lab", *, key: bool = False, **wish: Any) -> GuestSpec:
    """A guest that starts from the ISO, or from a key of its own."""
    source = image()
    boot = (
        BootMedium(BootKind.KEY, str(source.path), source.stamp)
        if key
        else BootMedium(BootKind.ISO, str(iso))
    )
    return build(Wish(name, boot, **wish), place.drivers[0], place)


def done(place: Place, plan: Plan) -> PlanFinished:
    """Execute a plan that must succeed."""
    end = place.run(plan)[-1]
    assert isinstance(end, PlanFinished)
    assert end.error is None, f"{end.error.message} ({end.error.context})"
    return end


def made(place: Place, iso: Path, name: str = "lab", **wish: Any) -> Guest:
    """A guest that was made and is as asked."""
    assert done(place, plan_of(place, spec_of(place, iso, name, **wish))).result["drift"] == []
    return place.guests.find(name)
