"""Other people's extensions. Each file is one: ``tests.blender.rig.extension`` packs it."""
