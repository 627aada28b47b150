"""Finds in an AsyncAPI document where a task's messages go, or come from.

AsyncAPI 2 and 3. References stay within the document.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from biz.dsl.calls.asyncapi_call import AsyncApiTarget
from workflows.activities.documents import FetchedDocument

_MOST_REFERENCES = 20
_MOST_STEPS = 100_000
"""Values looked at in one document."""

_LONGEST_REFERENCE = 2_000
_LONGEST_ADDRESS = 8_000
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_LOCATION = re.compile(r"\$message\.(header|payload)#(/.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What stands for a name in braces: where a message has it, or else a default, if any."""

    location: str
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where messages are sent to, or received from.

    `address` may have parameters in braces. `method` is that of HTTP, `queue` the group of NATS
    subscribers; both are empty where the document has none. `correlation` is the location of the
    correlation id in a message.
    """

    protocol: str
    server: str
    address: str
    parameters: Mapping[str, Parameter]
    method: str
    queue: str
    correlation: str


class MissingParameter(Exception):
    """The address of a channel has a parameter without a value; the message is its name."""


def find_channel(
    fetched: FetchedDocument, document: Any, target: AsyncApiTarget, *, publishes: bool
) -> Channel:
    """The channel of a target; raises TaskFault, which says what the document lacks."""
    return _Document(fetched, document).channel(target, publishes=publishes)


def address_of(channel: Channel, payload: Any = None, headers: Any = None) -> str:
    """The address with its parameters in place; raises MissingParameter."""

    def value(found: re.Match[str]) -> str:
        parameter = channel.parameters.get(found[1])
        if parameter is not None:
            located = located_in(parameter.location, payload, headers)
            if isinstance(located, str | int | float) and not isinstance(located, bool):
                return str(located)
            if parameter.default is not None:
                return parameter.default
        raise MissingParameter(found[1])

    return _PARAMETER.sub(value, channel.address)


def located_in(location: str, payload: Any, headers: Any) -> Any:
    """What a message has at a location such as `$message.header#/id`; None for nothing."""
    found = _LOCATION.fullmatch(location)
    if found is None:
        return None
    value = headers if found[1] == "header" else payload
    for part in (found[2] or "").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


class _Document:
    def __init__(self, fetched: FetchedDocument, value: Any) -> None:
        self._fetched = fetched
        self._value = value if isinstance(value, dict) else {}
        self._steps = 0

    def channel(self, target: AsyncApiTarget, *, publishes: bool) -> Channel:
        version = str(self._value.get("asyncapi", ""))
        if version.startswith("3."):
            operation = self._named("operations", target.operation, "operation", version)
            channel = self._object(operation.get("channel"))
            address = channel.get("address")
            messages = operation.get("messages") or channel.get("messages")
        elif version.startswith("2."):
            channel = self._named("channels", target.channel, "channel", version)
            verb = "publish" if publishes else "subscribe"
            if verb not in channel:
                raise self._fault(f'has no "{verb}" at the channel "{target.channel}"')
            operation = self._object(channel[verb])
            address = target.channel
            messages = operation.get("message")
        else:
            raise self._fault("isn't AsyncAPI 2 or 3")
        if not isinstance(address, str):
            raise self._fault("has no address for the operation's channel")
        self._require_short(address)
        server = self._server(target, channel)
        bindings = self._object(operation.get("bindings"))
        return Channel(
            protocol=str(server.get("protocol", "")).lower(),
            server=self._url(server, target.variables),
            address=address,
            parameters=self._parameters(channel),
            method=str(self._object(bindings.get("http")).get("method", "")).upper(),
            queue=str(self._object(bindings.get("nats")).get("queue", "")),
            correlation=self._correlation(messages),
        )

    def _named(self, kind: str, name: str | None, what: str, version: str) -> Mapping[str, Any]:
        """An operation or a channel by its name."""
        if name is None:
            raise self._fault(f"is AsyncAPI {version}, in which a task names its {what}")
        known = self._object(self._value.get(kind))
        if name not in known:
            raise self._fault(f'has no {what} "{name}"; it has {_listed(known)}')
        return self._object(known[name])

    def _server(self, target: AsyncApiTarget, channel: Mapping[str, Any]) -> Mapping[str, Any]:
        """The named one, or else the first of the channel's, with the protocol if there is one."""
        servers = self._object(self._value.get("servers"))
        if target.server is not None:
            if target.server not in servers:
                raise self._fault(f'has no server "{target.server}"; it has {_listed(servers)}')
            return self._object(servers[target.server])
        listed = channel.get("servers")
        names = [_server_name(one) for one in listed] if isinstance(listed, list) else []
        for name in names or servers:
            server = self._object(servers.get(name))
            if target.protocol is None or _is_of(server, target.protocol):
                return server
        of = f" of the protocol {target.protocol}" if target.protocol else ""
        raise self._fault(f"has no server{of} for this channel")

    def _url(self, server: Mapping[str, Any], given: Mapping[str, Any]) -> str:
        """The address of a server with its variables in place."""
        protocol = server.get("protocol")
        text = server.get("url")  # AsyncAPI 2
        if text is None:
            text = f"{server.get('host', '')}{server.get('pathname', '')}"
        if "://" not in str(text):
            text = f"{protocol}://{text}"
        variables = self._object(server.get("variables"))

        def value(found: re.Match[str]) -> str:
            variable = self._object(variables.get(found[1]))
            chosen = given.get(found[1], variable.get("default"))
            if chosen is None:
                raise self._fault(f'needs the variable "{found[1]}" for its server')
            allowed = variable.get("enum")
            if isinstance(allowed, list) and chosen not in allowed:
                raise self._fault(f'allows the variable "{found[1]}" no "{chosen}"')
            self._require_short(str(chosen))
            self._step(len(allowed) if isinstance(allowed, list) else 1)
            return str(chosen)

        self._require_short(str(text))
        return _PARAMETER.sub(value, str(text))

    def _parameters(self, channel: Mapping[str, Any]) -> Mapping[str, Parameter]:
        found = {}
        for name, value in self._object(channel.get("parameters")).items():
            parameter = self._object(value)
            default = parameter.get("default", self._object(parameter.get("schema")).get("default"))
            location = str(parameter.get("location", ""))
            found[name] = Parameter(
                location=location, default=None if default is None else str(default)
            )
        return found

    def _correlation(self, messages: Any) -> str:
        """The location of the correlation id in the first message that has one."""
        value = self._resolved(messages)
        candidates: Sequence[Any] = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            candidates = [value, *value.get("oneOf", ()), *value.values()]
        for candidate in candidates:
            identifier = self._object(self._object(candidate).get("correlationId"))
            if isinstance(identifier.get("location"), str):
                return str(identifier["location"])
        return ""

    def _object(self, value: Any) -> Mapping[str, Any]:
        """An object that may be a reference; an empty one for all else."""
        found = self._resolved(value)
        return found if isinstance(found, dict) else {}

    def _resolved(self, value: Any) -> Any:
        for _ in range(_MOST_REFERENCES):
            self._step()
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._referred(value["$ref"])
        raise self._fault("has references in a circle")

    def _referred(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise self._fault(f"refers to {reference}, which is outside of it")
        if len(reference) > _LONGEST_REFERENCE:
            raise self._fault(f"has a reference of more than {_LONGEST_REFERENCE} characters")
        value: Any = self._value
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                raise self._fault(f"has nothing at {reference}, to which it refers")
        return value

    def _require_short(self, text: str) -> None:
        if len(text) > _LONGEST_ADDRESS:
            raise self._fault(f"has an address of more than {_LONGEST_ADDRESS} characters")

    def _step(self, size: int = 1) -> None:
        self._steps += size
        if self._steps > _MOST_STEPS:
            raise self._fault(f"can't be read within {_MOST_STEPS} steps")

    def _fault(self, what: str) -> Exception:
        return self._fetched.fault(what)


def _server_name(listed: Any) -> str:
    """AsyncAPI 2 lists names, AsyncAPI 3 references."""
    if isinstance(listed, dict):
        return str(listed.get("$ref", "")).rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    return str(listed)


def _is_of(server: Mapping[str, Any], protocol: str) -> bool:
    """Whether a server speaks a protocol; https is http."""
    spoken = str(server.get("protocol", "")).lower()
    return spoken == protocol or (protocol == "http" and spoken == "https")


def _listed(known: Mapping[str, Any]) -> str:
    return ", ".join(list(known)[:20]) or "none"
