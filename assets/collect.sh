#!/bin/sh
# What this machine has, for `smartos-wizard doctor --target FILE`.
#
#     sh collect.sh > machine.txt
#
# Any POSIX shell will do. It only reads, needs no rights of root, and writes no serial numbers, network
# addresses or host names. Linux tells the most; SmartOS, FreeBSD and macOS tell what they tell easily.

LC_ALL=C
export LC_ALL
root=${ROOT:-}
tab=$(printf '\t')
machine=$(uname -m 2>/dev/null)
system=$(uname -s 2>/dev/null)

# The first line of a file without a 0x before it; nothing where it cannot be read.
first() {
    value=
    { read -r value || :; } 2>/dev/null <"$1" && value=${value#0x}
    printf '%s' "$value"
}

# say KEY VALUE: a line, where there is a value.
say() {
    words=$(printf '%s\n' "$2" | sed 's/[^!-~]/ /g; s/   */ /g; s/^ //; s/ $//')
    if [ -n "$words" ]; then
        printf '%s %s\n' "$1" "$words"
    fi
}

linux_cpu() {
    [ -r "$root/proc/cpuinfo" ] || return 0
    awk -F: '
        /^[ \t]*$/ { if (seen) exit }
        { name = $1; gsub(/^[ \t]+|[ \t]+$/, "", name)
          value = substr($0, length($1) + 2); gsub(/^[ \t]+|[ \t]+$/, "", value); seen = 1
          if (!(name in have)) have[name] = value }
        END {
            if ("vendor_id" in have && have["cpu family"] ~ /^[0-9]+$/ && have["model"] ~ /^[0-9]+$/)
                print "cpu", have["vendor_id"], have["cpu family"], have["model"]
            if (have["model name"] != "") { gsub(/[ \t]+/, " ", have["model name"]); print "cpu-name", have["model name"] }
            if ("flags" in have) {
                line = "cpu-flags"
                all = " " have["flags"] " " have["vmx flags"] " "
                count = split("lm vmx ept unrestricted_guest svm npt nrip_save decodeassists hypervisor", names, " ")
                for (i = 1; i <= count; i++) if (index(all, " " names[i] " ")) line = line " " names[i]
                print line
            }
        }' "$root/proc/cpuinfo"
}

linux_firmware() {
    if [ ! -d "$root/sys/firmware/efi" ]; then
        case $machine in
        x86_64 | i?86) [ -d "$root/sys/firmware" ] && printf 'firmware bios\nsecure-boot off\n' ;;
        esac
        return 0
    fi
    echo "firmware uefi"
    vars=$root/sys/firmware/efi/efivars
    one=$vars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
    if [ -r "$one" ]; then
        # Four bytes of attributes, then 0 or 1.
        case $(od -b "$one" 2>/dev/null | sed -n '1s/  */ /g; 1s/^0* //p') in
        ???\ ???\ ???\ ???\ 001) echo "secure-boot on" ;;
        ???\ ???\ ???\ ???\ ???) echo "secure-boot off" ;;
        esac
    elif [ ! -e "$one" ] && [ -n "$(ls "$vars" 2>/dev/null)" ]; then
        echo "secure-boot off"
    fi
    return 0
}

linux_pci() {
    [ -d "$root/sys/bus/pci/devices" ] || return 0
    echo "pci-list"
    # Devices behind Intel's VMD have five digits in front; SmartOS does not see them.
    for device in "$root"/sys/bus/pci/devices/????:??:??.?; do
        vendor=$(first "$device/vendor")
        model=$(first "$device/device")
        class=$(first "$device/class")
        board=$(first "$device/subsystem_vendor")
        board_model=$(first "$device/subsystem_device")
        case "$vendor:$model $class" in
        ????:????\ ??????) echo "pci $vendor:$model $class ${board:-0000}:${board_model:-0000}" ;;
        esac
    done
}

linux_usb_nics() {
    for link in "$root"/sys/class/net/*; do
        # The interface's device is a part of the USB device above it.
        above=$(cd -P "$link/device/.." 2>/dev/null && pwd) || continue
        vendor=$(first "$above/idVendor")
        product=$(first "$above/idProduct")
        case "$vendor:$product" in
        ????:????) echo "usb-nic $vendor:$product" ;;
        esac
    done | sort
}

# controller PATH: the first disk controller on the way to a disk.
controller() {
    rest=$1/
    while [ -n "$rest" ]; do
        part=${rest%%/*}
        rest=${rest#*/}
        case $part in
        ????:??:??.?)
            here=$root/sys/bus/pci/devices/$part
            case $(first "$here/class") in
            01????)
                printf '%s:%s' "$(first "$here/vendor")" "$(first "$here/device")"
                return 0
                ;;
            esac
            ;;
        esac
    done
}

