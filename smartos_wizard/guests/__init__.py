"""Lab guests: a machine that SmartOS may have for itself, in VirtualBox, VMware or QEMU, and that can harm nothing."""
