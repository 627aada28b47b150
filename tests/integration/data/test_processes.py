"""Several processes on one database, of both kinds."""

import asyncio
import sys
from pathlib import Path

from biz.executions.execution import ExecutionQuery, ExecutionStatus
from data.database import Database
from data.execution import PeeweeExecutionRepo
from tests.fixtures.repos import Clock, first

_ROOT = Path(__file__).parents[3]
_COUNT = 100


async def test_processes_at_once_migrate_and_write_without_error(empty_database_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.fixtures.many_executions", empty_database_url, prefix, str(_COUNT)),
            cwd=_ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        for prefix in ("a", "b")
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))

    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert (process.returncode, errors.decode()) == (0, "")
    database = Database(url=empty_database_url)
    await database.open()
    repo = PeeweeExecutionRepo(database=database, clock=Clock())
    rows = await repo.list(ExecutionQuery(full=True), first(1000, by="id"))
    await database.close()
    expected = {f"{prefix}{n}": {"n": n} for prefix in ("a", "b") for n in range(_COUNT)}
    assert {execution.id: execution.output for execution in rows.items} == expected
    assert {execution.status for execution in rows.items} == {ExecutionStatus.COMPLETED}
