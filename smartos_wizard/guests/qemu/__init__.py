"""Guests in QEMU: what is embedded in most Linux systems, and needs no rights and no kernel module of its own."""
