"""The constructs of the standard: where each is implemented, and which test shows it.

Properties are those of the standard's schema, under the title that an object has there; a test
holds both together, and sees that files and tests are there.
"""

from dataclasses import dataclass

_UNIT = "tests/unit/biz/dsl"
_WORKFLOWS = "tests/integration/workflows"
_ARGUMENTS = f"{_UNIT}/test_arguments.py::test_an_argument_is_there_where_the_standard_says"
_IN_ACTIVITIES = (
    "Only where an activity evaluates it: in the definition and `input.from` of tasks that call "
    "and run."
)


@dataclass(frozen=True, slots=True)
class Construct:
    """A construct; `title` is that of its object in the schema, if it has one.

    `file` is in `biz/dsl`; `test` is a file, or a file and a test in it.
    """

    name: str
    title: str
    properties: str
    file: str
    test: str
    limits: str = ""


_DOCUMENT = (
    Construct(
        "Workflow", "", "document input use do timeout output schedule evaluate",
        "parser.py", f"{_UNIT}/test_validator.py::test_properties_of_a_workflow",
    ),
    Construct(
        "Document", "Document", "dsl namespace name version title summary tags metadata",
        "document.py", f"{_UNIT}/test_validator.py::test_a_document",
        "All versions 1.0.x; a later one is refused.",
    ),
    Construct(
        "Use", "Use",
        "authentications errors extensions functions retries secrets timeouts catalogs",
        "use.py", f"{_UNIT}/test_reusables.py",
    ),
    Construct(
        "Schedule", "Schedule", "every cron after on read",
        "schedule.py", f"{_UNIT}/test_schedule.py",
        "Cron has Unix's five fields; `every` is whole seconds. Intervals are fixed, and the "
        "filters of events see the event only. See [schedules.md](schedules.md).",
    ),
    Construct(
        "Evaluate", "Evaluate", "language mode",
        "evaluation_mode.py", f"{_UNIT}/test_evaluation_mode.py",
        "The language is jq. In the loose mode a text of a value is tried as an expression and "
        "stays where that fails; conditions, addresses and durations are as in the strict one.",
    ),
)  # fmt: skip

_DATA = (
    Construct(
        "Input", "Input", "schema from",
        "interpreter.py", f"{_UNIT}/test_data_flow.py::test_data_flows",
    ),
    Construct(
        "Output", "Output", "schema as",
        "interpreter.py", f"{_UNIT}/test_data_flow.py::test_data_flows",
        "A workflow's output is at most 1 MiB, and 32 levels deep.",
    ),
    Construct(
        "Export", "Export", "schema as",
        "interpreter.py", f"{_UNIT}/test_data_flow.py::test_a_step_faults",
    ),
    Construct(
        "Schema", "Schema", "format document resource",
        "schemas.py", f"{_UNIT}/test_schemas.py",
        "JSON Schema, draft 2020-12, or draft 7 by its `$schema`. One inline refers to nothing "
        "outside of itself. Patterns are those of RE2, which don't look around or back.",
    ),
    Construct(
        "External resource", "ExternalResource", "name endpoint",
        "external/external_resources.py", f"{_WORKFLOWS}/test_documents.py",
        "Fetched when it is needed, and kept for a minute.",
    ),
    Construct("`$context`", "", "", "arguments.py", _ARGUMENTS),
    Construct("`$input`", "", "", "arguments.py", _ARGUMENTS),
    Construct("`$output`", "", "", "arguments.py", _ARGUMENTS),
    Construct(
        "`$task`", "", "name reference definition input output startedAt",
        "arguments.py", f"{_UNIT}/test_arguments.py::test_an_argument_holds",
    ),
    Construct(
        "`$workflow`", "", "id definition input startedAt",
        "arguments.py", f"{_UNIT}/test_arguments.py::test_an_argument_holds",
    ),
    Construct(
        "`$runtime`", "", "name version metadata",
        "arguments.py", f"{_UNIT}/test_arguments.py::test_an_argument_holds",
    ),
    Construct(
        "Date and time", "", "iso8601 epoch.seconds epoch.milliseconds",
        "arguments.py", f"{_UNIT}/test_arguments.py::test_a_tasks_start_is_told_by_the_runs_clock",
    ),
    Construct("`$secrets`", "", "", "deferral.py", f"{_UNIT}/test_secrets.py", _IN_ACTIVITIES),
    Construct(
        "`$authorization`", "", "scheme parameter",
        "deferral.py", f"{_UNIT}/test_secrets.py", _IN_ACTIVITIES,
    ),
    Construct(
        "Runtime expressions", "", "",
        "expressions.py", f"{_UNIT}/test_expressions.py",
        "jq without what reaches outside of the data; `now` is the run's clock, and local time is "
        "UTC. Programs have at most 4,000 characters.",
    ),
    Construct(
        "Duration", "DurationInline", "days hours minutes seconds milliseconds",
        "durations.py", f"{_UNIT}/test_durations.py",
        "From nothing to a hundred years; a year counts 365 days, a month 30.",
    ),
    Construct(
        "Endpoint", "EndpointConfiguration", "uri authentication",
        "endpoints.py", f"{_UNIT}/tasks/test_call_http.py",
    ),
    Construct(
        "URI template", "", "",
        "uri_templates.py", f"{_UNIT}/test_uri_templates.py",
        "RFC 6570's simple expansion of a top-level property, as the standard has it.",
    ),
)  # fmt: skip

