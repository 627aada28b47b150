"""Pictures as SVG and as Mermaid: complete, harmless whatever a definition says, and bounded."""

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.pictures.mermaid import to_mermaid
from biz.pictures.outline import Outline
from biz.pictures.progress import RunProgress, TaskProgress
from biz.pictures.svg import to_svg
from biz.pictures.text import fit, showable, width
from tests.fixtures.workflows import START
from tests.patience import PATIENCE_SECONDS

Outlined = Callable[..., Outline]
NOTHING = {"set": {"a": 1}}
GET = {"call": "http", "with": {"method": "get", "endpoint": "https://x.example.com/{id}"}}
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '"><script>alert(1)</script>',
    "</title><script>alert(1)</script>",
    "' onload='alert(1)",
    'a"] --> b["x',
    '`**bold**` %%{init: {"securityLevel": "loose"}}%%',
    "a\nend\nclick a href javascript:alert(1)",
    "1. list",
    "- list",
    "&lt;b&gt; #quot; ;",
    "\u202egnp.exe",
    "\x07\x1b[31m",
    "{{ }} ]] )) |x|",
)
EVERYTHING: tuple[Any, ...] = (
    {"get": GET},
    {
        "pick": {
            "switch": [
                {"back": {"when": ".a", "then": "get"}},
                {"far": {"when": ".b", "then": "loop"}},
                {"out": {"when": ".c", "then": "end"}},
                {"next": {"then": "continue"}},
            ]
        }
    },
    {
        "fork": {
            "fork": {
                "branches": [
                    {"left": {"do": [{"a": NOTHING}, {"b": {**NOTHING, "then": "exit"}}]}},
                    {"right": {"wait": {"seconds": 1}, "then": "end"}},
                ]
            },
            "then": "try",
        }
    },
    {"loop": {"for": {"in": "${ .all }"}, "do": [{"c": {**NOTHING, "if": ".x"}}]}},
    {
        "try": {
            "try": [{"d": GET}],
            "catch": {"retry": {"delay": {"seconds": 1}}, "do": [{"e": NOTHING}], "then": "end"},
        }
    },
    {"plain": {"try": [{"f": GET}], "catch": {}}},
    {
        "hear": {
            "listen": {"to": {"one": {"with": {"type": "t"}}}},
            "foreach": {"do": [{"g": NOTHING}]},
        }
    },
    {"child": {"run": {"workflow": {"namespace": "n", "name": "w", "version": "1.0.0"}}}},
    {"empty": {"do": []}},
    {"none": {"fork": {"branches": []}}},
    {"tell": {"emit": {"event": {"with": {"type": "t"}}}, "timeout": {"after": "PT1M"}}},
    {"fail": {"raise": {"error": {"type": "https://x.example.com/sad", "status": 500}}}},
)
BESIDE = {
    "functions": {"greet": {"do": [{"h": NOTHING}]}},
    "extensions": [{"log": {"extend": "all", "before": [{"i": NOTHING}]}}],
}


def run(tasks: Mapping[str, TaskProgress], **changes: Any) -> RunProgress:
    given: dict[str, Any] = {
        "id": "r1",
        "status": "FAULTED",
        "started_at": START,
        "ended_at": START + timedelta(seconds=90),
        "error": WorkflowError.standard("communication", "busy"),
        "tasks": tasks,
    }
    return RunProgress(**{**given, **changes})


def tasks_in(svg: str) -> set[str]:
    return {e.attrib["data-task"] for e in ET.fromstring(svg).iter() if "data-task" in e.attrib}


def references(outline: Outline) -> set[str]:
    found = set()
    waiting = [outline.main, *outline.beside]
    while waiting:
        for step in waiting.pop().steps:
            found.add(step.reference)
            waiting.extend(step.sections)
    return found


