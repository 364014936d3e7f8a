"""The test lab: hosts on a LAN, Avahi, real AI programs and hostile servers, all on this one machine."""
