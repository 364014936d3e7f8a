"""The sidecars: small processes beside a backend that announce it on the LAN, by health.

The way of a fact: :mod:`.look` asks the backend what it is and which addresses lead to it, :mod:`.reasons` says
why that must not be announced, if so, :mod:`.health` decides whether it is by now, :mod:`.sidecar` makes an
announcement of it, :mod:`.engine` puts it on the wire. :mod:`.assignment` is what the user asked for,
:mod:`.identity` keeps the id that lets everybody know the backend again after it moved, and :mod:`.cli` is the
command ``hybridisco announce``.

A sidecar is a convenience, not a requirement: a static Avahi service with the same TXT keys is a full citizen.
"""
