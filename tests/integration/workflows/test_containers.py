"""Containers by the API of Docker, against a stand-in of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from biz.dsl.calls.container_call import Cleanup, ContainerCall, PullPolicy
from biz.dsl.calls.process_call import ProcessOutput
from biz.logs.log import LogSink
from tests.fixtures.activities import CONTEXT, Recorded, error_of, perform
from tests.fixtures.container_engine import StandInEngine, now
from tests.fixtures.performers import KeptLines, new_performer
from tests.fixtures.polling import until
from workflows.activities.processes.container_engine import (
    CALL,
    EXECUTION,
    KEEP_SECONDS,
    STOP_AT,
    ContainerEngine,
)
from workflows.activities.processes.container_process import ContainerActivities
from workflows.activities.processes.container_sweeper import ContainerSweeper
from workflows.activities.processes.policy import ProcessPolicy
from workflows.activities.processes.runner import ProcessLimits

LIMITS = ProcessLimits(seconds=20, cpu_seconds=2, memory_mb=200, output_bytes=100_000)
ALLOWED = ProcessPolicy(kinds=["container"])
EXAMPLE = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"\n'


def engine_at(address: str, *, seconds: float = 20) -> ContainerEngine:
    limits = ProcessLimits(seconds=seconds, cpu_seconds=2, memory_mb=200, output_bytes=100_000)
    return ContainerEngine(address=address, limits=limits, volumes=["/srv/data"])


def activities_at(
    address: str,
    *,
    policy: ProcessPolicy = ALLOWED,
    seconds: float = 20,
    logs: LogSink | None = None,
) -> ContainerActivities:
    performer = new_performer(Recorded(), logs=logs)
    engine = engine_at(address, seconds=seconds)
    return ContainerActivities(performer=performer, policy=policy, engine=engine)


@pytest.fixture
def activities(container_engine: StandInEngine) -> ContainerActivities:
    return activities_at(container_engine.address)


def call(command: Any = None, **properties: Any) -> ContainerCall:
    defaults: dict[str, Any] = {
        "image": "alpine",
        "name": None,
        "command": command,
        "ports": {},
        "volumes": {},
        "pull_policy": PullPolicy.IF_NOT_PRESENT,
        "cleanup": Cleanup.NEVER,
        "keep_seconds": 0,
        "workflow": "order",
        "namespace": "shop",
        "task": "pay (now)",
        "stdin": None,
        "arguments": [],
        "environment": {},
        "output": ProcessOutput.STDOUT,
        "awaited": True,
        "idempotency_key": "run:/do/0/go:1",
    }
    return ContainerCall(**{**defaults, **properties})


class TestRuns:
    async def test_the_standards_own_example_runs(self, activities: ContainerActivities) -> None:
        made = call(EXAMPLE, stdin="Hello World", arguments=["Foo", "Bar"])
        assert await perform(activities.call, made) == "STDIN was: Hello World\nARGS are Foo Bar\n"

    async def test_an_image_runs_what_it_runs_by_itself(
        self, activities: ContainerActivities
    ) -> None:
        made = call(image="hello-world")
        assert await perform(activities.call, made) == "Hello from Docker!\n"

    async def test_arguments_follow_what_the_image_runs_by_itself(
        self, activities: ContainerActivities
    ) -> None:
        made = call(image="hello-world", arguments=["again", 2])
        assert await perform(activities.call, made) == "Hello from Docker! again 2\n"

    async def test_it_has_its_environment(self, activities: ContainerActivities) -> None:
        made = call("echo $A $B", environment={"A": "x", "B": 1, "C": None})
        assert await perform(activities.call, made) == "x 1\n"

    @pytest.mark.parametrize(
        ("output", "value"),
        [("all", {"code": 3, "stdout": "a\n", "stderr": "b\n"}), ("code", 3)],
    )
    async def test_it_gives_what_is_asked_for(
        self, activities: ContainerActivities, output: str, value: Any
    ) -> None:
        made = call("echo a; echo b >&2; exit 3", output=ProcessOutput(output))
        assert await perform(activities.call, made) == value

    async def test_the_log_has_what_it_writes(self, container_engine: StandInEngine) -> None:
        kept = KeptLines()
        activities = activities_at(container_engine.address, logs=kept)
        await perform(activities.call, call("echo a; sleep 0.1; echo b >&2; printf c"))
        told = [(line.message, line.fields["stream"]) for line in kept.lines]
        assert sorted(told) == [("a", "stdout"), ("b", "stderr"), ("c", "stdout")]

    async def test_another_exit_code_than_zero_is_a_runtime_error(
        self, activities: ContainerActivities
    ) -> None:
        error = await error_of(activities.call, call("echo no >&2; exit 3"))
        assert error["detail"] == "the process ended with exit code 3: no"

    async def test_one_that_isnt_awaited_goes_on(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        assert await perform(activities.call, call("cat", stdin="x", awaited=False)) is None
        await until(lambda: not container_engine.only().is_running)
        assert container_engine.only().code == 0

    async def test_ports_volumes_and_limits_reach_the_engine(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        volumes = {"/srv/data/a/../b": "/b", "cache": "/c:ro"}
        await perform(
            activities.call, call("true", ports={"8080": 80, "53": "53/udp"}, volumes=volumes)
        )
        host = container_engine.only().config["HostConfig"]
        assert host["PortBindings"] == {
            "80/tcp": [{"HostPort": "8080"}],
            "53/udp": [{"HostPort": "53"}],
        }
        assert host["Binds"] == ["/srv/data/b:/b", "cache:/c:ro"]
        assert (host["Memory"], host["PidsLimit"]) == (200 * 1024 * 1024, 128)


class TestNames:
    async def test_the_name_is_as_the_standard_recommends(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        await perform(activities.call, call("true"))
        container = container_engine.only()
        assert container.name.startswith("order-")
        assert container.name.endswith(".shop-pay-now-")
        assert container.config["Labels"][EXECUTION] == "run"
        assert container.config["Labels"][CALL] == "run:/do/0/go:1"

    async def test_a_definition_may_name_it(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        await perform(activities.call, call("true", name="mine"))
        assert container_engine.only().name == "mine"

    async def test_a_repetition_takes_the_place_of_a_lost_attempt(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        await perform(activities.call, call("sleep 60", name="mine", awaited=False))
        lost = container_engine.only()
        assert await perform(activities.call, call("echo a", name="mine")) == "a\n"
        assert container_engine.only() is not lost

    async def test_a_name_that_is_another_calls_is_a_configuration_error(
        self, activities: ContainerActivities
    ) -> None:
        await perform(activities.call, call("true", name="mine", idempotency_key="other"))
        error = await error_of(activities.call, call("true", name="mine"))
        assert (error["status"], error["detail"]) == (400, "there is a container mine already")


class TestImages:
    @pytest.mark.parametrize(
        ("policy", "image", "pulled"),
        [
            (PullPolicy.IF_NOT_PRESENT, "alpine", []),
            (PullPolicy.IF_NOT_PRESENT, "hello-world", ["hello-world:latest"]),
            (PullPolicy.ALWAYS, "hello-world", ["hello-world:latest"]),
            (PullPolicy.ALWAYS, "hello-world:latest", ["hello-world:latest"]),
            (PullPolicy.NEVER, "alpine", []),
        ],
    )
    async def test_an_image_is_pulled_as_the_policy_says(
        self,
        activities: ContainerActivities,
        container_engine: StandInEngine,
        policy: PullPolicy,
        image: str,
        pulled: list[str],
    ) -> None:
        await perform(activities.call, call(image=image, pull_policy=policy, stdin=""))
        assert container_engine.pulled == pulled

    @pytest.mark.parametrize("policy", list(PullPolicy))
    async def test_an_image_that_cant_be_had_is_a_configuration_error(
        self, activities: ContainerActivities, policy: PullPolicy
    ) -> None:
        error = await error_of(activities.call, call(image="nothing", pull_policy=policy))
        assert error["status"] == 400
        assert error["detail"].startswith("the image nothing ")


class TestLifetime:
    @pytest.mark.parametrize("command", ["true", "exit 3"])
    @pytest.mark.parametrize(("cleanup", "count"), [("always", 0), ("never", 1), ("eventually", 1)])
    async def test_the_cleanup_says_what_is_left(
        self,
        activities: ContainerActivities,
        container_engine: StandInEngine,
        command: str,
        cleanup: str,
        count: int,
    ) -> None:
        made = call(command, cleanup=Cleanup(cleanup), keep_seconds=60, output=ProcessOutput.CODE)
        await perform(activities.call, made)
        assert len(container_engine.containers) == count

    async def test_the_sweeper_deletes_what_is_due(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        for name, cleanup in (("due", "eventually"), ("not yet", "eventually"), ("kept", "never")):
            properties = {"cleanup": Cleanup(cleanup), "keep_seconds": 60}
            await perform(activities.call, call("true", name=name, **properties))
        for container in container_engine.containers:
            ago = 30 if container.name == "not yet" else 90
            container.ended_at = now(ago=timedelta(seconds=ago))
        await engine_at(container_engine.address).sweep()
        assert [c.name for c in container_engine.containers] == ["not yet", "kept"]

    async def test_the_sweeper_stops_what_is_late_and_deletes_what_nobody_waited_for(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        properties = {"awaited": False, "cleanup": Cleanup.ALWAYS}
        await perform(activities.call, call("sleep 60", name="late", **properties))
        await perform(activities.call, call("sleep 60", name="in time", **properties, stdin="x"))
        container_engine.containers[0].config["Labels"][STOP_AT] = "1"
        engine = engine_at(container_engine.address)
        await engine.sweep()
        late, in_time = container_engine.containers
        assert (late.is_running, in_time.is_running) == (False, True)
        late.ended_at = now(ago=timedelta(seconds=5))
        await engine.sweep()
        assert container_engine.containers == [in_time]

    async def test_a_container_that_never_ran_counts_by_its_creation(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        await perform(activities.call, call("true", cleanup=Cleanup.EVENTUALLY, keep_seconds=9))
        container = container_engine.only()
        container.ended_at, container.created_at = "0001-01-01T00:00:00Z", "odd"
        engine = engine_at(container_engine.address)
        await engine.sweep()
        assert len(container_engine.containers) == 1
        container.created_at = now(ago=timedelta(minutes=1))
        await engine.sweep()
        assert not container_engine.containers

    async def test_it_sweeps_again_and_again(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        await perform(activities.call, call("true"))
        sweeper = ContainerSweeper(
            engine=engine_at(container_engine.address), interval=timedelta(milliseconds=10)
        )
        sweeping = asyncio.create_task(sweeper.run())
        container_engine.only().config["Labels"][KEEP_SECONDS] = "-100"
        await until(lambda: not container_engine.containers)
        sweeping.cancel()

    async def test_it_goes_on_where_the_engine_is_away(self) -> None:
        sweeper = ContainerSweeper(
            engine=engine_at("unix:///nowhere.sock"), interval=timedelta(milliseconds=10)
        )
        sweeping = asyncio.create_task(sweeper.run())
        await asyncio.sleep(0.1)
        assert not sweeping.done()
        sweeping.cancel()


class TestEnds:
    @pytest.mark.parametrize(("cleanup", "count"), [(Cleanup.ALWAYS, 0), (Cleanup.NEVER, 1)])
    async def test_a_cancellation_stops_it(
        self,
        activities: ContainerActivities,
        container_engine: StandInEngine,
        cleanup: Cleanup,
        count: int,
    ) -> None:
        made = call("sleep 60", cleanup=cleanup)
        running = asyncio.create_task(ActivityEnvironment().run(activities.call, made, CONTEXT))
        await until(lambda: any(c.is_running for c in container_engine.containers))
        container = container_engine.only()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not container.is_running
        assert len(container_engine.containers) == count

    async def test_one_that_runs_too_long_is_a_timeout(
        self, container_engine: StandInEngine
    ) -> None:
        quick = activities_at(container_engine.address, seconds=0.3)
        error = await error_of(quick.call, call("sleep 60"))
        assert (error["status"], error["detail"]) == (408, "the container ran longer than 0.3 s")
        assert not container_engine.only().is_running

    async def test_endless_output_is_stopped(
        self, activities: ContainerActivities, container_engine: StandInEngine
    ) -> None:
        error = await error_of(activities.call, call("yes"))
        assert error["detail"] == "the container wrote more than 100000 bytes"
        assert not container_engine.only().is_running


class TestRefusals:
    @pytest.mark.parametrize(
        "policy",
        [ProcessPolicy(kinds=["shell"]), ProcessPolicy(kinds=["container"], namespaces=["x"])],
    )
    async def test_one_that_isnt_allowed_doesnt_run(
        self, container_engine: StandInEngine, policy: ProcessPolicy
    ) -> None:
        closed = activities_at(container_engine.address, policy=policy)
        assert (await error_of(closed.call, call("true")))["status"] == 403
        assert not container_engine.containers

    async def test_without_an_engine_it_is_a_configuration_error(self) -> None:
        error = await error_of(activities_at("").call, call("true"))
        assert error["status"] == 400
        assert "the setting CONTAINER_HOST" in error["detail"]

    @pytest.mark.parametrize("address", ["unix:///nowhere.sock", "tcp://127.0.0.1:1"])
    async def test_an_engine_that_is_away_is_a_communication_error(self, address: str) -> None:
        error = await error_of(activities_at(address).call, call("true"))
        assert (error["status"], error["detail"]) == (500, "the container engine doesn't answer")

    @pytest.mark.parametrize("folder", ["/", "/etc", "/srv/database", "/srv/data/../x", "./x"])
    async def test_other_folders_of_the_host_arent_mounted(
        self, activities: ContainerActivities, container_engine: StandInEngine, folder: str
    ) -> None:
        error = await error_of(activities.call, call("true", volumes={folder: "/x"}))
        assert error["status"] == 403
        assert not container_engine.containers

    @pytest.mark.parametrize(
        "properties",
        [
            {"image": ""},
            {"image": None},
            {"name": ["a"]},
            {"command": {}},
            {"ports": []},
            {"ports": {"a": 80}},
            {"ports": {"80": "x"}},
            {"ports": {"80/tcp": 80}},
            {"ports": {"80": None}},
            {"volumes": {"a": "b"}},
            {"volumes": {"a:b": "/c"}},
            {"volumes": {"": "/c"}},
            {"volumes": "a"},
        ],
    )
    async def test_a_value_that_no_container_can_take_is_an_expression_error(
        self, activities: ContainerActivities, properties: dict[str, Any]
    ) -> None:
        error = await error_of(activities.call, call(**properties))
        assert error["type"].endswith("/expression")
