"""Builds the Blender extension: ``python -m blender_addon.packaging``, or ``make addon``. Never part of the zip.

::

    downloads  wheels.txt, vendored.txt -> verified files, kept under build/addon/
    vendored   the packages that become submodules: hybridisco from here, zeroconf and ifaddr from downloads
    patches    the few other changes to them
    imports    their absolute imports, and the add-on's, made relative
    manifest   the template filled in
    build      all of it -> one tree of files -> the zip
    archive    the zip, the same bytes each time
    rules      what the zip must keep to: manifest_rules, closure (imports), conduct (the add-on's own code), zip_rules
    blender_tool, repository   Blender's own validation, and a repository that any web server can offer

Between these steps files are a :data:`~blender_addon.packaging.contents.Tree`: nothing is written before all is right.
"""
