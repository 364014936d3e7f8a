"""One test an attack: its docstring says what the attacker does, and what the user sees."""
