"""The questions of a survey: what is asked on the machine, how, and why. Nothing here changes anything there.

Some commands that would seem natural are missing on purpose, because they write (smartos-live sources):

- `piadm` writes /var/piadm/piadm.conf, mounts disks and makes directories, even for a plain `piadm bootable`
  (src/piadm.sh: config_check, bootable). Whether a pool boots the machine is read from its `bootfs`, as piadm does.
- `sysinfo` and `nictagadm list` write below /tmp where their files are missing (src/sysinfo, src/nictagadm:
  tag_conf_init). smbios, prtconf, bootparams and /usbkey/config hold the same facts.
- `fwadm` makes a directory for logs and a lock for every command (src/fw/lib/util/log.js); the rules are counted as files.
- `imgadm` brings its records up to date when a release of it runs for the first time (src/img/lib/upgrade.js), so it is
  asked only where it did that.
- `zpool status -v` may take hours on a large damaged pool (illumos-joyent: fs-joyent).

Root's password hash, which the loader passes on as a boot parameter, and the metadata of instances are never asked for.
Imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_FILES = 5000
"""So many files below /usbkey and /opt/custom are listed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question: its name, the lines of POSIX sh that ask it, and why it is asked."""

    name: str
    command: str
    why: str


def _files(place: str) -> str:
    return f"""\
if [ -d {place} ]; then
	find {place} -xdev -type f -exec ls -ln {{}} + | sed {MOST_FILES + 1}q
fi"""


_PARAMETERS = """\
said=$(bootparams) || return
printf '%s\\n' "$said" | sed '/^root_shadow=/d'"""

_MEMORY = """\
said=$(prtconf) || return
printf '%s\\n' "$said" | sed -n '/^Memory size:/p'"""

_TRITON = """\
for mark in /.dcinfo /opt/smartdc/agents/lib /opt/smartdc/config/node.config; do
	if [ -e "$mark" ]; then echo "$mark"; fi
done"""

_POOL_MARKS = """\
for mark in /*/.system_pool; do
	if [ -f "$mark" ]; then echo "$mark"; fi
done"""

_VOLUMES = """\
disks=$(disklist -a) || return
for disk in $disks; do
	for part in s2 p1 s0; do
		kind=$(fstyp "/dev/dsk/$disk$part" 2>/dev/null) || continue
		label=$(fstyp -v "/dev/dsk/$disk$part" 2>/dev/null | sed -n 's/^Volume Label: *//p')
		echo "$disk $part $kind $label"
	done
done"""

_IMAGES = """\
conf=/var/imgadm/imgadm.conf
if [ ! -f "$conf" ]; then
	echo '[]'
elif [ -z "$(sed -n '/upgradedToVer/p' "$conf")" ]; then
	echo 'imgadm was not used yet by this release; to ask it would change its records' >&2
	return 1
else
	imgadm list -j
fi"""

_RULES = """\
if [ -d /var/fw/rules ]; then
	find /var/fw/rules -type f -name '*.json'
fi"""

PROBES = (
    Probe("time", "date -u '+%Y%m%dT%H%M%SZ'", "when this was asked, by the machine's own clock"),
    Probe("system", "uname -s", "whether it is illumos at all"),
    Probe("version", "uname -v", "which release is running"),
    Probe("release", "cat /etc/release", "whether it is SmartOS"),
    Probe("zone", "zonename", "the global zone, or a zone in it"),
    Probe("user", "id -u", "whether root asks; others do not see everything"),
    Probe("hostname", "uname -n", "its name, which is typed to confirm"),
    Probe("hostid", "hostid", "to know the same machine again"),
    Probe("parameters", _PARAMETERS, "how it was booted"),
    Probe("memory", _MEMORY, "swap takes as much of the new pool"),
    Probe("maker", "smbios -t SMB_TYPE_SYSTEM", "which machine it is"),
    Probe("triton", _TRITON, "a node of Triton is not re-installed this way"),
    Probe("pools", "zpool list -Hpo name,guid,health,size,allocated,bootfs", "every pool that a reset would destroy"),
    Probe("status", "zpool status", "the disks of each pool, and their health"),
    Probe("import", "zpool import", "pools that are attached and not imported (lists them only)"),
    Probe("system-pool", "svcprop -p config/zpool smartdc/init", "which pool SmartOS lives on"),
    Probe("pool-marks", _POOL_MARKS, "the same, by the mark in the pool"),
    Probe("reset", "zfs get -Hpo name,value -t filesystem -s local,received,inherited smartdc:factoryreset", "whether a factory reset is already waiting"),
    Probe("datasets", "zfs list -Hpo name,type,used,referenced,origin,mountpoint -t filesystem,volume", "what would be lost, and its size"),
    Probe("encryption", "zfs get -Hpo name,value -t filesystem,volume encryption", "an encrypted pool cannot be reset at boot"),
    Probe("snapshots", "zfs list -Hpo name,creation -t snapshot", "how old the newest snapshots are"),
    Probe("instances", "vmadm lookup -j -o uuid,alias,brand,state,zone_state,owner_uuid,ram,max_physical_memory,autoboot,zfs_filesystem,zpool,disks,datasets", "zones and virtual machines that would be lost"),
    Probe("images", _IMAGES, "images that they were made from"),
    Probe("disks", "diskinfo -Hp", "the disks setup will find, and which hang on USB"),
    Probe("volumes", _VOLUMES, "a SmartOS key or an ISO that can boot the machine afterwards (nothing is mounted)"),
    Probe("key-release", "if [ -f /mnt/usbkey/etc/version/boot ]; then cat /mnt/usbkey/etc/version/boot; fi", "the release on a key that is mounted already"),
    Probe("cards", "dladm show-phys -pmo link,address", "network cards, for the new answers file"),
    Probe("links", "dladm show-phys -po link,state", "which of them have a cable"),
    Probe("tags", "if [ -f /usbkey/config ]; then sed -n '/^[A-Za-z0-9_]*_nic=/p' /usbkey/config; fi", "NIC tags"),
    Probe("firewall", _RULES, "how many firewall rules there are"),
    Probe("services", "svcs -x", "services in trouble"),
    Probe("usbkey", _files("/usbkey"), "configuration that would be lost"),
    Probe("custom", _files("/opt/custom"), "own services and programs that would be lost"),
)  # fmt: skip
"""Every question, in the order it is asked. The cheap ones that tell what machine this is come first."""

NAMES = tuple(probe.name for probe in PROBES)
"""The names of the questions."""
