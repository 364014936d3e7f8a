"""What the tests stand on: a Python environment for each Blender, a Debian with a whole one, and how to run them."""
