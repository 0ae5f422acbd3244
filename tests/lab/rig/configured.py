"""Boot choices put on a key by the real command."""

from __future__ import annotations

import json
from pathlib import Path

from smartos_wizard.boot.model import BootChoices
from tests.lab.rig import command
from tests.lab.rig.bootkey import BootKey


def choose(key: BootKey, choices: BootChoices, *more: str) -> None:
    """`key configure` with these choices; it must say that it is proven."""
    given = key.path.with_suffix(".given")
    given.mkdir(exist_ok=True)
    words = [*_words(choices, given), *more, "--file", "--confirm", str(key.path), "--json"]
    outcome = command.run(given / "home", "key", "configure", key.path, *words)
    assert outcome.code == 0, outcome.told()


def write(image: Path, target: Path, choices: BootChoices) -> BootKey:
    """`key write` of an image to a file, with these choices in the same run."""
    given = target.with_suffix(".given")
    given.mkdir(exist_ok=True)
    words = [*_words(choices, given), "--unverified", "--confirm", "unverified", "--json"]
    outcome = command.run(given / "home", "key", "write", target, "--file", "--image", image, *words)
    assert outcome.code == 0, outcome.told()
    return BootKey(target)


def take_back(key: BootKey) -> None:
    """`key configure --reset`."""
    choose(key, BootChoices(), "--reset")


def _words(choices: BootChoices, given: Path) -> list[str]:
    """The options that say these choices; files lie in `given`."""
    said = {
        "--console": choices.console,
        "--speed": choices.speed,
        "--kmdb": choices.kmdb,
        "--zpools": ",".join(choices.pools),
        "--boot-delay": choices.delay,
        "--root-shadow": choices.root_shadow,
        "--hostname": choices.hostname,
    }
    words = [word for name, value in said.items() if value not in (None, "") for word in (name, str(value))]
    for name, on in (("verbose", choices.verbose), ("rescue", choices.rescue)):
        words += [] if on is None else [f"--{'' if on else 'no-'}{name}"]
    for number, module in enumerate(choices.modules):
        (given / str(number)).write_bytes(module.data)
        words += ["--module", f"{module.name}={given / str(number)}"]
    if choices.answers is not None:
        (given / "answers.json").write_text(json.dumps(choices.answers))
        words += ["--answers", str(given / "answers.json")]
    return words
