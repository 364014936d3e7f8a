"""The program as its users run it: the real command line, on real networks of several hosts."""
