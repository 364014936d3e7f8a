"""Everything of the extension that needs no Blender: plain values in, plain values out, tested with plain pytest.

====================  =====================================================================
:mod:`.settings`      what the preferences hold, as the library's settings; complaints
:mod:`.follower`      follows discovery: what is shown now, and what was known before
:mod:`.memory`        services as they are kept until the next start
:mod:`.listing`       which rows, in which order
:mod:`.details`       what the panel says of one service
:mod:`.headline`      the line above the list
:mod:`.nothing`       what the panel says when there is nothing to show
:mod:`.undecided`     what answers but does not tell what it is
:mod:`.choices`       the service that is used for each kind
:mod:`.trust`         services that are announced by somebody who may not
:mod:`.new_key`       what is shown before a new key is accepted
:mod:`.written`       manual entries: which service they made, and adding one
:mod:`.wrapping`      sentences in a narrow column
:mod:`.icons`         what a status and a kind look like
:mod:`.words`         translatable text
====================  =====================================================================
"""
