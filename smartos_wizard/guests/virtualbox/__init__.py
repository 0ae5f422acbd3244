"""Guests in VirtualBox, by its own command VBoxManage: it works from any place, and needs no bindings of one version."""
