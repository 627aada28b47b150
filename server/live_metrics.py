"""How much is watched, as metrics."""

from prometheus_client import CollectorRegistry, Gauge

from biz.history.live import LiveHistory


def live_metrics(registry: CollectorRegistry, live: LiveHistory) -> None:
    """Adds gauges to `registry`, which must not hold them yet."""
    watchers = Gauge(
        "workflow_engine_watchers", "Open streams of WatchExecution.", registry=registry
    )
    watchers.set_function(lambda: live.watchers)
    watched = Gauge(
        "workflow_engine_watched_executions", "Executions that they watch.", registry=registry
    )
    watched.set_function(lambda: live.watched)
