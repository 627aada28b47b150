"""The rows, private to `data`.

The models are bound to no database: every query names the one that it runs on
(`query.execute(db)`), so several databases can be used at once. `data.migrations` makes the tables.

Times are whole microseconds since 1970 in UTC: exact, and in the same order on both databases.
JSON is text. Heavy texts are the last columns, where SQLite needn't read past them.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TemplateRow(peewee.Model):
    id = peewee.BigAutoField()
    namespace = peewee.TextField()
    name = peewee.CharField(max_length=255)
    version = peewee.CharField(max_length=50)
    description = peewee.CharField(max_length=1000)
    digest = peewee.TextField()
    labels = peewee.TextField()
    status = peewee.TextField()
    revision = peewee.BigIntegerField()
    created_at = peewee.BigIntegerField()
    updated_at = peewee.BigIntegerField()
    config = peewee.TextField()

    class Meta:
        table_name = "template"


class TemplateAliasRow(peewee.Model):
    """`namespace` and `name` are the template's: an alias follows it."""

    id = peewee.BigAutoField()
    namespace = peewee.TextField()
    name = peewee.CharField(max_length=255)
    alias_name = peewee.TextField(column_name="alias")  # `alias` is taken by peewee
    template_id = peewee.BigIntegerField()
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "template_alias"


class ExecutionRow(peewee.Model):
    """Live as long as `ended_at` is null. `progress_sequence` is the last one recorded, or -1.
    `event_cursor` is the last event of the namespace from before it was stored. The order is the
    last one that was given; one later than `order_sent` may not have reached the engine.
    `history_open` is 1 where the end of the history is missing.

    `error`, `input` and `output` are null for a JSON null. `history_removed_at` is null while its
    history is kept. `sent_sequence` is the last event that the history sink has, `unsent_sequence`
    the last one that it is to get, null where it has all. `hooks` are those that are still to be
    told if it faults, as JSON, or empty; those of an execution with a `hook_of` never are.
    """

    id = peewee.TextField(primary_key=True)
    namespace = peewee.TextField()
    template_id = peewee.BigIntegerField()
    template_name = peewee.TextField()
    template_version = peewee.TextField()
    definition_digest = peewee.TextField()
    status = peewee.TextField()
    labels = peewee.TextField()
    business_key = peewee.TextField()
    progress_sequence = peewee.BigIntegerField()
    current_tasks = peewee.TextField()
    created_at = peewee.BigIntegerField()
    started_at = peewee.BigIntegerField(null=True)
    ended_at = peewee.BigIntegerField(null=True)
    event_cursor = peewee.BigIntegerField(default=0)
    error = peewee.TextField(null=True)
    input = peewee.TextField(null=True)
    output = peewee.TextField(null=True)
    definition = peewee.TextField()
    parent_id = peewee.TextField(default="")
    retry_of = peewee.TextField(default="")
    retried_by = peewee.TextField(default="")
    history_removed_at = peewee.BigIntegerField(null=True)
    order_sequence = peewee.BigIntegerField(default=0)
    order_sent = peewee.BigIntegerField(default=0)
    order_verb = peewee.TextField(default="")
    order_reason = peewee.TextField(default="")
    history_open = peewee.IntegerField(default=0)
    sent_sequence = peewee.BigIntegerField(default=0)
    unsent_sequence = peewee.BigIntegerField(null=True)
    hook_of = peewee.TextField(default="")
    hooks = peewee.TextField(default="")

    class Meta:
        table_name = "execution"


class EventRow(peewee.Model):
    """`target` is the only execution that it is for, or empty; `key` stands for source and id."""

    sequence = peewee.BigAutoField()
    namespace = peewee.TextField()
    target = peewee.TextField()
    key = peewee.TextField()
    type = peewee.TextField()
    accepted_at = peewee.BigIntegerField()
    delivered_at = peewee.BigIntegerField(null=True)
    body = peewee.TextField()

    class Meta:
        table_name = "event"


class EventListenerRow(peewee.Model):
    """A listener of an execution has a row for each type that it wants, or one with an empty type.

    `round` counts its fetches; `woken_round` is the last one after which it was woken.
    """

    id = peewee.BigAutoField()
    execution_id = peewee.TextField()
    listener = peewee.BigIntegerField()
    namespace = peewee.TextField()
    type = peewee.TextField()
    round = peewee.BigIntegerField()
    woken_round = peewee.BigIntegerField()

    class Meta:
        table_name = "event_listener"


class ExecutionEventRow(peewee.Model):
    """A lifecycle event, as `biz.executions.history_batch.HistoryEntry` says."""

    execution_id = peewee.TextField()
    sequence = peewee.BigIntegerField()
    time = peewee.BigIntegerField()
    type = peewee.TextField()
    task = peewee.TextField()
    attempt = peewee.BigIntegerField()
    error = peewee.TextField(null=True)
    started_at = peewee.BigIntegerField(null=True)
    input = peewee.TextField(null=True)
    output = peewee.TextField(null=True)
    context = peewee.TextField(null=True)
    iterations = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "execution_event"
        primary_key = peewee.CompositeKey("execution_id", "sequence")


