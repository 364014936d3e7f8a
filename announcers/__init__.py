"""The sidecars: small processes beside a backend that announce it on the LAN, by health.

The way of a fact: :mod:`.look` asks the backend what it is and which addresses lead to it, :mod:`.health` decides
whether that is worth announcing, :mod:`.sidecar` makes an announcement of it, :mod:`.engine` puts it on the wire.
:mod:`.identity` keeps the id that lets everybody know the backend again after it moved. :mod:`.cli` is the command
``hybridisco announce``.

A sidecar is a convenience, not a requirement: a static Avahi service with the same TXT keys is a full citizen.
"""
