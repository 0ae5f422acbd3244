"""SmartOS over the network: the tree machines boot from, its scripts, serving it for an evening, checking it.

May import core, releases, boot and media; never guests, reinstall, the interface or the commands.
"""
