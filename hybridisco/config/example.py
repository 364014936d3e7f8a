"""The file that ``hybridisco config init`` writes: every key, as a comment, with its default."""

from __future__ import annotations

EXAMPLE = """\
# Settings of Hybridisco. Every line here is a comment that shows a default or an example; take away the # to use it.
# `hybridisco config check` tells whether the file is right.

[discovery]
# timeout_s = 5.0                          # how long `hybridisco list` waits at the most
# sources = ["mdns", "probe", "manual"]    # who may find something
# ignore = []                              # ids of services to keep out of lists: `hybridisco ignore ID`

[probe]
# hosts = ["localhost"]                    # more hosts to search, by name or address
# ports = ["8000-8200"]                    # searched besides every kind's own ports
# timeout_s = 5.0                          # for one service; 5 at the most
# rescan_s = 5.0                           # `watch` searches again this often

[mdns]
# interfaces = []                          # only these, such as ["eth0"]; empty: all that are usable
# types = { "_wyoming._tcp" = "wyoming" }  # other DNS-SD types, and the kinds they stand for
# remember = true                          # false: what is seen is not kept for the next start (last_known.json)

# A known kind at other ports, or behind a wrapper with a health endpoint of its own:
# [kinds.comfyui]
# ports = [8188, 8000]
# health = "/system_stats"
# announce = true                          # false: `hybridisco announce` leaves this kind out

[announce]                                 # what `hybridisco announce` announces of this machine
# kinds = []                               # only these, such as ["comfyui"]; empty: every kind but lookalikes
# ports = []                               # looked at besides those of [probe], such as ["9000-9010"]
# names = { "comfyui" = "Film machine", "comfyui:8189" = "Second one" }
# interfaces = []                          # only these; empty: all that lead to a LAN
# bridges = false                          # true: also those of containers and virtual machines
# temporary = false                        # true: also the IPv6 addresses that change every day (privacy)

[trust]                                    # sidecars sign what they announce; their keys are kept
# mode = "first-use"                       # "pinned": only keys that you accepted; "off": signatures are not looked at

# Services that you know of; `hybridisco add URL` writes these.
# [[services]]
# name = "The big box"
# kind = "comfyui"
# url = "http://gpu-box:8188"
"""
