"""The extension in real Blender: `make test-blender` runs these tests, `make test` does not."""
