"""Domain errors.

    DomainError
    ├── InvalidArgument           the request can never succeed; names each fault
    │   └── InvalidDefinition     the workflow definition has faults
    ├── NotFound
    │   ├── TemplateNotFound
    │   ├── TemplateAliasNotFound
    │   ├── ExecutionNotFound
    │   ├── ScheduleNotFound
    │   └── OperationNotFound
    ├── AlreadyExists
    │   ├── TemplateAlreadyExists
    │   ├── BusinessKeyInUse
    │   └── RequestIdReused
    ├── FailedPrecondition        not in this state
    │   ├── TemplateInactive
    │   ├── TemplateInUse
    │   ├── ExecutionEnded
    │   ├── ExecutionNotEnded
    │   ├── ExecutionRetried
    │   ├── RetryImpossible
    │   ├── ScheduleNotTimed
    │   └── TooManyMatched
    ├── Aborted
    │   └── TemplateEtagMismatch
    ├── ResourceExhausted         a limit is reached
    │   ├── TooManyWatchers
    │   └── DryRunTooLarge
    └── Unavailable               may succeed when tried again
        ├── DatabaseUnavailable
        ├── EngineUnavailable
        └── ServerStopping

Each concrete class has a `reason`, a name of `api.errors.v1.ErrorReason`. The messages are written
for the caller: they hold what was wrong and what to do, and never a query, a host or a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class DomainError(Exception):
    """What a use case refuses; `metadata` are machine-readable facts, such as the id."""

    reason: ClassVar[str]

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One fault of a request.

    `field` is the request's field in snake_case (`config`), `pointer` the JSON pointer (RFC 6901)
    into its value or "" for the field itself, `code` a stable kebab-case name of the kind of fault.
    """

    field: str
    code: str
    message: str
    pointer: str = ""


class InvalidArgument(DomainError):
    """The request breaks the contract; every fault found is a violation."""

    reason = "INVALID_ARGUMENT"

    def __init__(self, violations: Sequence[Violation], message: str = "") -> None:
        first = violations[0]
        super().__init__(message or f"{first.field}{first.pointer}: {first.message}")
        self.violations = tuple(violations)


class InvalidDefinition(InvalidArgument):
    """A workflow definition with at least one error."""

    reason = "INVALID_DEFINITION"


class NotFound(DomainError):
    """Nothing is stored under this name or id."""


class TemplateNotFound(NotFound):
    reason = "TEMPLATE_NOT_FOUND"


class TemplateAliasNotFound(NotFound):
    reason = "TEMPLATE_ALIAS_NOT_FOUND"


class ExecutionNotFound(NotFound):
    reason = "EXECUTION_NOT_FOUND"

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no execution {id}", execution_id=id)


class PayloadNotFound(NotFound):
    reason = "PAYLOAD_NOT_FOUND"

    def __init__(self, execution_id: str, digest: str) -> None:
        super().__init__(
            f"the execution has no payload {digest}", execution_id=execution_id, digest=digest
        )


class ScheduleNotFound(NotFound):
    reason = "SCHEDULE_NOT_FOUND"

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no schedule {id}", schedule_id=id)


class OperationNotFound(NotFound):
    reason = "OPERATION_NOT_FOUND"

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no operation {id}", operation_id=id)


class AlreadyExists(DomainError):
    """The name or key is taken."""


class TemplateAlreadyExists(AlreadyExists):
    reason = "TEMPLATE_ALREADY_EXISTS"

    def __init__(self, namespace: str, name: str, version: str) -> None:
        super().__init__(
            f"the template {namespace}/{name} has a version {version} already",
            namespace=namespace,
            name=name,
            version=version,
        )


class BusinessKeyInUse(AlreadyExists):
    """Another live execution of the namespace carries the business key."""

    reason = "BUSINESS_KEY_IN_USE"

    def __init__(self, business_key: str, execution_id: str) -> None:
        super().__init__(
            f"the execution {execution_id} runs with the business key {business_key}",
            business_key=business_key,
            execution_id=execution_id,
        )
        self.execution_id = execution_id


