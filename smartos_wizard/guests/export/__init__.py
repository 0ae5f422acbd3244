"""Guests for other programs: an OVA, a libvirt domain, a UTM bundle. What a format cannot carry is said."""
