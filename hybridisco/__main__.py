"""``python -m hybridisco`` is the command ``hybridisco``."""

import sys

from hybridisco.faces.cli import program

if __name__ == "__main__":
    sys.exit(program())
