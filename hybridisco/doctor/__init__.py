"""``hybridisco doctor``: why is something not seen, and what is to be done?

Theory of operation. *Gatherers* look at this machine and its network and write down what they saw, as frozen
facts; they judge nothing. *Judges* are pure functions from all facts to checks, so that every judgement is tested
without a network. A check that finds something wrong names a cause; the causes of all checks, put in order, are
the diagnosis.

============================  ================================================================================
:mod:`.report`                what comes out: checks, and causes in order of likelihood
:mod:`.facts`                 what gatherers bring
:mod:`.examine`               runs the gatherers, then the judges: the one place where things are wired
:mod:`.links`, :mod:`.port`, :mod:`.machine`, :mod:`.hosts`, :mod:`.services`, :mod:`.firewall.read`   gatherers
:mod:`.packets`               the gatherer that speaks mDNS; the only file with sockets of its own for it
:mod:`.dns`                   the few DNS messages that it needs, to bytes and back
:mod:`.firewall`              a rule set read, and what it does to a packet
:mod:`.judge`                 the judges, a file for each subject
:mod:`.text`, :mod:`.document`  the report for people, and for programs
============================  ================================================================================
"""