linux_disks() {
    [ -d "$root/sys/block" ] || return 0
    echo "disk-list"
    for block in "$root"/sys/block/*; do
        name=${block##*/}
        case $name in
        sr[0-9]* | fd[0-9]* | mmcblk*boot[0-9]* | mmcblk*rpmb | mmcblk*gp[0-9]*) continue ;;
        esac
        sectors=$(first "$block/size")
        case $sectors in
        '' | 0 | *[!0-9]*) continue ;;
        esac
        [ -e "$block/device" ] || continue
        [ "$(first "$block/hidden")" = 1 ] && continue
        logical=$(first "$block/queue/logical_block_size")
        physical=$(first "$block/queue/physical_block_size")
        kind=hdd
        [ "$(first "$block/queue/rotational")" = 0 ] && kind=ssd
        place=fixed
        [ "$(first "$block/removable")" = 1 ] && place=removable
        case $name in mmcblk*) place=mmc ;; esac
        real=$(cd -P "$block/device" 2>/dev/null && pwd)
        case $real in */usb*) place=usb ;; esac
        on=$(controller "$real")
        logical=${logical:-512}
        # awk because a shell may count in 32 bits only
        bytes=$(awk "BEGIN { printf \"%.0f\", $sectors * 512 }")
        echo "disk $name $bytes $logical ${physical:-$logical} $kind $place${on:+ $on}"
    done
}

on_linux() {
    say maker "$(first "$root/sys/class/dmi/id/sys_vendor")"
    say product "$(first "$root/sys/class/dmi/id/product_name")"
    linux_cpu
    if [ -e "$root/dev/kvm" ]; then echo "kvm yes"; else echo "kvm no"; fi
    awk '/^MemTotal:/ { printf "memory %.0f\n", $2 * 1024; exit }' "$root/proc/meminfo" 2>/dev/null
    linux_firmware
    linux_pci
    linux_usb_nics
    linux_disks
}

on_illumos() {
    say maker "$(smbios -t SMB_TYPE_SYSTEM 2>/dev/null | sed -n 's/^ *Manufacturer: *//p' | sed 1q)"
    say product "$(smbios -t SMB_TYPE_SYSTEM 2>/dev/null | sed -n 's/^ *Product: *//p' | sed 1q)"
    psrinfo -vp 2>/dev/null | awk '
        /family [0-9]+ model [0-9]+/ && !done {
            for (i = 1; i < NF; i++) { if ($i == "family") family = $(i + 1); if ($i == "model") model = $(i + 1) }
            vendor = $0; sub(/^[^(]*\(/, "", vendor); sub(/[ )].*$/, "", vendor)
            print "cpu", vendor, family + 0, model + 0; done = 1; next
        }
        done == 1 && NF { sub(/^[ \t]+/, ""); print "cpu-name", $0; done = 2 }'
    words=cpu-flags
    [ "$(isainfo -k 2>/dev/null)" = amd64 ] && words="$words lm"
    shown=" $(isainfo -v 2>/dev/null | tr '\n\t' '  ') "
    case $shown in *" vmx "*) words="$words vmx" ;; esac
    case $shown in *" amd_svm "*) words="$words svm" ;; esac
    # isainfo does not name EPT and NPT: the generation of the processor tells.
    [ "$words" = cpu-flags ] || echo "$words"
    prtconf 2>/dev/null | awk '/^Memory size:/ { printf "memory %.0f\n", $3 * 1048576; exit }'
    listed=$(prtconf -v 2>/dev/null | awk '
        function put() {
            if (v != "" && d != "" && c != "") print "pci", v ":" d, c, (s == "" ? "0000" : s) ":" (t == "" ? "0000" : t)
            v = d = c = s = t = ""
        }
        function last(n) { value = $0; sub(/.*value=/, "", value); value = "00000000" value
                           return tolower(substr(value, length(value) - n + 1, n)) }
        /Hardware properties:/ { put() }
        /name=/ { name = $0; sub(/^[^\047]*\047/, "", name); sub(/\047.*$/, "", name); next }
        /value=/ {
            if (name == "vendor-id") v = last(4)
            if (name == "device-id") d = last(4)
            if (name == "class-code") c = last(6)
            if (name == "subsystem-vendor-id") s = last(4)
            if (name == "subsystem-id") t = last(4)
            name = ""
        }
        END { put() }')
    if [ -n "$listed" ]; then
        echo "pci-list"
        printf '%s\n' "$listed"
    fi
    disks=$(diskinfo -Hp 2>/dev/null) && {
        echo "disk-list"
        printf '%s\n' "$disks" | awk -F"$tab" 'NF >= 7 && $5 ~ /^[0-9]+$/ {
            place = $1 == "USB" ? "usb" : $6 == "yes" ? "removable" : "fixed"
            print "disk", $2, $5, 512, 512, ($7 == "yes" ? "ssd" : "hdd"), place
        }'
    }
}

