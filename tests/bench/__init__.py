"""Measurements against named peers; `make bench` runs them and writes docs/performance.md."""
