"""Plans, events, progress, errors, the journal, settings and paths. Knows nothing of SmartOS."""
