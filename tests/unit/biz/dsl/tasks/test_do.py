from tests.fixtures.workflows import faults, output_of, workflow


async def test_its_output_is_its_last_tasks() -> None:
    definition = workflow(
        {
            "colours": {
                "do": [
                    {"red": {"set": {"colours": '${ .colours + ["red"] }'}}},
                    {"green": {"set": {"colours": '${ .colours + ["green"] }'}}},
                ]
            }
        }
    )
    assert await output_of(definition) == {"colours": ["red", "green"]}


async def test_its_tasks_work_on_its_transformed_input() -> None:
    inner = {"t": {"set": {"seen": "${ . }"}}}
    definition = workflow(
        {"t": {"do": [inner], "input": {"from": ".a"}, "output": {"as": "[.seen]"}}}
    )
    assert await output_of(definition, {"a": 3}) == [3]


def test_its_tasks_are_a_list() -> None:
    assert faults(workflow({"t": {"do": {"a": {"set": {"x": 1}}}}})) == [
        ("wrong-type", "/do/0/t/do")
    ]


def test_as_many_levels_as_a_text_may_have() -> None:
    task = {"t": {"set": {"x": 1}}}
    for _ in range(64):
        task = {"t": {"do": [task]}}
    assert not faults(workflow(task))


async def test_as_many_levels_run() -> None:
    task = {"t": {"set": {"x": 1}}}
    for _ in range(64):
        task = {"t": {"do": [task]}}
    assert await output_of(workflow(task)) == {"x": 1}
