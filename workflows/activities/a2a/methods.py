"""The A2A methods that the standard names, in the JSON of A2A 0.3, by a transport of the SDK.

The SDK's own messages are those of A2A 1.0; its conversions stand between the two.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from a2a.client.transports.base import ClientTransport
from a2a.compat.v0_3 import conversions
from a2a.compat.v0_3 import types as v03
from a2a.compat.v0_3.versions import is_legacy_version
from a2a.types.a2a_pb2 import (
    AgentCard,
    GetExtendedAgentCardRequest,
    ListTasksRequest,
    StreamResponse,
)
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from pydantic import BaseModel, ValidationError

from biz.dsl.sizes import json_size

MOST_EVENTS = 1000

_Request = TypeVar("_Request", bound=BaseModel)


class InvalidParameters(Exception):
    """The parameters aren't those of the method; the message says where."""


class StreamTooLong(Exception):
    """A stream has more than is taken of it."""


async def ask(
    transport: ClientTransport, method: str, parameters: Mapping[str, Any], *, limit: int
) -> Any:
    """The result of a method; of a stream an array of all of them, of at most `limit` bytes.

    Raises InvalidParameters, StreamTooLong, A2AError, and ValueError for an odd answer.
    """
    match method:
        case "message/send":
            answer = await transport.send_message(_message(parameters))
            if answer.HasField("task"):
                return _dump(conversions.to_compat_task(answer.task))
            if answer.HasField("message"):
                return _dump(conversions.to_compat_message(answer.message))
            raise ValueError("it gave neither a task nor a message")
        case "message/stream":
            return await _collect(transport.send_message_streaming(_message(parameters)), limit)
        case "tasks/resubscribe":
            again = _read(v03.TaskResubscriptionRequest, parameters)
            subscription = conversions.to_core_subscribe_to_task_request(again)
            return await _collect(transport.subscribe(subscription), limit)
        case "tasks/get":
            get = conversions.to_core_get_task_request(_read(v03.GetTaskRequest, parameters))
            return _dump(conversions.to_compat_task(await transport.get_task(get)))
        case "tasks/cancel":
            cancel = conversions.to_core_cancel_task_request(
                _read(v03.CancelTaskRequest, parameters)
            )
            return _dump(conversions.to_compat_task(await transport.cancel_task(cancel)))
        case "tasks/list":
            return await _list_tasks(transport, parameters)
        case "agent/getAuthenticatedExtendedCard":
            return _card(await transport.get_extended_agent_card(GetExtendedAgentCardRequest()))
    return await _push_notifications(transport, method.rpartition("/")[2], parameters)


async def _list_tasks(transport: ClientTransport, parameters: Mapping[str, Any]) -> Any:
    """A2A 0.3 has this method without JSON of its own: but for the tasks it is that of 1.0."""
    request = dict(parameters)
    if isinstance(state := request.get("status"), str):
        request["status"] = f"TASK_STATE_{state.upper().replace('-', '_')}"
    try:
        listing = ParseDict(request, ListTasksRequest())
    except ParseError as error:
        raise InvalidParameters(str(error)) from None
    answer = await transport.list_tasks(listing)
    tasks = [_dump(conversions.to_compat_task(task)) for task in answer.tasks]
    return {**MessageToDict(answer), "tasks": tasks}


async def _push_notifications(
    transport: ClientTransport, verb: str, parameters: Mapping[str, Any]
) -> Any:
    match verb:
        case "set":
            config = conversions.to_core_create_task_push_notification_config_request(
                _read(v03.SetTaskPushNotificationConfigRequest, parameters)
            )
            made = await transport.create_task_push_notification_config(config)
            return _dump(conversions.to_compat_task_push_notification_config(made))
        case "get":
            get = conversions.to_core_get_task_push_notification_config_request(
                _read(v03.GetTaskPushNotificationConfigRequest, parameters)
            )
            found = await transport.get_task_push_notification_config(get)
            return _dump(conversions.to_compat_task_push_notification_config(found))
        case "list":
            listing = conversions.to_core_list_task_push_notification_config_request(
                _read(v03.ListTaskPushNotificationConfigRequest, parameters)
            )
            answer = await transport.list_task_push_notification_configs(listing)
            configs = map(conversions.to_compat_task_push_notification_config, answer.configs)
            return [_dump(config) for config in configs]
    delete = conversions.to_core_delete_task_push_notification_config_request(
        _read(v03.DeleteTaskPushNotificationConfigRequest, parameters)
    )
    await transport.delete_task_push_notification_config(delete)
    return None


def _message(parameters: Mapping[str, Any]) -> Any:
    return conversions.to_core_send_message_request(_read(v03.SendMessageRequest, parameters))


async def _collect(stream: AsyncGenerator[StreamResponse], limit: int) -> list[Any]:
    found: list[Any] = []
    size = 0
    async with aclosing(stream):
        async for event in stream:
            found.append(_dump(conversions.to_compat_stream_response(event, 1).result))
            size += json_size(found[-1])
            if len(found) > MOST_EVENTS or size > limit:
                raise StreamTooLong
    return found


def _card(card: AgentCard) -> Any:
    """A card in the form of 0.3, if it can be said in it, else as it is."""
    versions = [interface.protocol_version for interface in card.supported_interfaces]
    if any(not version or is_legacy_version(version) for version in versions):
        return _dump(conversions.to_compat_agent_card(card))
    return MessageToDict(card)


def _read(kind: type[_Request], parameters: Mapping[str, Any]) -> _Request:
    try:
        return kind.model_validate({"id": 1, "params": parameters})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(str(part) for part in found["loc"][1:])
        raise InvalidParameters(f"/{place} {found['msg']}") from None


def _dump(value: BaseModel) -> Any:
    return value.model_dump(by_alias=True, exclude_none=True, mode="json")
