"""What is told of a call that had secrets, when it fails."""

from typing import Any

import pytest
import structlog
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from biz.dsl.calls.http_call import HttpCall, HttpOutput
from biz.dsl.deferral import Deferral, Hole, Step
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.activities import CONTEXT, Recorded
from tests.fixtures.performers import FakeSecrets, new_authenticator, new_performer
from tests.fixtures.workflows import standard
from workflows.activities.call_completer import CallCompleter
from workflows.activities.expressions.expression_pool import ProcessLost
from workflows.activities.performer import Performer

SECRETS = {("default", "key"): "s3cret"}


def call(program: str = "$secrets.key") -> HttpCall:
    step = Step(text=program, is_template=False, data=None, arguments={}, otherwise=None, holes=[])
    return HttpCall(
        method="GET",
        uri="https://pets.test",
        query={},
        headers={},
        body=None,
        output=HttpOutput.CONTENT,
        redirect=False,
        idempotency_key="run:1",
        deferral=Deferral(secrets=["key"], steps=[step], holes=[Hole(path=["headers"], step=0)]),
    )


async def fail_with(error: Exception, performer: Performer | None = None, **changes: Any) -> Any:
    """What comes of a call whose sending raises `error`."""
    made = performer or new_performer(Recorded(), SECRETS)

    async def send(sent: HttpCall) -> Any:
        raise error

    program = changes.get("program", "{k: $secrets.key}")
    return await ActivityEnvironment().run(made.perform, call(program), CONTEXT, send)


async def test_a_fault_is_told_without_secrets() -> None:
    fault = TaskFault(WorkflowError.standard("communication", "s3cret isn't taken"))
    with pytest.raises(ApplicationError) as raised:
        await fail_with(fault)
    assert raised.value.non_retryable
    assert raised.value.message == "*** isn't taken"
    assert raised.value.details[0]["detail"] == "*** isn't taken"


async def test_a_call_that_breaks_is_logged_without_secrets() -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(ApplicationError) as raised:
        await fail_with(ValueError("s3cret is odd"))
    assert raised.value.details[0]["type"] == standard("runtime")
    [entry] = logs
    assert (entry["event"], entry["execution_id"]) == ("a call broke", "run")
    assert "ValueError: *** is odd" in entry["trace"]
    assert "s3cret" not in str(logs) + str(raised.value)


async def test_what_a_secret_makes_of_a_call_is_checked() -> None:
    with pytest.raises(ApplicationError) as raised:
        await fail_with(AssertionError(), program="$secrets.key")
    assert raised.value.details[0]["type"] == standard("expression")


async def test_a_lost_process_is_tried_again() -> None:
    class Lost:
        async def evaluate(self, program: str, data: str) -> Any:
            raise ProcessLost("the process of an expression ended with -9")

    completer = CallCompleter(
        secrets=FakeSecrets(SECRETS), evaluator=Lost(), authenticator=new_authenticator()
    )
    performer = new_performer(Recorded(), completer=completer)
    with pytest.raises(ProcessLost):
        await fail_with(AssertionError(), performer, program='{k: ($secrets.key | test("s"))}')
