"""Measurements. ``python -m bench`` compares us with our peers; the others are programs: ``python -m bench.NAME``.

They need root, and make network namespaces of their own::

    __main__     options; runs the rows, prints the table
    rows/        what is measured, a headline or a family of them in each file
    peers/       the others, and the floors: what the kernel or the network allows
    inside/      what runs in a lab host, in processes of its own
    measure      runs contenders in turn, and sums up
    goal, table  what is to be reached, and how it is shown
    options      what the command lines share; stop: a run that is interrupted
    place        hosts, announced services; worker, program, packets: what a contender is made of
    rest, growth, endure, sidecar      programs of their own
"""
