"""SmartOS Wizard: from nothing to a running SmartOS machine, and back to a clean one."""

__version__ = "0.1.0"
