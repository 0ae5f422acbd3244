"""Disks of this machine: facts, judgement, fingerprints, and following plug and unplug."""
