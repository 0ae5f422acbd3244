"""A make-believe mirror and make-believe keys: nothing here can touch a real disk or the network."""