on_freebsd() {
    say maker "$(kenv -q smbios.system.maker 2>/dev/null)"
    say product "$(kenv -q smbios.system.product 2>/dev/null)"
    awk '/^ *Origin="/ && !done {
            vendor = $0; sub(/^[^"]*"/, "", vendor); sub(/".*$/, "", vendor)
            family = $0; sub(/.*Family=0x/, "", family); sub(/[ \t].*$/, "", family)
            model = $0; sub(/.*Model=0x/, "", model); sub(/[ \t].*$/, "", model)
            print vendor, family, model; done = 1 }' "$root/var/run/dmesg.boot" 2>/dev/null |
        while read -r vendor family model; do
            echo "cpu $vendor $((0x$family)) $((0x$model))"
        done
    say cpu-name "$(sysctl -n hw.model 2>/dev/null)"
    boot=$(cat "$root/var/run/dmesg.boot" 2>/dev/null)
    words=cpu-flags
    case $boot in *"AMD Features="*"LM"*) words="$words lm" ;; *) [ "$machine" = amd64 ] && words="$words lm" ;; esac
    case $boot in *"VT-x:"*) words="$words vmx" ;; esac
    case $boot in *"VT-x:"*EPT*) words="$words ept" ;; esac
    case $boot in *"VT-x:"*,UG*) words="$words unrestricted_guest" ;; esac
    case $boot in *"SVM:"*) words="$words svm" ;; esac
    case $boot in *"SVM: NP"*) words="$words npt" ;; esac
    case $boot in *"SVM:"*NRIP*) words="$words nrip_save" ;; esac
    case $boot in *"SVM:"*DAssist*) words="$words decodeassists" ;; esac
    [ "$(sysctl -n kern.vm_guest 2>/dev/null)" = none ] || words="$words hypervisor"
    [ -n "$boot" ] && echo "$words"
    say memory "$(sysctl -n hw.physmem 2>/dev/null)"
    case $(sysctl -n machdep.bootmethod 2>/dev/null) in
    UEFI) echo "firmware uefi" ;;
    BIOS) printf 'firmware bios\nsecure-boot off\n' ;;
    esac
    listed=$(pciconf -l 2>/dev/null) && {
        echo "pci-list"
        printf '%s\n' "$listed" | sed -n \
            -e 's/.*class=0x\([0-9a-f]\{6\}\) .*vendor=0x\([0-9a-f]\{4\}\) device=0x\([0-9a-f]\{4\}\) subvendor=0x\([0-9a-f]\{4\}\) subdevice=0x\([0-9a-f]\{4\}\).*/pci \2:\3 \1 \4:\5/p' \
            -e 's/.*class=0x\([0-9a-f]\{6\}\) card=0x\([0-9a-f]\{4\}\)\([0-9a-f]\{4\}\) chip=0x\([0-9a-f]\{4\}\)\([0-9a-f]\{4\}\).*/pci \5:\4 \1 \3:\2/p'
    }
}

on_macos() {
    echo "maker Apple"
    say product "$(sysctl -n hw.model 2>/dev/null)"
    vendor=$(sysctl -n machdep.cpu.vendor 2>/dev/null)
    if [ -n "$vendor" ]; then
        say cpu "$vendor $(sysctl -n machdep.cpu.family 2>/dev/null) $(sysctl -n machdep.cpu.model 2>/dev/null)"
        words=cpu-flags
        case " $(sysctl -n machdep.cpu.extfeatures 2>/dev/null) " in *" EM64T "*) words="$words lm" ;; esac
        case " $(sysctl -n machdep.cpu.features 2>/dev/null) " in *" VMX "*) words="$words vmx" ;; esac
        echo "$words"
    fi
    say cpu-name "$(sysctl -n machdep.cpu.brand_string 2>/dev/null)"
    say memory "$(sysctl -n hw.memsize 2>/dev/null)"
}

echo "smartos-wizard hardware 1"
echo "# What this machine has, for \`smartos-wizard doctor --target FILE\`."
echo "# No serial numbers, network addresses or host names are in here."
say system "$system"
say machine "$machine"
case $system in
Linux) on_linux ;;
SunOS) on_illumos ;;
FreeBSD | DragonFly) on_freebsd ;;
Darwin) on_macos ;;
esac
echo "end"
