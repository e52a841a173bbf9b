"""One module for each contestant; each is the main module of a process of its own."""
