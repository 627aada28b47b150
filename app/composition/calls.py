"""What makes calls for workflows, and what calls are made with."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import httpx
from dependency_injector import containers, providers

from app import execution_output
from app.composition.foundation import Foundation
from app.composition.kinds import Base
from app.composition.processes import Processes
from app.composition.storage import Storage
from app.composition.usecases import Usecases
from app.execution_output import ProcessLog
from biz.logs.log import LogRepo, ToldRecorder
from biz.logs.writer import LogWriter
from data.secrets import LocalSecrets
from workflows.activities.a2a.a2a_call import A2aActivities
from workflows.activities.asyncapi.asyncapi_call import PublishActivities, ReceiveActivities
from workflows.activities.asyncapi.asyncapi_http import HttpMessages
from workflows.activities.asyncapi.subscriptions import Subscriptions
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.authentication.token_request import TokenClient
from workflows.activities.authentication.tokens import TokenSource
from workflows.activities.call_completer import CallCompleter
from workflows.activities.call_log_handler import CallLogHandler
from workflows.activities.child_call import ChildActivities
from workflows.activities.documents import Documents
from workflows.activities.emission import EmissionActivities
from workflows.activities.event_sink import EventSink
from workflows.activities.expressions.expression_pool import ExpressionPool
from workflows.activities.fetch_call import FetchActivities
from workflows.activities.grpc_calls.grpc_call import GrpcActivities
from workflows.activities.http_calls.http_call import HttpActivities
from workflows.activities.http_calls.sender import HttpSender, new_http_client
from workflows.activities.mcp.mcp_call import McpActivities
from workflows.activities.openapi.openapi_call import OpenApiActivities
from workflows.activities.performer import Performer
from workflows.activities.processes.container_process import ContainerActivities
from workflows.activities.processes.script_process import ScriptActivities
from workflows.activities.processes.shell_process import ShellActivities

_LOG_FLUSH = timedelta(seconds=5)
_settings = Foundation.settings.provided


async def open_http_client(*, timeout_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """What workflows call services with."""
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        yield client


async def open_expression_pool(
    *, cpu_seconds: int, memory_mb: int
) -> AsyncIterator[ExpressionPool]:
    """What evaluates expressions that may not end by themselves."""
    pool = ExpressionPool(cpu_seconds=cpu_seconds, memory_mb=memory_mb)
    try:
        yield pool
    finally:
        await pool.close()


async def open_call_logs(
    *, repo: LogRepo, clock: Callable[[], datetime]
) -> AsyncIterator[ProcessLog]:
    """What takes the log lines of calls; what is still to be stored at the end gets a moment."""
    writer = LogWriter(repo=repo, clock=clock)
    running = asyncio.create_task(writer.run(), name="the writer of logs")
    handler = CallLogHandler(silent=[execution_output.__name__])
    logging.getLogger().addHandler(handler)
    try:
        yield ProcessLog(then=writer)
    finally:
        logging.getLogger().removeHandler(handler)
        await writer.close(running, within=_LOG_FLUSH)


def make_event_sink(*, sender: HttpSender, url: str) -> EventSink | None:
    """Where emitted events go besides; None where no address is set."""
    return EventSink(sender=sender, url=url) if url else None


async def open_subscriptions() -> AsyncIterator[Subscriptions]:
    """What keeps subscriptions between the activities that take messages from them."""
    subscriptions = Subscriptions()
    try:
        yield subscriptions
    finally:
        await subscriptions.close()


class Calls(containers.DeclarativeContainer):
    """What makes calls for workflows, and what calls are made with."""

    http_client = Base(open_http_client, timeout_seconds=_settings.call_timeout_seconds)
    expression_pool = Base(
        open_expression_pool,
        cpu_seconds=_settings.expression_cpu_seconds,
        memory_mb=_settings.expression_memory_mb,
    )
    authenticator = providers.Singleton(
        Authenticator,
        tokens=providers.Singleton(
            TokenSource, client=providers.Singleton(TokenClient, client=http_client)
        ),
    )
    completer = providers.Singleton(
        CallCompleter,
        secrets=providers.Singleton(
            LocalSecrets,
            directory=_settings.secrets_directory,
            environment=providers.Object(os.environ),
            prefix=_settings.secrets_prefix,
        ),
        evaluator=expression_pool,
        authenticator=authenticator,
    )
    call_logs = Base(open_call_logs, repo=Storage.log_repo, clock=Foundation.clock)
    recorder = providers.Singleton(
        ToldRecorder, recorder=Storage.execution_repo, sink=providers.Singleton(ProcessLog)
    )
    performer = providers.Singleton(
        Performer, recorder=recorder, completer=completer, logs=call_logs, clock=Foundation.clock
    )
    http_sender = providers.Singleton(
        HttpSender,
        client=http_client,
        authenticator=authenticator,
        max_response_bytes=_settings.call_max_response_bytes,
    )
    documents = providers.Singleton(Documents, sender=http_sender)
    event_sink = providers.Singleton(
        make_event_sink, sender=http_sender, url=_settings.event_sink_url
    )
    http_messages = providers.Singleton(
        HttpMessages, sender=http_sender, client=http_client, authenticator=authenticator
    )
    callers = providers.List(
        providers.Singleton(ChildActivities, performer=performer, children=Usecases.children),
        providers.Singleton(HttpActivities, performer=performer, sender=http_sender),
        providers.Singleton(
            A2aActivities,
            performer=performer,
            client=http_client,
            authenticator=authenticator,
            documents=documents,
            max_response_bytes=_settings.call_max_response_bytes,
        ),
        providers.Singleton(
            PublishActivities, performer=performer, documents=documents, http=http_messages
        ),
        providers.Singleton(
            ReceiveActivities,
            performer=performer,
            documents=documents,
            http=http_messages,
            subscriptions=Base(open_subscriptions),
        ),
        providers.Singleton(
            McpActivities,
            performer=performer,
            client=http_client,
            authenticator=authenticator,
            max_response_bytes=_settings.call_max_response_bytes,
            processes=Processes.process_policy,
        ),
        providers.Singleton(
            ContainerActivities,
            performer=performer,
            policy=Processes.process_policy,
            engine=Processes.container_engine,
        ),
        providers.Singleton(
            ShellActivities,
            performer=performer,
            policy=Processes.process_policy,
            runner=Processes.process_runner,
        ),
        providers.Singleton(
            ScriptActivities,
            performer=performer,
            policy=Processes.process_policy,
            runner=Processes.process_runner,
            documents=documents,
        ),
        providers.Singleton(FetchActivities, performer=performer, documents=documents),
        providers.Singleton(
            GrpcActivities,
            performer=performer,
            authenticator=authenticator,
            documents=documents,
            timeout_seconds=_settings.call_timeout_seconds,
            max_response_bytes=_settings.call_max_response_bytes,
        ),
        providers.Singleton(
            OpenApiActivities,
            performer=performer,
            sender=http_sender,
            documents=documents,
        ),
        providers.Singleton(
            EmissionActivities, performer=performer, publisher=Usecases.events, sink=event_sink
        ),
    )
