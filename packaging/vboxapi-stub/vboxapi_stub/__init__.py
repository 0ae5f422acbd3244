"""A make-believe VirtualBox: what stands behind the make-believe xpcom."""
