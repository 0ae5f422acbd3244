"""What lies on the machine with real OpenZFS that is backed up: an instance made from an image, volumes, an encrypted dataset.

And how it is looked at: every file, volume, property and snapshot, so that what came back can be compared with what was.
"""

from __future__ import annotations

import json

from tests.lab.rig.zfs_host import ZfsHost

IMAGE = "9aa48095-da9d-41ca-a094-31d1fb476b98"
WEB = "0b3b1a4e-7f0c-4b83-9d2a-5f6f9f0f4d11"
OWN, SECRET = "zones/own", "zones/secret"
_INSTANCE = {
    "uuid": WEB, "alias": "web", "brand": "joyent", "state": "stopped", "zfs_filesystem": f"zones/{WEB}", "max_physical_memory": 256,
}  # fmt: skip
_EMPTY = """
cd /; umount /etc/zones /opt /usbkey 2>/dev/null || true
for pool in $(zpool list -Ho name); do zpool destroy -f $pool; done
zpool create -f zones /dev/vda
zfs set atime=off zones
touch /zones/.system_pool
for n in var cores; do zfs create zones/$n; done
for n in config usbkey opt; do zfs create -o mountpoint=legacy zones/$n; done
mount -t zfs zones/config /etc/zones; mount -t zfs zones/opt /opt; mount -t zfs zones/usbkey /usbkey
mkdir -p /usbkey/ssh; cp /etc/ssh/ssh_host_ed25519_key* /usbkey/ssh
printf 'admin_nic=52:54:00:12:34:56\\nhostname=lab\\n' > /usbkey/config
echo 'global:installed:/' > /etc/zones/index
"""
_THINGS = f"""
mkdir -p /opt/custom/smf; echo service > /opt/custom/smf/own.xml
zfs create zones/{IMAGE}
mkdir -p /zones/{IMAGE}/root/etc; cp -r /etc/pam.d /etc/udev /zones/{IMAGE}/root/etc
dd if=/dev/urandom of=/zones/{IMAGE}/root/lib bs=1M count=4 2>/dev/null
zfs snapshot zones/{IMAGE}@final
zfs clone -o quota=300M zones/{IMAGE}@final zones/{WEB}
echo changed > /zones/{WEB}/root/etc/changed; rm /zones/{WEB}/root/lib; ln -s changed /zones/{WEB}/root/etc/link
chmod 4711 /zones/{WEB}/root/etc/changed; chown 99:98 /zones/{WEB}/root/etc/changed
zfs create zones/cores/{WEB}; mkdir /zones/{WEB}/cores; zfs set mountpoint=/zones/{WEB}/cores zones/cores/{WEB}
zfs snapshot zones/{WEB}@vmsnap-first
zfs create -o compression=gzip -o lab:note='two words' zones/{WEB}/data
dd if=/dev/urandom of=/zones/{WEB}/data/one bs=1M count=3 2>/dev/null
zfs snapshot zones/{WEB}/data@nightly
zfs set lab:taken=once zones/{WEB}/data@nightly
dd if=/dev/urandom of=/zones/{WEB}/data/two bs=1M count=3 2>/dev/null
zfs create -V 12M -o volblocksize=8k zones/{WEB}/disk0
udevadm settle
dd if=/dev/urandom of=/dev/zvol/zones/{WEB}/disk0 bs=1M count=9 conv=fsync 2>/dev/null
zfs create -o recordsize=16k -o mountpoint=/somewhere/else {OWN}
dd if=/dev/urandom of=/somewhere/else/photos bs=1M count=40 2>/dev/null
zfs snapshot {OWN}@old; rm -f /somewhere/else/none; echo last > /somewhere/else/last
echo secretsecret > /run/passphrase
zfs create -o encryption=aes-256-gcm -o keyformat=passphrase -o keylocation=file:///run/passphrase {SECRET}
zfs create {SECRET}/deeper
dd if=/dev/urandom of=/zones/secret/hidden bs=1M count=2 2>/dev/null; echo deep > /zones/secret/deeper/file
zfs snapshot -r {SECRET}@before
echo '{json.dumps(_INSTANCE)}' > /etc/zones/{WEB}.xml
echo '{WEB}:installed:/zones/{WEB}:{WEB}' >> /etc/zones/index
sync
"""
_FILES = """
for place in /zones/{image} /zones/{web} /somewhere/else /zones/secret; do
	cd $place; find . -path ./cores -prune -o -printf '%p %y %m %U:%G %T@ %s %l\\n' | sed 's/\\(.* d .*\\) [0-9]* $/\\1/' | sort; find . -type f -exec sha256sum {{}} + | sort
done
sha256sum /dev/zvol/zones/{web}/disk0
"""
_TREES = f"zones/{IMAGE} zones/{WEB} {OWN} {SECRET}"
_PROPERTIES = (
    f"zfs get -rHp -s local,received -o name,property,value all {_TREES} | grep -v @smartos-wizard- | "
    "grep -v '	keylocation	' | grep -v '	encryption	off$' | sort"
)
"""The last is no setting: ZFS says so of a clone that was received with its properties."""
_SNAPSHOTS = f"zfs list -rHp -t snapshot -o name,guid {_TREES} | grep -v @smartos-wizard- | sort"
_ORIGINS = f"zfs list -rHp -o name,type,origin,volsize,volblocksize {_TREES}"


def empty(machine: ZfsHost) -> None:
    """A new pool, set up, nothing of one's own on it."""
    machine.sh(_EMPTY, seconds=300)


def set_up(machine: ZfsHost) -> None:
    """The same of a machine that waited for somebody to set it up; its sshd is started without another boot."""
    empty(machine)
    machine.run("/usr/bin/python3", "-c", "import sys; sys.path.insert(0, '/mnt'); import boot; boot.sshd()")
    machine.sh("hostname lab; pgrep -x sshd; sed -i '/^root:/s#/bin/bash#/bin/sh#' /etc/passwd")


def fill(machine: ZfsHost) -> None:
    """Everything there is to keep."""
    machine.sh(_THINGS, seconds=600)


def mount(machine: ZfsHost) -> None:
    """Mount what was received, the encrypted datasets with their passphrase."""
    machine.sh(
        f"echo secretsecret > /run/passphrase; for d in {SECRET} {SECRET}/deeper; do "
        'if [ "$(zfs get -Ho value keystatus $d)" = unavailable ]; then zfs load-key -L file:///run/passphrase $d; fi; done; zfs mount -a; '
        "udevadm settle",
        seconds=300,
    )


def everything(machine: ZfsHost) -> dict[str, str]:
    """All that has to come back, as text."""
    return {
        "files": machine.sh(_FILES.format(image=IMAGE, web=WEB), seconds=300),
        "properties": machine.sh(_PROPERTIES),
        "snapshots": machine.sh(_SNAPSHOTS),
        "origins": machine.sh(_ORIGINS),
    }


def made_for_backups(machine: ZfsHost) -> str:
    """Snapshots that a backup made there."""
    return machine.sh("zfs list -Ho name -t snapshot | grep @smartos-wizard- || true")
