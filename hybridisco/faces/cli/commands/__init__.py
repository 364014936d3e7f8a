"""One file for each command or group of commands; :mod:`..menu` is the list of them."""
