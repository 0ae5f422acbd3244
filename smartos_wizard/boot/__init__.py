"""What a SmartOS machine is told at boot. Imports core and releases only."""
