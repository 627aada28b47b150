"""`test`: workflows in memory, by the cases of test files; needs no server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.commands.case_json import JsonReport
from app.commands.case_report import Report, TextReport
from app.definition_file import read_definition
from app.failure import Failure, show
from app.junit import Suite, write_junit
from app.output import Format
from app.text_file import read_text
from biz.dsl.dry_run import DryRun, Rehearsal
from biz.dsl.validator import check, load_workflow
from biz.errors import DryRunTooLarge
from biz.testing.case_reader import InvalidCases, read_cases
from biz.testing.cases import Case, CaseFile
from biz.testing.coverage import cover
from biz.testing.faults import Injection, injections
from biz.testing.judging import mismatches
from workflows.dry_run_pool import DryRunPool

_CPU_SECONDS = 20
_MEMORY_MB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case: a run, or why there is none; and what is wrong, a line for each."""

    case: Case
    run: DryRun | None
    faults: Sequence[str]


def run_cases(files: Sequence[Path], *, junit: Path | None, output: Format) -> bool:
    """Runs the cases of all files, and prints what is otherwise than expected.

    True where nothing is. A file that is at fault is told, and holds up no other. `junit` is where
    the results are written too.
    """
    return asyncio.run(_run_cases(files, junit, _report(output)))


def fail_calls(files: Sequence[Path], *, output: Format) -> bool:
    """Runs the cases with each of their calls failing in turn, and prints how each run ends.

    True where all of it could be done.
    """
    return asyncio.run(_fail_calls(files, _report(output)))


async def run_case(file: CaseFile) -> tuple[DryRun | None, Sequence[str]]:
    """The run of a file's first case, if there could be one, and what is wrong with it."""
    async with _pool() as pool:
        result = await _result(pool, file, file.cases[0])
    return result.run, result.faults


def _report(output: Format) -> Report:
    return JsonReport() if output == "json" else TextReport()


@asynccontextmanager
async def _pool() -> AsyncIterator[DryRunPool]:
    pool = DryRunPool(cpu_seconds=_CPU_SECONDS, memory_mb=_MEMORY_MB)
    try:
        yield pool
    finally:
        pool.close()


async def _run_cases(files: Sequence[Path], junit: Path | None, report: Report) -> bool:
    suites = []
    is_well = True
    async with _pool() as pool:
        for file in files:
            cases = _read(file, report)
            if cases is None:
                is_well = False
                suites.append(Suite(name=str(file), cases=[("the file", ["it can't be read"])]))
                continue
            results = await asyncio.gather(*(_result(pool, cases, case) for case in cases.cases))
            runs = [result.run for result in results if result.run is not None]
            report.cases(
                file,
                [(result.case, result.run, result.faults) for result in results],
                cover(load_workflow(cases.config), runs),
            )
            suites.append(
                Suite(
                    name=str(file),
                    cases=[(result.case.name, result.faults) for result in results],
                )
            )
            is_well = is_well and not any(result.faults for result in results)
    report.end(suites)
    if junit is not None:
        write_junit(junit, suites)
    return is_well


async def _fail_calls(files: Sequence[Path], report: Report) -> bool:
    is_well = True
    async with _pool() as pool:
        for file in files:
            cases = _read(file, report)
            if cases is None:
                is_well = False
                continue
            for case in cases.cases:
                found = await _fail_each_call(pool, cases, case)
                if isinstance(found, str):
                    report.undone(file, case, found)
                    is_well = False
                    continue
                report.faults(file, case, found)
                is_well = is_well and not any(isinstance(run, str) for _, run in found)
    report.end([])
    return is_well


async def _fail_each_call(
    pool: DryRunPool, file: CaseFile, case: Case
) -> Sequence[tuple[Injection, DryRun | str]] | str:
    """What comes of each call that fails, or why the case can't be run."""
    found = await _run(pool, case.rehearsal(file.config))
    if isinstance(found, str):
        return found
    failing = list(injections(case, found))
    runs = await asyncio.gather(*(_run(pool, injection.rehearsal(file)) for injection in failing))
    return list(zip(failing, runs, strict=True))


async def _result(pool: DryRunPool, file: CaseFile, case: Case) -> Result:
    found = await _run(pool, case.rehearsal(file.config))
    if isinstance(found, str):
        return Result(case=case, run=None, faults=[found])
    return Result(case=case, run=found, faults=mismatches(case.expect, found))


async def _run(pool: DryRunPool, rehearsal: Rehearsal) -> DryRun | str:
    """What came of a run, or the limit that it has reached."""
    try:
        return await pool.run(rehearsal)
    except DryRunTooLarge as error:
        return error.message


def _read(file: Path, report: Report) -> CaseFile | None:
    """The cases of a file; None where it is at fault, which is told."""
    try:
        return read_cases(read_text(file), lambda path: _load(file.parent / path, report))
    except InvalidCases as invalid:
        for fault in invalid.diagnostics:
            report.wrong_file(file, fault)
    except Failure as failure:
        show(Failure(f"{file}: {failure.message}"))
    return None


def _load(file: Path, report: Report) -> str:
    """The text of a definition; raises Failure where it has errors, which are told."""
    text = read_definition(file)
    checked = check(text)
    for fault in checked.diagnostics:
        report.wrong_file(file, fault)
    if checked.errors:
        raise Failure(f"the definition {file} has errors")
    return text