class ExecutionCheckpointRow(peewee.Model):
    """Where an execution stood at its end, empty where that isn't known, and where it began.

    Only those that take up from others have a `start`.
    """

    execution_id = peewee.TextField(primary_key=True)
    content = peewee.TextField()
    start = peewee.TextField(null=True)

    class Meta:
        table_name = "execution_checkpoint"


class ExecutionValueRow(peewee.Model):
    """A large value of an execution's history; `length` is that of its text."""

    execution_id = peewee.TextField()
    digest = peewee.TextField()
    length = peewee.BigIntegerField()
    content = peewee.TextField()

    class Meta:
        table_name = "execution_value"
        primary_key = peewee.CompositeKey("execution_id", "digest")


class ExecutionLogRow(peewee.Model):
    """A line in the log of an execution; its level is a number of Python's logging."""

    id = peewee.BigAutoField()
    execution_id = peewee.TextField()
    time = peewee.BigIntegerField()
    level = peewee.BigIntegerField()
    trace_id = peewee.TextField()
    task = peewee.TextField()
    message = peewee.TextField()
    fields = peewee.TextField()

    class Meta:
        table_name = "execution_log"


class HookDeliveryRow(peewee.Model):
    """A hook that is told of an execution's fault; `position` is that in its definition.

    `due_at` is the time of the next attempt, null where none follows. Who makes an attempt moves it
    on first, so that nobody else makes one meanwhile.
    """

    execution_id = peewee.TextField()
    position = peewee.IntegerField()
    state = peewee.TextField()
    attempts = peewee.IntegerField()
    due_at = peewee.BigIntegerField(null=True)
    hook = peewee.TextField()

    class Meta:
        table_name = "hook_delivery"
        primary_key = peewee.CompositeKey("execution_id", "position")


class ScheduleRow(peewee.Model):
    """What starts executions of a template's name. `interval_length` is in microseconds.

    `event_cursor` is the last event that was looked at; `partial_matches` are those of which events
    are still awaited, as JSON.
    """

    id = peewee.TextField(primary_key=True)
    namespace = peewee.TextField()
    template_name = peewee.CharField(max_length=255)
    kind = peewee.TextField()
    template_id = peewee.BigIntegerField()
    template_version = peewee.TextField()
    is_active = peewee.BooleanField()
    is_held = peewee.BooleanField()
    hold_reason = peewee.TextField()
    expression = peewee.TextField()
    interval_length = peewee.BigIntegerField()
    anchor = peewee.BigIntegerField()
    time_zone = peewee.TextField()
    overlap = peewee.TextField()
    revision = peewee.BigIntegerField()
    applied_revision = peewee.BigIntegerField()
    last_start_at = peewee.BigIntegerField(null=True)
    last_execution_id = peewee.TextField()
    due_at = peewee.BigIntegerField(null=True)
    event_cursor = peewee.BigIntegerField()
    input = peewee.TextField(null=True)
    filters = peewee.TextField()
    partial_matches = peewee.TextField()

    class Meta:
        table_name = "schedule"


class TemplateChangeRow(peewee.Model):
    """A change of a version of a name that isn't settled yet."""

    sequence = peewee.BigAutoField()
    namespace = peewee.TextField()
    name = peewee.TextField()

    class Meta:
        table_name = "template_change"


class RequestRow(peewee.Model):
    """A request that made something; `resource_id` is the id of what it made, as text."""

    id = peewee.BigAutoField()
    namespace = peewee.TextField()
    rpc = peewee.TextField()
    request_id = peewee.TextField()
    digest = peewee.TextField()
    resource_id = peewee.TextField()
    created_at = peewee.BigIntegerField()

    class Meta:
        table_name = "request"


class OperationRow(peewee.Model):
    """`failures` is a list of lists: execution, reason, message."""

    id = peewee.TextField(primary_key=True)
    namespace = peewee.TextField()
    action = peewee.TextField()
    reason = peewee.TextField()
    created_at = peewee.BigIntegerField()
    ended_at = peewee.BigIntegerField(null=True)
    cancel_requested_at = peewee.BigIntegerField(null=True)
    matched = peewee.BigIntegerField()
    succeeded = peewee.BigIntegerField()
    failed = peewee.BigIntegerField()
    failures = peewee.TextField()

    class Meta:
        table_name = "operation"


class OperationItemRow(peewee.Model):
    """An execution that an operation has still to do; it may be deleted before its turn comes."""

    operation_id = peewee.TextField()
    position = peewee.BigIntegerField()
    target = peewee.TextField()

    class Meta:
        table_name = "operation_item"
        primary_key = peewee.CompositeKey("operation_id", "position")


class LeaseRow(peewee.Model):
    """Held by `holder` until `expires_at`."""

    name = peewee.TextField(primary_key=True)
    holder = peewee.TextField()
    expires_at = peewee.BigIntegerField()

    class Meta:
        table_name = "lease"


class SigningKeyRow(peewee.Model):
    """The only row has the id 1."""

    id = peewee.IntegerField(primary_key=True)
    key = peewee.TextField()

    class Meta:
        table_name = "signing_key"


def to_microseconds(moment: datetime) -> int:
    """Of an aware time; the inverse of `from_microseconds`."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def to_json(value: Any) -> str | None:
    """The text of a JSON value, None for null; the inverse of `from_json`."""
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair has no UTF-8; as an escape it can be kept.
        return json.dumps(value, separators=(",", ":"))
    return text


def from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
