"""What an operator says at its end. Only for type checkers: nothing imports this when it runs."""

from __future__ import annotations

from bpy.stub_internal.rna_enums import OperatorReturnItems

Done = set[OperatorReturnItems]