class TestSvg:
    def test_each_task_is_a_group_with_its_reference_and_a_title(self, outlined: Outlined) -> None:
        outline = outlined(*EVERYTHING, use=BESIDE)
        svg = to_svg(outline)
        assert tasks_in(svg) == references(outline)
        groups = [e for e in ET.fromstring(svg).iter(f"{SVG}g") if "data-task" in e.attrib]
        assert all((group.findtext(f"{SVG}title") or "") for group in groups)

    def test_it_says_what_it_is_to_those_who_dont_see_it(self, outlined: Outlined) -> None:
        root = ET.fromstring(to_svg(outlined({"a": NOTHING})))
        assert root.attrib["role"] == "graphics-document document"
        assert root.findtext(f"{SVG}title") == "sample 0.1.0"
        assert root.find(f"{SVG}desc") is not None

    def test_it_is_the_same_each_time_and_for_dark_pages_too(self, outlined: Outlined) -> None:
        outline = outlined(*EVERYTHING, use=BESIDE)
        assert to_svg(outline) == to_svg(outline)
        assert "@media (prefers-color-scheme:dark)" in to_svg(outline)

    def test_states_have_a_style_a_mark_and_words(
        self, outlined: Outlined, progress_of: Callable[..., Mapping[str, TaskProgress]]
    ) -> None:
        tasks = ({"a": NOTHING}, {"b": {"raise": {"error": "sad"}}}, {"c": NOTHING})
        error = {"type": "https://x.example.com/sad", "status": 500, "title": "Sad"}
        use = {"errors": {"sad": error}}
        progress = progress_of(*tasks, use=use)
        svg = to_svg(outlined(*tasks, use=use), run(progress))
        groups = {
            e.attrib["data-task"]: e for e in ET.fromstring(svg).iter() if "data-task" in e.attrib
        }
        styles = {name: group.attrib["class"].split()[2] for name, group in groups.items()}
        assert styles == {"/do/0/a": "completed", "/do/1/b": "faulted", "/do/2/c": "unreached"}
        marks = {
            name: [e.attrib["class"] for e in group if e.attrib.get("class", "")[:5] == "mark "]
            for name, group in groups.items()
        }
        assert marks == {"/do/0/a": ["mark check"], "/do/1/b": ["mark cross"], "/do/2/c": []}
        assert "faulted: Sad" in svg
        assert "faulted, started 2025-01-02 03:04:05 UTC, took 1 min 30 s" in svg
        assert "not reached" in svg

    def test_a_run_that_hasnt_begun_is_drawn_too(self, outlined: Outlined) -> None:
        begun = run({}, status="PENDING", started_at=None, ended_at=None, error=None)
        root = ET.fromstring(to_svg(outlined({"a": NOTHING}), begun))
        assert root.findtext(f"{SVG}desc") == "pending"

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_text_of_a_definition_is_active(self, outlined: Outlined, text: str) -> None:
        task = {**GET, "if": '${ "x" == "</title><script>" }'}
        switch = {"switch": [{text: {"then": "end"}}]}
        svg = to_svg(outlined({text: task}, {"s": switch}, use={"functions": {text: NOTHING}}))
        root = ET.fromstring(svg)
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert kinds <= {
            "svg", "title", "desc", "style", "rect", "text", "tspan", "g", "path", "circle",
        }  # fmt: skip
        assert not [a for e in root.iter() for a in e.attrib if a.startswith("on") or "href" in a]

    def test_wide_forks_are_broken_into_rows(self, outlined: Outlined) -> None:
        branches = [{f"branch{n}": GET} for n in range(30)]
        root = ET.fromstring(to_svg(outlined({"all": {"fork": {"branches": branches}}})))
        assert int(root.attrib["width"]) < 1600

    def test_thousands_of_tasks_and_jumps_take_seconds(self, outlined: Outlined) -> None:
        tasks = [
            {f"t{n}": {"switch": [{"on": {"when": ".a", "then": f"t{(n * 7919) % 5000}"}}]}}
            for n in range(5000)
        ]
        outline = outlined(*tasks)
        started = time.perf_counter()
        svg = to_svg(outline)
        assert len(tasks_in(svg)) == 5000
        to_mermaid(outline)
        assert time.perf_counter() - started < PATIENCE_SECONDS

    def test_the_deepest_definition_is_drawn(self, outlined: Outlined) -> None:
        task: Any = NOTHING
        for _ in range(60):
            task = {"do": [{"inner": task}]}
        outline = outlined({"outer": task})
        assert len(tasks_in(to_svg(outline))) == 61
        assert to_mermaid(outline).count("subgraph") == 60


