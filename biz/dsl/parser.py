"""JSON values of a definition into a workflow, with every structural fault reported on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from biz.dsl import arguments, evaluation_mode
from biz.dsl.deferral import SECRETS
from biz.dsl.document import read_document
from biz.dsl.extensions import read_extension
from biz.dsl.external.external_resources import read_external_resource
from biz.dsl.external.external_schemas import ExternalSchema
from biz.dsl.fault_hooks import read_fault_hooks
from biz.dsl.functions import Functions
from biz.dsl.model import IDENTITY, Task, TaskList, Transformation, Workflow
from biz.dsl.reading.diagnostics import Diagnostics
from biz.dsl.reading.reader import Node
from biz.dsl.recursion import check_recursion
from biz.dsl.schedule import read_schedule
from biz.dsl.schemas import InvalidSchema, Schema, compile_schema
from biz.dsl.secret_names import secret_names
from biz.dsl.tasks import call, do, emit, for_, fork, listen, raise_, run, set_, switch, try_, wait
from biz.dsl.use import Use
from biz.dsl.values import read_expression, read_transformation_value, reads

_COMMON = ("if", "input", "output", "export", "timeout", "then", "metadata")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class TaskSource:
    """A task of a definition while it is read.

    `fields` are its properties, `common` what is read already: that which every task has.
    `variables` are those that its own expressions may use, `$secrets` among them where an activity
    does the task; `parser` reads the lists in it.
    """

    fields: Mapping[str, Node]
    common: Mapping[str, Any]
    variables: frozenset[str]
    parser: Parser

    def without_secrets(self) -> TaskSource:
        """For expressions that the workflow evaluates."""
        return replace(self, variables=self.variables - arguments.LEFT_TO_ACTIVITIES)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: the properties that it has besides the common ones, and its reader.

    `is_performed` says of a task's definition whether an activity does it, so that its expressions
    may read secrets.
    """

    required: Sequence[str]
    optional: Sequence[str]
    parse: Callable[[TaskSource], Task | None]
    is_performed: Callable[[Mapping[str, Any]], bool] = lambda definition: False


KINDS: Mapping[str, Kind] = {
    "call": Kind(call.REQUIRED, call.OPTIONAL, call.parse, call.is_performed),
    "set": Kind(set_.REQUIRED, set_.OPTIONAL, set_.SetTask.parse),
    "switch": Kind(switch.REQUIRED, switch.OPTIONAL, switch.SwitchTask.parse),
    "for": Kind(for_.REQUIRED, for_.OPTIONAL, for_.ForTask.parse),
    "wait": Kind(wait.REQUIRED, wait.OPTIONAL, wait.WaitTask.parse),
    "fork": Kind(fork.REQUIRED, fork.OPTIONAL, fork.ForkTask.parse),
    "raise": Kind(raise_.REQUIRED, raise_.OPTIONAL, raise_.RaiseTask.parse),
    "try": Kind(try_.REQUIRED, try_.OPTIONAL, try_.TryTask.parse),
    "emit": Kind(emit.REQUIRED, emit.OPTIONAL, emit.EmitTask.parse),
    "listen": Kind(listen.REQUIRED, listen.OPTIONAL, listen.ListenTask.parse),
    "run": Kind(run.REQUIRED, run.OPTIONAL, run.parse, run.is_performed),
    "do": Kind(do.REQUIRED, do.OPTIONAL, do.DoTask.parse),
}
"""The supported kinds by the property that tells them; `for` has a `do` too, so it comes first."""


def parse_workflow(value: Any, diagnostics: Diagnostics, *, is_trusted: bool = False) -> Workflow:
    """Reads a definition; what it gives may be used only if no error was reported.

    One that `is_trusted` was checked before.
    """
    root = Node(
        value,
        "",
        diagnostics,
        is_trusted=is_trusted,
        is_loose=evaluation_mode.is_loose(value),
        secrets=secret_names(value),
    )
    fields = root.object(
        required=("document", "do"),
        optional=("input", "use", "timeout", "output", "schedule", "evaluate"),
        is_open=True,
    )
    if "evaluate" in fields:
        evaluation_mode.check(fields["evaluate"])
    document = read_document(fields["document"])
    use = Use(fields.get("use"))
    parser = Parser(diagnostics, use)
    parser.functions.read(parser)
    input = parser.transformation(fields.get("input"), "from", arguments.WORKFLOW)
    workflow = Workflow(
        document=document,
        functions=parser.functions.tasks,
        extensions=[read_extension(name, node, parser) for name, node in use.extensions],
        input=input,
        output=parser.transformation(fields.get("output"), "as", arguments.WORKFLOW_OUTPUT),
        do=parser.task_list(fields["do"], frozenset()),
        timeout=use.timeout(fields["timeout"], arguments.WORKFLOW) if "timeout" in fields else None,
        schedule=(
            read_schedule(fields["schedule"], fields["document"], input.schema)
            if "schedule" in fields
            else None
        ),
        on_fault=read_fault_hooks(fields["document"]),
        secrets=root.secrets,
        definition=value if isinstance(value, dict) else {},
    )
    use.check_unused()
    check_recursion(workflow.functions, diagnostics)
    return workflow