_TASKS = (
    Construct(
        "Task", "TaskBase", "if input output export timeout then metadata",
        "interpreter.py", f"{_UNIT}/test_task_flow.py",
    ),
    Construct(
        "Flow directive", "", "continue exit end",
        "interpreter.py", f"{_UNIT}/test_task_flow.py::test_a_run_goes",
    ),
    Construct(
        "Timeout", "Timeout", "after", "timeouts.py", f"{_UNIT}/test_timeouts.py",
    ),
    Construct(
        "Call: http", "HTTPArguments", "method endpoint headers body query output redirect",
        "tasks/call_http.py", f"{_WORKFLOWS}/test_http_call.py",
        "`redirect: true` follows redirects, `false` faults on 3xx.",
    ),
    Construct(
        "Call: grpc", "GRPCArguments", "proto service method arguments",
        "tasks/call_grpc.py", f"{_WORKFLOWS}/test_grpc_call.py",
    ),
    Construct(
        "Call: grpc, service", "WithGRPCService", "name host port authentication",
        "tasks/call_grpc.py", f"{_WORKFLOWS}/test_grpc_call.py",
    ),
    Construct(
        "Call: openapi", "OpenAPIArguments",
        "document operationId parameters authentication output redirect",
        "tasks/call_openapi.py", f"{_WORKFLOWS}/test_openapi_call.py",
        "OpenAPI 2.0, 3.0 and 3.1.",
    ),
    Construct(
        "Call: asyncapi", "AsyncApiArguments",
        "document channel operation server protocol message subscription authentication",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
        "The protocols http (requests, server-sent events) and nats.",
    ),
    Construct(
        "AsyncAPI server", "AsyncApiServer", "name variables",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
    ),
    Construct(
        "AsyncAPI message", "AsyncApiOutboundMessage", "payload headers",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
    ),
    Construct(
        "AsyncAPI message that is consumed", "AsyncApiInboundMessage",
        "correlationId",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
    ),
    Construct(
        "AsyncAPI subscription", "AsyncApiSubscription", "filter consume foreach",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
    ),
    Construct(
        "AsyncAPI consumption", "AsyncApiMessageConsumptionPolicy", "for amount while until",
        "tasks/call_asyncapi.py", f"{_WORKFLOWS}/test_asyncapi_call.py",
    ),
    Construct(
        "Call: a2a", "A2AArguments", "agentCard server method parameters",
        "tasks/call_a2a.py", f"{_WORKFLOWS}/test_a2a_call.py",
        "In the JSON of A2A 0.3; agents of 1.0 are asked in theirs.",
    ),
    Construct(
        "Call: mcp", "MCPArguments", "protocolVersion method parameters timeout transport client",
        "tasks/call_mcp.py", f"{_WORKFLOWS}/test_mcp_call.py",
    ),
    Construct(
        "MCP transport", "McpCallTransport", "http stdio options",
        "tasks/call_mcp.py", f"{_WORKFLOWS}/test_mcp_call.py",
        "`options` are warned of: the transports here have none.",
    ),
    Construct(
        "MCP over HTTP", "McpHttpTransport", "endpoint headers",
        "tasks/call_mcp.py", f"{_WORKFLOWS}/test_mcp_call.py",
    ),
    Construct(
        "MCP over standard streams", "McpStdioTransport", "command arguments environment",
        "tasks/call_mcp.py", f"{_WORKFLOWS}/test_mcp_call.py",
        "Where the setting `PROCESSES` has `mcp`.",
    ),
    Construct(
        "MCP client", "McpClient", "name version",
        "tasks/call_mcp.py", f"{_WORKFLOWS}/test_mcp_call.py",
    ),
    Construct(
        "Call of a function of `use`", "CallFunction", "call with",
        "tasks/call_function.py", f"{_UNIT}/tasks/test_call_function.py",
        "The evaluated `with` is the function's input.",
    ),
    Construct(
        "Call of a function by URI, or of a catalog", "", "",
        "tasks/call_external.py", f"{_UNIT}/tasks/test_call_external.py",
    ),
    Construct(
        "Do", "DoTask", "do", "tasks/do.py", f"{_UNIT}/tasks/test_do.py",
    ),
    Construct("Emit", "EmitTask", "emit", "tasks/emit.py", f"{_UNIT}/tasks/test_emit.py"),
    Construct(
        "Emit, what", "EmitTaskConfiguration", "event",
        "tasks/emit.py", f"{_UNIT}/tasks/test_emit.py",
    ),
    Construct(
        "Emitted event", "EmitEventDefinition", "with",
        "tasks/emit.py", f"{_UNIT}/tasks/test_emit.py",
    ),
    Construct(
        "For", "ForTask", "for while do", "tasks/for_.py", f"{_UNIT}/tasks/test_for.py",
    ),
    Construct(
        "For, its loop", "ForTaskConfiguration", "each in at",
        "tasks/for_.py", f"{_UNIT}/tasks/test_for.py",
        "The items of an inline array are objects.",
    ),
    Construct("Fork", "ForkTask", "fork", "tasks/fork.py", f"{_UNIT}/tasks/test_fork.py"),
    Construct(
        "Fork, its branches", "ForkTaskConfiguration", "branches compete",
        "tasks/fork.py", f"{_UNIT}/tasks/test_fork.py",
    ),
    Construct(
        "Listen", "ListenTask", "listen foreach",
        "tasks/listen.py", f"{_WORKFLOWS}/test_events.py",
    ),
    Construct(
        "Listen, to what", "ListenTaskConfiguration", "to read",
        "tasks/listen.py", f"{_UNIT}/tasks/test_listen.py",
    ),
    Construct(
        "Event consumption strategy", "EventConsumptionStrategy", "all any until one",
        "events/strategies.py", f"{_UNIT}/tasks/test_listen.py",
    ),
    Construct(
        "Event filter", "EventFilter", "with correlate",
        "events/filters.py", f"{_UNIT}/tasks/test_listen.py",
    ),
    Construct(
        "Correlation", "", "from expect",
        "events/filters.py", f"{_UNIT}/tasks/test_listen.py",
    ),
    Construct(
        "Event properties", "EventProperties",
        "id source type time subject datacontenttype dataschema data",
        "events/event.py", f"{_UNIT}/tasks/test_emit.py",
        "CloudEvents 1.0.",
    ),
    Construct(
        "Subscription iterator", "SubscriptionIterator", "item at do output export",
        "iterators.py", f"{_UNIT}/tasks/test_listen.py",
    ),
    Construct("Raise", "RaiseTask", "raise", "tasks/raise_.py", f"{_UNIT}/tasks/test_raise.py"),
    Construct(
        "Raise, what", "RaiseTaskConfiguration", "error",
        "tasks/raise_.py", f"{_UNIT}/tasks/test_raise.py",
    ),
    Construct("Run", "RunTask", "run", "tasks/run.py", f"{_UNIT}/tasks/test_run_process.py"),
    Construct(
        "Run, what", "RunTaskConfiguration", "await return container script shell workflow",
        "tasks/run.py", f"{_UNIT}/tasks/test_run_process.py",
        "Processes run where the setting `PROCESSES` has their kind.",
    ),
    Construct(
        "Container", "Container",
        "image name command ports volumes environment stdin arguments lifetime pullPolicy",
        "tasks/run_container.py", f"{_WORKFLOWS}/test_containers.py",
        "Where the API of an engine is configured.",
    ),
    Construct(
        "Container lifetime", "ContainerLifetime", "cleanup after",
        "tasks/run_container.py", f"{_WORKFLOWS}/test_containers.py",
    ),
    Construct(
        "Script", "Script", "language stdin arguments environment code source",
        "tasks/run_script.py", f"{_WORKFLOWS}/test_processes.py",
        "The languages js and python.",
    ),
    Construct(
        "Shell", "Shell", "command stdin arguments environment",
        "tasks/run_shell.py", f"{_WORKFLOWS}/test_processes.py",
    ),
    Construct(
        "Run of a workflow", "SubflowConfiguration", "namespace name version input",
        "tasks/run_workflow.py", f"{_WORKFLOWS}/test_children.py",
    ),
    Construct(
        "Process result", "ProcessResult", "code stdout stderr",
        "calls/process_call.py", f"{_WORKFLOWS}/test_processes.py",
    ),
    Construct(
        "Set", "SetTask", "set", "tasks/set_.py", f"{_UNIT}/tasks/test_set.py",
    ),
    Construct(
        "Switch", "SwitchTask", "switch", "tasks/switch.py", f"{_UNIT}/tasks/test_switch.py",
    ),
    Construct(
        "Switch case", "SwitchCase", "when then",
        "tasks/switch.py", f"{_UNIT}/tasks/test_switch.py",
    ),
    Construct(
        "Try", "TryTask", "try catch", "tasks/try_.py", f"{_UNIT}/tasks/test_try.py",
    ),
    Construct(
        "Catch", "TryTaskCatch", "errors as when exceptWhen retry do then",
        "tasks/try_.py", f"{_UNIT}/tasks/test_try.py",
    ),
    Construct(
        "Wait", "WaitTask", "wait", "tasks/wait.py", f"{_UNIT}/tasks/test_wait.py",
    ),
)  # fmt: skip

