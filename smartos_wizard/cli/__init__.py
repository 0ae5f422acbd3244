"""The command: one file per group. Commands call rooms; they open no device, socket or process themselves."""
