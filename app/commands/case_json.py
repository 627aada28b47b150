"""The results of tests for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from app.commands.case_report import Results
from app.definition_file import fault_line
from app.junit import Suite
from app.output import print_json
from biz.dsl.dry_run import DryRun
from biz.dsl.reading.diagnostics import Diagnostic
from biz.dsl.task_paths import pointer_of
from biz.testing.cases import Case
from biz.testing.coverage import Coverage
from biz.testing.faults import Injection
from biz.testing.judging import shown_ending


class JsonReport:
    """A `case_report.Report` as one JSON array at the end: of files, or of calls that failed."""

    def __init__(self) -> None:
        self._told: list[dict[str, Any]] = []

    def wrong_file(self, file: Path, fault: Diagnostic) -> None:
        """Prints it on standard error."""
        typer.echo(fault_line(file, fault), err=True)

    def cases(self, file: Path, results: Results, coverage: Coverage) -> None:
        """Keeps them."""
        self._told.append(
            {
                "file": str(file),
                "cases": [
                    {
                        "name": case.name,
                        "line": case.line,
                        "passed": not faults,
                        "faults": list(faults),
                    }
                    for case, _, faults in results
                ],
                "branches": len(coverage.all),
                "unreached": [
                    {"task": branch.task, "way": branch.way} for branch in coverage.unreached
                ],
            }
        )

    def faults(
        self, file: Path, case: Case, runs: Sequence[tuple[Injection, DryRun | str]]
    ) -> None:
        """Keeps them."""
        for injection, run in runs:
            told = {
                "file": str(file),
                "case": case.name,
                "task": injection.task,
                "fault": injection.kind,
            }
            if isinstance(run, str):
                self._told.append({**told, "problem": run})
                continue
            followers = [pointer_of(call.task) for call in injection.followers(run)]
            self._told.append(
                {
                    **told,
                    "ending": run.ending.value,
                    "detail": shown_ending(run),
                    "calls_after": followers,
                }
            )

    def undone(self, file: Path, case: Case, why: str) -> None:
        """Keeps it."""
        self._told.append({"file": str(file), "case": case.name, "problem": why})

    def end(self, suites: Sequence[Suite]) -> None:
        """Prints what was kept."""
        print_json(self._told)
