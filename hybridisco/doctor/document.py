"""The report for programs: one JSON document."""

from __future__ import annotations

import json

from hybridisco.doctor.report import Report


def render(report: Report) -> str:
    """Return the report as JSON. Keys are only ever added while ``schema`` is 1."""
    document = {
        "schema": 1,
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "result": check.result,
                "evidence": check.evidence,
                "why": check.why or None,
                "fix": check.fix or None,
            }
            for check in report.checks
        ],
        "causes": [
            {
                "id": cause.id,
                "title": cause.title,
                "likelihood": cause.likelihood,
                "about": cause.about,
                "evidence": cause.evidence,
                "why": cause.why or None,
                "fix": cause.fix or None,
                "checks": cause.checks,
            }
            for cause in report.causes
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
