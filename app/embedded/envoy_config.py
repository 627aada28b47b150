"""How Envoy is started on this machine, from the same file as in a container.

`deploy/envoy/envoy.yaml` is a whole configuration with the addresses of a container. Here it gets
others, and goes to Envoy on the command line; no file is written.
"""

import json
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parents[2] / "deploy" / "envoy"


def envoy_command(
    *, binary: Path, listen: str, upstream: str, config: dict[str, Any] | None = None
) -> list[str]:
    """The command line of an Envoy that serves HTTP on `listen` for the gRPC server `upstream`.

    Both are HOST:PORT. `config` replaces what `load_envoy_config` gives. Envoy writes warnings and
    errors only, to standard error, and ends on SIGTERM; several can run beside each other.
    """
    document = readdressed(config or load_envoy_config(), listen=listen, upstream=upstream)
    return [
        str(binary),
        "--config-yaml",
        json.dumps(document),
        "--disable-hot-restart",
        "--log-level",
        "warning",
        "--concurrency",
        "2",
    ]


def load_envoy_config() -> dict[str, Any]:
    """The configuration as it stands in the file."""
    config: dict[str, Any] = yaml.safe_load((_FOLDER / "envoy.yaml").read_text(encoding="utf-8"))
    return config


def readdressed(config: dict[str, Any], *, listen: str, upstream: str) -> dict[str, Any]:
    """A copy with these addresses (HOST:PORT each), and with the descriptors beside the file."""
    copy: dict[str, Any] = json.loads(json.dumps(config))
    resources = copy["static_resources"]
    (listener,) = resources["listeners"]
    listener["address"] = _address(listen)
    (chain,) = listener["filter_chains"]
    (manager,) = chain["filters"]
    (transcoder,) = (
        each["typed_config"]
        for each in manager["typed_config"]["http_filters"]
        if each["name"] == "envoy.filters.http.grpc_json_transcoder"
    )
    transcoder["proto_descriptor"] = str(_FOLDER / "api.pb")
    (cluster,) = resources["clusters"]
    (locality,) = cluster["load_assignment"]["endpoints"]
    (server,) = locality["lb_endpoints"]
    server["endpoint"]["address"] = _address(upstream)
    return copy


def _address(text: str) -> dict[str, Any]:
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}
