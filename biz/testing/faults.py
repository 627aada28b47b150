"""What becomes of a run when one of its calls fails: each in turn, by an error or by a timeout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from biz.dsl.dry_run import DryRun, Rehearsal
from biz.dsl.errors import WorkflowError
from biz.dsl.memory_runtime import Answer
from biz.dsl.mocks import MadeCall, Mock
from biz.dsl.task_paths import pointer_of
from biz.testing.cases import Case, CaseFile
from biz.testing.judging import is_task

KINDS = ("communication", "timeout")
_DETAIL = "the test has it fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A call that is to fail: all that its task makes in a run of a case."""

    case: Case
    task: str
    kind: str

    def rehearsal(self, file: CaseFile) -> Rehearsal:
        """The run. What only other cases mock is mocked as there, and what none does gives null."""
        mocks = {
            task: mock
            for case in (*file.cases, self.case)
            for task, mock in case.mocks.items()
            if not is_task(task, self.task)
        }
        error = WorkflowError.standard(self.kind, _DETAIL)
        mocks[self.task] = Mock([Answer(error=error)])
        rehearsal = self.case.rehearsal(file.config)
        return replace(rehearsal, mocks=_own_first(mocks, self.case), default=Answer(None))

    def followers(self, run: DryRun) -> Sequence[MadeCall]:
        """The calls that other tasks made after the first one that failed."""
        places = [
            place for place, call in enumerate(run.calls) if pointer_of(call.task) == self.task
        ]
        if not places:
            return ()
        behind = run.calls[places[0] + 1 :]
        return [call for call in behind if pointer_of(call.task) != self.task]


def injections(case: Case, run: DryRun) -> Iterator[Injection]:
    """Each of the calls that a run of a case has made, to fail in each way."""
    for task in dict.fromkeys(pointer_of(call.task) for call in run.calls):
        for kind in KINDS:
            yield Injection(case=case, task=task, kind=kind)


def _own_first(mocks: Mapping[str, Mock], case: Case) -> Mapping[str, Mock]:
    """Without those of other cases that would count before one of the case's own."""
    return {
        task: mock
        for task, mock in mocks.items()
        if task in case.mocks or not any(is_task(task, own) for own in case.mocks)
    }