class Parser:
    """Reads tasks. `variables` in its methods are those of the loops around a task."""

    def __init__(self, diagnostics: Diagnostics, use: Use) -> None:
        self._diagnostics = diagnostics
        self.use = use
        self.functions = Functions(use.functions)

    def missing(self, pointer: str, name: str) -> None:
        """Reports that an object lacks a property."""
        self._diagnostics.error("missing-property", f'"{name}" is missing', pointer)

    def task_list(self, node: Node, variables: frozenset[str]) -> TaskList:
        """A list of named tasks."""
        variables -= arguments.LEFT_TO_ACTIVITIES
        items = list(node.named_items())
        tasks = [self.task(name, item, variables) for name, item in items]
        return TaskList(
            tasks=[task for task in tasks if task is not None],
            places={name: place for place, (name, _) in enumerate(items)},
        )

    def variable(self, node: Node | None, *, default: str) -> str:
        """The name of a variable that a task makes."""
        if node is None:
            return default
        name = node.string()
        if node.is_string and not _VARIABLE.fullmatch(name):
            node.error(
                "invalid-variable", "must be letters, digits and underscores, no digit first"
            )
        if name in arguments.LEFT_TO_ACTIVITIES:
            node.error("invalid-variable", f"${name} is an argument of its own")
        return name

    def transformation(
        self, node: Node | None, key: str, variables: frozenset[str]
    ) -> Transformation:
        """`input`, `output` or `export`; `key` is "from" or "as"."""
        if node is None:
            return IDENTITY
        fields = node.object(optional=("schema", key))
        value = read_transformation_value(fields[key], variables) if key in fields else None
        schema = self._schema(fields["schema"], variables) if "schema" in fields else None
        return Transformation(value=value, schema=schema)

    def task(self, name: str, node: Node, variables: frozenset[str]) -> Task | None:
        """One task, None where it can't be one, which is reported."""
        if not isinstance(node.value, dict):
            node.mapping()
            return None
        key = next((key for key in KINDS if key in node.value), None)
        if key is None:
            self._report_unknown_kind(node)
            return None
        kind = KINDS[key]
        fields = node.object(required=kind.required, optional=(*kind.optional, *_COMMON))
        is_performed = kind.is_performed(node.value)
        common = {"kind": key, **self._common(name, node, fields, variables, is_performed)}
        inside = arguments.TASK | variables
        if is_performed:
            inside |= arguments.LEFT_TO_ACTIVITIES
        return kind.parse(TaskSource(fields, common, inside, self))

    def _common(
        self,
        name: str,
        node: Node,
        fields: Mapping[str, Node],
        variables: frozenset[str],
        is_performed: bool,
    ) -> Mapping[str, Any]:
        """What every task has (DSL reference, "Task")."""
        if "metadata" in fields:
            fields["metadata"].mapping()
        before = arguments.TASK_INPUT | variables
        before_input = before | arguments.SECRETS if is_performed else before
        input = self.transformation(fields.get("input"), "from", before_input)
        output = self.transformation(fields.get("output"), "as", arguments.TASK | variables)
        export = self.transformation(fields.get("export"), "as", arguments.TASK_EXPORT | variables)
        if reads(input.value, SECRETS):
            for name, transformation in (("output", output), ("export", export)):
                if reads(transformation.value, "input"):
                    fields[name].at("as").error(
                        "unavailable-variable",
                        "$input doesn't exist at this place, since input.from reads $secrets",
                    )
        return {
            "name": name,
            "pointer": node.pointer,
            "definition": node.value,
            "condition": read_expression(fields["if"], before) if "if" in fields else None,
            "input": input,
            "output": output,
            "export": export,
            "timeout": self.use.timeout(fields["timeout"], before) if "timeout" in fields else None,
            "then": fields["then"].directive() if "then" in fields else "continue",
        }

    def _schema(self, node: Node, variables: frozenset[str]) -> Schema | ExternalSchema | None:
        """DSL reference, "Schema"."""
        fields = node.object(optional=("format", "document", "resource"))
        kind = fields.get("format")
        if kind and kind.string().partition(":")[0] != "json" and kind.is_string:
            kind.unsupported("a format other than json")
        if "resource" in fields:
            if "document" in fields:
                node.error("invalid-value", 'must have "document" or "resource", not both')
            resource = read_external_resource(
                fields["resource"], variables, self.use.authentications
            )
            return ExternalSchema(resource)
        if "document" not in fields:
            if isinstance(node.value, dict):
                node.error("missing-property", '"document" or "resource" is missing')
            return None
        try:
            return compile_schema(fields["document"].value, is_trusted=node.is_trusted)
        except InvalidSchema as error:
            message = f"{error.pointer or '/'} {error.message}"
            fields["document"].error("invalid-schema", message)
            return None

    def _report_unknown_kind(self, node: Node) -> None:
        present = ", ".join(f'"{key}"' for key in list(node.value)[:5]) or "nothing"
        message = f"must have one of {', '.join(sorted(KINDS))}; it has {present}"
        for key in node.value:
            if close := get_close_matches(key, KINDS, n=1):
                message += f'; did you mean "{close[0]}"?'
                break
        node.error("unknown-task", message)
