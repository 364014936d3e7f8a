"""Pure rules: what a service is, who is who, what a reply proves, how evidence merges.

Nothing in here opens a socket, starts a thread, asks for the time or rolls dice. Time comes in as an
argument, bytes come in as values; so every rule can be tested by calling it.

====================  =====================================================================
:mod:`.errors`        the exceptions, and what each tells the user
:mod:`.model`         the nouns: Endpoint, Finding, Announcement, Service, Event, Snapshot
:mod:`.ports`         the two interfaces between the layers: Source and Sink
:mod:`.safe`          the edge where text, addresses and numbers from the network are made harmless
:mod:`.txt`           TXT records (RFC 6763 section 6): the wire format of an announcement
:mod:`.conditions`    the little language in which a kind says what its replies look like
:mod:`.gradio`        Gradio's `/config` and index page, reduced to what identifies an app
:mod:`.kind`          what a backend kind is: data for recognising and for explaining it
:mod:`.fingerprint`   which request next, and what the replies prove (no I/O: it only decides)
:mod:`.identity`      which pieces of evidence speak of the same service
:mod:`.evidence`      an announcement, and what time did to it
:mod:`.verdict`       how an endpoint stands as a kind, and what vague evidence is
:mod:`.merge`         evidence in, services out
:mod:`.liveness`      when to look again, and when a silent service is gone
====================  =====================================================================
"""
