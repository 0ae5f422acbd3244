"""Images, disks, writing, proving, and what is on a key. Imports core, releases and boot only."""
