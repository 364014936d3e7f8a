"""Measurements, each a program: ``python -m bench.NAME``. They need root, and make network namespaces of their own."""
