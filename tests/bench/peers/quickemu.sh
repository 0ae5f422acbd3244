#!/usr/bin/env bash
# A guest as a person's script makes it, in the manner of quickemu: check the download, unpack it with its holes,
# set the console, make a disk, start QEMU in the background.
# usage: quickemu.sh IMAGE SHA256 FOLDER ROOT_OFFSET ACCELERATOR CPU
set -euo pipefail
image=$1 sum=$2 folder=$3 root=$4 accelerator=$5 cpu=$6
mkdir -p "$folder"
cd "$folder"
echo "$sum  $image" | sha256sum -c --quiet
case $image in
  *.gz) gzip -dc "$image" | dd of=key.img bs=4M iflag=fullblock conv=sparse status=none ;;
  *) cp --sparse=always "$image" key.img ;;
esac
printf 'console="ttya"\nos_console="ttya"\n' | MTOOLSRC=/dev/null mcopy -o -i "key.img@@$root" - ::boot/loader.conf.local
qemu-img create -q -f qcow2 zones-0.qcow2 20G
date +%s.%N >made
qemu-system-x86_64 -name lab -nodefaults -machine "q35,accel=$accelerator" -cpu "$cpu" -smp 1 -m 2048 -rtc base=utc \
  -display none -vga std -device qemu-xhci,id=xhci \
  -drive if=none,id=key,file=key.img,format=raw,snapshot=on -device usb-storage,bus=xhci.0,drive=key,removable=on,bootindex=0 \
  -drive if=none,id=disk0,file=zones-0.qcow2,format=qcow2,discard=unmap -device virtio-blk-pci,drive=disk0,bootindex=1 \
  -netdev user,id=net0,hostfwd=tcp:127.0.0.1:0-:22 -device e1000,netdev=net0 \
  -chardev socket,id=com1,path=com1.sock,server=on,wait=off,logfile=console.log -serial chardev:com1 \
  -qmp unix:qmp.sock,server=on,wait=off -pidfile pid </dev/null >qemu.log 2>&1 &
