"""``python -m hybridisco`` is the command ``hybridisco``."""

from hybridisco.faces.cli import main

if __name__ == "__main__":
    main()
