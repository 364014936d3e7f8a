"""Last-known services: what was seen on the LAN, kept for the next start.

=====================  =====================================================================
:mod:`.entry`          one service as it is kept, and as it is claimed again (pure)
:mod:`.document`       entries as octets, and back: versioned, bounded, forgiving (pure)
:mod:`.rules`          what is kept for how long (pure)
:mod:`.store`          the file, which several processes share
=====================  =====================================================================
"""
