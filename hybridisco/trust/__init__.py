"""Trust on first use: who owns which key, kept as ssh keeps its known hosts.

======================  =====================================================================
:mod:`.ed25519`         making keys, signing and verifying (knows the vendor libraries)
:mod:`.lines`           the text of a file of keys, and changes to it: pure
:mod:`.file`            reading and replacing such a file within bounds
:mod:`.refused`         RefusedKeys: notes of what was not believed
:mod:`.store`           KnownKeys: the keys that this user knows; what others use
======================  =====================================================================

What follows of a key (trusted, untrusted, unsigned) is judged in the core; nothing here decides that.
"""
