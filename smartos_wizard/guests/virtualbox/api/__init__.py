"""VirtualBox by its Python interface (vboxapi) instead of by VBoxManage: the same plans, the same answers.

The interface belongs to one Python and one VirtualBox, so it is spoken to in a process of its own: `serve` is run by the
Python that has it, is told the words that VBoxManage would get, and answers as VBoxManage would. `serve` and
what it imports need the standard library and vboxapi only, and Python 3.9.
"""
