#!/usr/bin/env bash
# A guest as a person's script makes it with VBoxManage: check the download, unpack it, set the console, turn the key into a
# disk, make the machine, close its sandbox, forward ssh, give it a console and a disk.
# usage: vboxmanage.sh IMAGE SHA256 FOLDER ROOT_OFFSET NAME
set -euo pipefail
image=$1 sum=$2 folder=$3 root=$4 name=$5
mkdir -p "$folder"
cd "$folder"
vbox() { VBoxManage -q "$@" >vbox.log 2>&1 || { cat vbox.log >&2; return 1; }; }
echo "$sum  $image" | sha256sum -c --quiet
case $image in
  *.gz) gzip -dc "$image" | dd of=key.img bs=4M iflag=fullblock conv=sparse status=none ;;
  *) cp --sparse=always "$image" key.img ;;
esac
printf 'console="ttya"\nos_console="ttya"\n' | MTOOLSRC=/dev/null mcopy -o -i "key.img@@$root" - ::boot/loader.conf.local
vbox createvm --name "$name" --ostype Solaris11_64 --basefolder "$folder" --register
vbox modifyvm "$name" --memory 2048 --cpus 1 --rtcuseutc on --graphicscontroller vboxvga --mouse ps2 --boot1 disk --boot2 none
vbox modifyvm "$name" --clipboard-mode disabled --draganddrop disabled --vrde off --audio-enabled off --usbohci off
vbox modifyvm "$name" --nic1 nat --nictype1 82540EM --natpf1 "ssh,tcp,127.0.0.1,2299,,22" --nat-localhostreachable1 off
vbox modifyvm "$name" --uart1 0x3F8 4 --uartmode1 server "$folder/com1"
vbox convertfromraw "$folder/key.img" "$folder/key.vmdk" --format VMDK
rm key.img
vbox createmedium disk --filename "$folder/zones-0.vdi" --size 20480
vbox storagectl "$name" --name SATA --add sata --controller IntelAhci --portcount 2
vbox storageattach "$name" --storagectl SATA --port 0 --device 0 --type hdd --medium "$folder/key.vmdk"
vbox storageattach "$name" --storagectl SATA --port 1 --device 0 --type hdd --medium "$folder/zones-0.vdi"
vbox showvminfo "$name" --machinereadable
