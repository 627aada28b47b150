"""What tells hooks of faults, beside a worker."""

from collections.abc import Callable

import httpx
from dependency_injector import containers, providers

from app.composition.calls import Calls
from app.composition.foundation import Foundation
from app.composition.kinds import Part, run, seconds
from app.composition.storage import Storage
from app.composition.usecases import Usecases
from biz.hooks.relay import FaultHookRelay
from biz.hooks.telling import FaultTelling
from data.http_sink import HttpLifecycleSink

_settings = Foundation.settings.provided


def sinks_behind(*, client: httpx.AsyncClient) -> Callable[[str], HttpLifecycleSink]:
    """What makes a sink of an address."""
    return lambda url: HttpLifecycleSink(client=client, url=url)


class Hooks(containers.DeclarativeContainer):
    """What tells hooks of faults, beside a worker."""

    hooks_at_work = providers.Singleton(
        FaultHookRelay,
        repo=Storage.fault_hook_repo,
        teller=providers.Singleton(
            FaultTelling,
            repo=Storage.execution_repo,
            aliases=Usecases.template_aliases,
            runs=Usecases.execution_runs,
            sinks=providers.Singleton(sinks_behind, client=Calls.http_client),
            clock=Foundation.clock,
        ),
        log=Calls.call_logs,
        clock=Foundation.clock,
        interval=seconds(_settings.reconcile_seconds),
    )
    fault_hooks = Part(run, name="the relay of faults to hooks", runner=hooks_at_work)