class RequestIdReused(AlreadyExists):
    """The request_id was used within a day with another content (AIP-155)."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"the request_id {request_id} was used with another content; choose a new one",
            request_id=request_id,
        )


class FailedPrecondition(DomainError):
    """The request is sound, but not in the present state."""


class TemplateInactive(FailedPrecondition):
    reason = "TEMPLATE_INACTIVE"


class TemplateInUse(FailedPrecondition):
    reason = "TEMPLATE_IN_USE"


class ExecutionEnded(FailedPrecondition):
    reason = "EXECUTION_ENDED"

    def __init__(self, id: str, status: str) -> None:
        super().__init__(
            f"the execution {id} has ended {status}", execution_id=id, status=str(status)
        )


class ExecutionNotEnded(FailedPrecondition):
    reason = "EXECUTION_NOT_ENDED"

    def __init__(self, id: str, status: str) -> None:
        super().__init__(
            f"the execution {id} is {status}: it must have ended",
            execution_id=id,
            status=str(status),
        )


class ScheduleNotTimed(FailedPrecondition):
    """Its starts are not at times that are known beforehand."""

    reason = "SCHEDULE_NOT_TIMED"

    def __init__(self, id: str, kind: str) -> None:
        super().__init__(
            f"the schedule {id} goes by {kind}, which has no times to make up for",
            schedule_id=id,
            kind=str(kind),
        )


class TooManyMatched(FailedPrecondition):
    """More executions match than the caller allows."""

    reason = "TOO_MANY_MATCHED"

    def __init__(self, matched: int, max_count: int) -> None:
        super().__init__(
            f"{matched} executions match, more than max_count allows, which is {max_count}; "
            "nothing was changed",
            matched=str(matched),
            max_count=str(max_count),
        )


class ExecutionRetried(FailedPrecondition):
    """Another execution has taken up from it."""

    reason = "EXECUTION_RETRIED"

    def __init__(self, id: str, retried_by: str) -> None:
        super().__init__(
            f"the execution {id} was retried by {retried_by} already: retry that one",
            execution_id=id,
            retried_by=retried_by,
        )


class RetryImpossible(FailedPrecondition):
    reason = "RETRY_IMPOSSIBLE"

    def __init__(self, id: str, why: str) -> None:
        super().__init__(f"the execution {id} can't be taken up: {why}", execution_id=id)


class Aborted(DomainError):
    """Somebody else was faster: read again, then try again."""


class TemplateEtagMismatch(Aborted):
    reason = "TEMPLATE_ETAG_MISMATCH"

    def __init__(self, id: int) -> None:
        super().__init__(
            f"the template {id} was changed meanwhile; get it again and repeat the change",
            template_id=str(id),
        )


class ResourceExhausted(DomainError):
    """A limit of this server is reached."""


class TooManyWatchers(ResourceExhausted):
    reason = "RESOURCE_EXHAUSTED"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"this server has {limit} watchers, as many as it takes; try again later, or look at "
            "the history instead",
            limit=str(limit),
        )


class DryRunTooLarge(ResourceExhausted):
    """It would be again: trying later doesn't help."""

    reason = "DRY_RUN_TOO_LARGE"

    def __init__(self, limit: str) -> None:
        super().__init__(f"the dry run can't be done: {limit}")


class Unavailable(DomainError):
    """A part that the service stands on doesn't answer; `retry_after` says when to try again."""

    retry_after: ClassVar[timedelta] = timedelta(seconds=1)


class DatabaseUnavailable(Unavailable):
    reason = "DATABASE_UNAVAILABLE"


class EngineUnavailable(Unavailable):
    reason = "ENGINE_UNAVAILABLE"


class ServerStopping(Unavailable):
    """A stream ends before its end, since its server does."""

    reason = "SERVER_UNAVAILABLE"

    def __init__(self, *, after_sequence: int) -> None:
        super().__init__(
            f"the server is stopping; watch again with after_sequence={after_sequence}",
            after_sequence=str(after_sequence),
        )
