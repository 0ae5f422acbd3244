"""Host keys: those the user's own ssh knows, and those that were accepted here, kept in a file of this program.

The user's known_hosts is read and never written.
"""

from __future__ import annotations

from pathlib import Path

import asyncssh

from smartos_wizard.core.paths import Paths, private_directory

Keys = list[asyncssh.SSHKey]


class KnownHosts:
    """The keys of hosts, from the user's files and from this program's."""

    def __init__(self, paths: Paths, user_files: tuple[Path, ...] | None = None) -> None:
        self.own = paths.state / "known_hosts"
        home = Path.home() / ".ssh"
        self._files = (self.own, *(user_files or (home / "known_hosts", Path("/etc/ssh/ssh_known_hosts"))))

    def match(self, host: str, port: int, instead: tuple[Path, ...] = ()) -> tuple[Keys, Keys, Keys]:
        """The keys this host is trusted by, those of authorities, those revoked. Lines that cannot be read are left out.

        `instead`: the files that the user's ssh config names instead of the usual ones.
        """
        trusted: Keys = []
        authorities: Keys = []
        revoked: Keys = []
        for known in self._read((self.own, *instead) if instead else self._files):
            found = known.match(host, "", port)
            trusted += found[0]
            authorities += found[1]
            revoked += found[2]
        return trusted, authorities, revoked

    def _read(self, files: tuple[Path, ...]) -> list[asyncssh.SSHKnownHosts]:
        read: list[asyncssh.SSHKnownHosts] = []
        for path in files:
            try:
                text = path.read_text("utf-8", "replace")
            except OSError:
                continue
            for line in text.splitlines():
                try:
                    read.append(asyncssh.import_known_hosts(line + "\n"))
                except (ValueError, asyncssh.Error):
                    continue
        return read

    def remember(self, host: str, port: int, key: asyncssh.SSHKey) -> None:
        """Write the key down for this host, in this program's own file."""
        place = host if port == 22 else f"[{host}]:{port}"
        words = key.export_public_key("openssh").decode().split()
        private_directory(self.own.parent)
        with self.own.open("a", encoding="utf-8") as file:
            file.write(f"{place} {words[0]} {words[1]}\n")
        self.own.chmod(0o600)
