"""Firewall rules of Linux, read conservatively: what becomes of an mDNS packet?

::

    model      rules as data, and a packet's way through them
    nft        `nft list ruleset`, to rules
    iptables   `iptables-save` and `ip6tables-save`, to rules
    read       runs the tools (the only part with I/O)

A match that is not understood makes a rule uncertain, never wrong: "dropped" is only said where every match of the
rule holds and no uncertain rule before it may have accepted the packet.
"""
