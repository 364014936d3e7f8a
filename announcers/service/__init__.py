"""The sidecar as a service that runs for a year: what is installed, how it reports, and what it says of itself.

::

    job        what the service is to run, and as whom: the one value that all texts are made of
    systemd    launchd    windows      pure: a job becomes a Plan (a file, commands, what to do next)
    machine    where a plan is carried out: files below a root, programs on PATH
    seal       whether a file that is there is still as we wrote it
    cli        ``hybridisco announce install | uninstall | status``
    status     the status file that a running sidecar writes, read defensively
    table      that file, for people
    notify     sd_notify: ready, status, watchdog
    avahi      a static service file for boxes that cannot run Python
"""
