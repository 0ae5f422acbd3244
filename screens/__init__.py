"""The Textual screens, one per file. Import them as `smartos_wizard.screens`."""
