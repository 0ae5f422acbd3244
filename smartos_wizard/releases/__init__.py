"""Mirrors and their listing, artifacts, checksums, downloads, the local store. Imports core only."""
