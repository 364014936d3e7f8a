"""The sidecars: small programs beside the backends of a box that announce them on the LAN, by health.

The way of a fact: :mod:`.finder` tells of backends that run here; :mod:`.look` asks one what it is and which addresses
lead to it; :mod:`.reasons` says why it must not be announced, if so; :mod:`.health` decides whether it is by now;
:mod:`.backend` makes an announcement of all that; :mod:`.sidecar` makes the network agree with it, by :mod:`.engine`
and :mod:`.responder`, and follows the network, which :mod:`.network` watches. :mod:`.runner` has the signals, the
settings and the status file, :mod:`.cli` is the command ``hybridisco announce``, :mod:`.service` installs it.

:mod:`.assignment` is what is to be announced, :mod:`.identity` keeps the id that lets everybody know a backend again.

A sidecar is a convenience, not a requirement: a static Avahi service with the same TXT keys is a full citizen.
"""