_FAULTS = (
    Construct(
        "Error", "Error", "type status instance title detail",
        "error_definitions.py", f"{_UNIT}/tasks/test_raise.py",
    ),
    Construct(
        "Standard error types", "", "",
        "errors.py", f"{_UNIT}/test_errors.py",
        "All generations of their URIs name the same errors in a filter.",
    ),
    Construct(
        "Error filter", "ErrorFilter", "type status instance title detail",
        "tasks/try_.py", f"{_UNIT}/tasks/test_try.py",
    ),
    Construct(
        "Errors to catch", "CatchErrors", "with",
        "tasks/try_.py", f"{_UNIT}/tasks/test_try.py",
    ),
    Construct(
        "Retry policy", "RetryPolicy", "when exceptWhen delay backoff limit jitter",
        "retries.py", f"{_UNIT}/test_retries.py",
    ),
    Construct(
        "Retry backoff", "RetryBackoff", "constant exponential linear",
        "retries.py", f"{_UNIT}/test_retries.py::test_when_it_is_tried_again",
    ),
    Construct(
        "Retry limit", "RetryLimit", "attempt duration",
        "retries.py", f"{_UNIT}/test_retries.py",
    ),
    Construct(
        "Retry attempts", "RetryLimitAttempt", "count duration",
        "retries.py", f"{_UNIT}/test_retries.py",
        "`count` counts the retries: the first try isn't one of them.",
    ),
    Construct(
        "Retry jitter", "RetryPolicyJitter", "from to",
        "retries.py", f"{_UNIT}/test_retries.py::test_a_random_time_of_a_range_is_added",
    ),
)  # fmt: skip