class TestMermaid:
    def test_ways_are_edges_and_tasks_with_tasks_are_subgraphs(self, outlined: Outlined) -> None:
        text = to_mermaid(
            outlined(
                {"a": NOTHING},
                {"s": {"switch": [{"back": {"when": ".x", "then": "a"}}]}},
                {"loop": {"for": {"in": "${ .all }"}, "do": [{"b": {**NOTHING, "then": "end"}}]}},
            )
        )
        assert text.splitlines()[3:] == [
            "flowchart TD",
            '  start(["start"])',
            "  start --> t1",
            '  t1["a<br/>set a"]',
            "  t1 --> t2",
            '  t2{"s<br/>switch"}',
            '  t2 -->|"back: .x"| t1',
            '  t2 -->|"otherwise"| t3',
            '  subgraph g4["loop"]',
            '    t3{{"loop<br/>for each item in .all"}}',
            "    t3 --> t5",
            '    t5["b<br/>set a"]',
            "  end",
            '  t3 -->|"done"| done',
            "  t5 --> done",
            '  done(["end"])',
        ]

    def test_all_kinds_of_tasks_are_drawn(self, outlined: Outlined) -> None:
        text = to_mermaid(outlined(*EVERYTHING, use=BESIDE))
        assert text.count("subgraph") == text.count("\n  end") + text.count("    end")
        for name in ("get", "left", "right", "join", "catch all errors", "function greet"):
            assert f'"{name}' in text

    def test_states_have_a_class_a_mark_and_words(
        self, outlined: Outlined, progress_of: Callable[..., Mapping[str, TaskProgress]]
    ) -> None:
        progress = progress_of({"a": {"wait": {"seconds": 5}}})
        text = to_mermaid(outlined({"a": {"wait": {"seconds": 5}}}), run(progress))
        assert 't1(["a<br/>wait 5 s<br/>#10003; completed, 5.0 s"]):::completed' in text.replace(
            "✓", "#10003;"
        )
        assert "classDef completed" in text

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_text_of_a_definition_is_syntax(self, outlined: Outlined, text: str) -> None:
        switch = {"switch": [{text: {"when": ".a", "then": "end"}}]}
        lines = to_mermaid(outlined({text: GET}, {"s": switch})).splitlines()
        for line in lines[4:]:
            for quoted in re.findall(r'"([^"]*)"', line):
                assert not re.search(r"[<>&`%{}|\[\]\x00-\x1f]", quoted.replace("<br/>", ""))
            assert line.count('"') in (0, 2)


class TestText:
    def test_what_can_do_harm_is_marked(self) -> None:
        assert showable("a\nb\x07\u202e\ud800") == "a b���"

    @pytest.mark.parametrize("is_mono", [False, True])
    def test_it_is_cut_to_fit(self, is_mono: bool) -> None:
        cut = fit("a long text that doesn't fit", 100, 11, is_mono=is_mono)
        assert cut.endswith("…")
        assert width(cut, 11, is_mono=is_mono) <= 100
        assert fit("short", 100, 11) == "short"

    def test_signs_of_other_scripts_count_as_they_are(self) -> None:
        assert width("漢字", 10, is_mono=True) == 20
        assert width("漢字", 10) > width("ab", 10)
        assert width("éü", 10) > 0
