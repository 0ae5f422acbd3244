"""The one small program that runs as root. Imports the standard library only."""