_USE = (
    Construct(
        "Authentication", "AuthenticationPolicy", "basic bearer digest oauth2 oidc",
        "authentication.py", f"{_WORKFLOWS}/test_http_call.py",
        "Inline, by name, or from a secret.",
    ),
    Construct(
        "Basic authentication", "BasicAuthenticationProperties", "username password",
        "authentication.py", f"{_UNIT}/tasks/test_call_http.py",
    ),
    Construct(
        "Bearer authentication", "BearerAuthenticationProperties", "token",
        "authentication.py", f"{_UNIT}/tasks/test_call_http.py",
    ),
    Construct(
        "Digest authentication", "DigestAuthenticationProperties", "username password",
        "authentication.py", f"{_WORKFLOWS}/test_http_call.py",
    ),
    Construct(
        "OAuth2 and OpenIdConnect", "OAuth2AuthenticationData",
        "authority grant client request issuers scopes audiences username password subject actor",
        "oauth2.py", f"{_UNIT}/test_oauth2.py",
    ),
    Construct(
        "OAuth2, beside that", "OAuth2ConnectAuthenticationProperties", "endpoints",
        "oauth2_reading.py", f"{_UNIT}/test_oauth2.py::test_only_oauth2_has_endpoints",
    ),
    Construct(
        "OAuth2 endpoints", "OAuth2AuthenticationPropertiesEndpoints",
        "token revocation introspection",
        "oauth2_reading.py", f"{_UNIT}/test_oauth2.py",
    ),
    Construct(
        "OAuth2 client", "OAuth2AuthenticationDataClient", "id secret assertion authentication",
        "oauth2_reading.py", f"{_UNIT}/test_oauth2.py",
    ),
    Construct(
        "OAuth2 request", "OAuth2TokenRequest", "encoding",
        "oauth2_reading.py", f"{_UNIT}/test_oauth2.py",
    ),
    Construct(
        "OAuth2 token", "OAuth2TokenDefinition", "token type",
        "oauth2_reading.py", f"{_UNIT}/test_oauth2.py",
    ),
    Construct(
        "Policy by name or secret", "ReferenceableAuthenticationPolicy", "use",
        "authentication.py", f"{_UNIT}/test_reusables.py",
    ),
    Construct(
        "Secret", "", "", "secret_names.py", f"{_UNIT}/test_secrets.py",
    ),
    Construct(
        "Catalog", "Catalog", "endpoint",
        "external/catalogs.py", f"{_UNIT}/external/test_catalogs.py",
    ),
    Construct(
        "Extension", "Extension", "extend when before after",
        "extensions.py", f"{_UNIT}/test_extensions.py",
    ),
)  # fmt: skip

SECTIONS = {
    "The document": _DOCUMENT,
    "Data and expressions": _DATA,
    "Tasks": _TASKS,
    "Errors and retries": _FAULTS,
    "Reusable components": _USE,
}
