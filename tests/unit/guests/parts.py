"""A world with the practice hypervisor in it, and a small image that is a key."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import execute
from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, GuestSpec
from smartos_wizard.guests.planning import plan_create
from smartos_wizard.guests.sizing import HostSize
from smartos_wizard.guests.store import GuestStore
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.practice.hypervisor import PracticeHypervisor
from smartos_wizard.practice.image import build_usb_image, compress_gzip
from smartos_wizard.world import actions_of

GIB = 1 << 30


@functools.cache
def image() -> VerifiedImage:
    """A practice USB image, compressed; made once for all tests of a run."""
    place = Path(tempfile.mkdtemp(prefix="smartos-wizard-tests-"))
    raw = build_usb_image(place / "key.img", "20260903T001557Z", boot_archive_size=1 << 20)
    packed = place / "smartos-20260903T001557Z-USB.img.gz"
    compress_gzip(raw, packed)
    raw.unlink()
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    return VerifiedImage(packed, ImageKind.GZIP, "sha256", digest, "the test", "20260903T001557Z")


def plan_of(place: Place, spec: GuestSpec, choices: BootChoices | None = None) -> Plan:
    """The plan that makes it."""
    source = image() if spec.boot.kind is BootKind.KEY else _NONE
    return plan_create(spec, source, choices, place)


_NONE = VerifiedImage(Path("/nowhere/smartos.iso"), ImageKind.ISO, "none", "", "the test")


@dataclass
class Place:
    """Satisfies `GuestWorld`."""

    paths: Paths
    practice: bool = True
    drivers: tuple[Any, ...] = field(default_factory=lambda: (PracticeHypervisor(),))
    size: HostSize = field(default_factory=lambda: HostSize(32768, 8, 500 * GIB))

    @property
    def guests(self) -> GuestStore:
        return GuestStore(self.paths)

    def hypervisors(self) -> tuple[Any, ...]:
        return self.drivers

    def host_size(self) -> HostSize:
        return self.size

    def now(self) -> float:
        return time.time()

    @contextlib.contextmanager
    def stay_awake(self, why: str) -> Iterator[None]:
        yield

    def spec(self, name: str = "lab", *, key: bool = False, **wish: Any) -> GuestSpec:
        """A guest that starts from an ISO; with `key` from its own copy of an image, which takes seconds to make."""
        medium = BootMedium(BootKind.ISO, "/nowhere/smartos.iso")
        if key:
            source = image()
            medium = BootMedium(BootKind.KEY, str(source.path), source.stamp, source.algorithm, source.digest)
        return build(Wish(name, medium, **wish), self.drivers[0], self)

    def run(self, plan: Plan, cancel: Cancel | None = None) -> list[Event]:
        return list(self.events(plan, cancel))

    def events(self, plan: Plan, cancel: Cancel | None = None) -> Iterator[Event]:
        return execute(Plan.from_json(plan.to_json()), actions_of(plan.kind), self, cancel)
