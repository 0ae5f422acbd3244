"""Images and a world for the promises of writing and proving."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.core.paths import Paths
from smartos_wizard.media.model import ImageKind, VerifiedImage
from tests.unit.writing.parts import MIB, Place, picture


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


@pytest.fixture
def make_image(tmp_path: Path) -> Callable[..., tuple[VerifiedImage, bytes]]:
    def make(
        size: int = 9 * MIB + 512 * 7,
        *,
        kind: ImageKind = ImageKind.GZIP,
        seed: int = 1,
        data: bytes | None = None,
    ) -> tuple[VerifiedImage, bytes]:
        data = picture(size, seed) if data is None else data
        path = tmp_path / f"image-{seed}-{len(data)}.{kind.value}"
        path.write_bytes(gzip.compress(data, 1, mtime=0) if kind is ImageKind.GZIP else data)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return VerifiedImage(path, kind, "sha256", digest, "the test", raw_size=len(data)), data

    return make
