"""What runs in a lab host: ``python -m bench.inside MODULE:FUNCTION OPTIONS`` measures once for each line that it gets.

FUNCTION is a coroutine function that takes the options (a JSON object) and returns another, without arguments: that one
measures once, and returns a sample. All imports are paid for before the first.
"""
