"""Guests in VMware Workstation, Player and Fusion: a folder with a .vmx file, controlled by vmrun."""
