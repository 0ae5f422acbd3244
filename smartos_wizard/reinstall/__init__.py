"""Survey a SmartOS host, back it up, plan a clean re-install, wipe its zones pool, watch it come back.

Imports core, releases, boot and media; never guests, netboot, the interface or the command line.
"""
