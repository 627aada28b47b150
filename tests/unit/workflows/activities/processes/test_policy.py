import pytest

from biz.dsl.errors import TaskFault
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy


@pytest.mark.parametrize(
    ("policy", "setting"),
    [
        (ProcessPolicy(), "PROCESSES"),
        (ProcessPolicy(kinds=["script"]), "PROCESSES"),
        (ProcessPolicy(kinds=["shell"], namespaces=["a"]), "PROCESS_NAMESPACES"),
    ],
)
def test_what_no_setting_allows_is_an_authorization_error(
    policy: ProcessPolicy, setting: str
) -> None:
    with pytest.raises(TaskFault) as raised:
        policy.require_allowed(ProcessKind.SHELL, "b")
    assert raised.value.error.status == 403
    assert f"setting {setting} " in raised.value.error.detail


@pytest.mark.parametrize("namespaces", [[], ["a", "b"]])
def test_what_a_setting_allows_may_run(namespaces: list[str]) -> None:
    policy = ProcessPolicy(kinds=["shell"], namespaces=namespaces)
    policy.require_allowed(ProcessKind.SHELL, "b")
