"""The database, and the repositories on it."""

from collections.abc import AsyncIterator

from dependency_injector import containers, providers

from app.composition.foundation import Foundation
from app.composition.kinds import Base
from app.failure import Failure
from biz.errors import Unavailable
from data.checkpoint import PeeweeCheckpointRepo
from data.database import Database
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from data.execution_control import PeeweeWishRepo
from data.execution_log import PeeweeExecutionLogRepo
from data.fault_hooks import PeeweeFaultHookRepo
from data.history import PeeweeHistoryRepo
from data.history_changes import DatabaseHistoryChanges
from data.history_end import PeeweeHistoryEndRepo
from data.history_relay import PeeweeRelayRepo
from data.lease import PeeweeLeaseRepo
from data.live import PeeweeLiveHistoryRepo
from data.migrator import Migrator, SchemaMismatch
from data.operation import PeeweeOperationRepo
from data.removal import PeeweeRemovalRepo
from data.schedule import PeeweeScheduleRepo
from data.schedule_events import PeeweeEventScheduleRepo
from data.signing_key import PeeweeSigningKey
from data.statistics import PeeweeStatisticsRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo

_settings = Foundation.settings.provided


async def open_database(*, url: str, pool_size: int) -> AsyncIterator[Database]:
    """The database, whatever its schema."""
    database = Database(url=url, pool_size=pool_size)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def checked_database(*, database: Database, migrator: Migrator) -> Database:
    """The database, whose schema is this version's; raises Failure."""
    try:
        await migrator.require_current()
    except SchemaMismatch as error:
        raise Failure(str(error)) from error
    except Unavailable as error:
        raise Failure(f"DATABASE_URL: {error.message}") from error
    return database


class Storage(containers.DeclarativeContainer):
    """The database, and the repositories on it."""

    database = Base(
        open_database,
        url=_settings.database_url,
        pool_size=_settings.database_pool_size,
    )
    migrator = providers.Singleton(Migrator, database=database)
    checked_database = Base(checked_database, database=database, migrator=migrator)
    signing_key = providers.Singleton(PeeweeSigningKey, database=checked_database)
    lease_repo = providers.Singleton(PeeweeLeaseRepo, database=checked_database)
    template_repo = providers.Singleton(PeeweeTemplateRepo, database=checked_database)
    template_alias_repo = providers.Singleton(PeeweeTemplateAliasRepo, database=checked_database)
    execution_repo = providers.Singleton(
        PeeweeExecutionRepo,
        database=checked_database,
        clock=Foundation.clock,
        has_history_sink=providers.Callable(bool, _settings.history_sink_url),
    )
    wish_repo = providers.Singleton(PeeweeWishRepo, database=checked_database)
    checkpoint_repo = providers.Singleton(
        PeeweeCheckpointRepo, database=checked_database, clock=Foundation.clock
    )
    fault_hook_repo = providers.Singleton(PeeweeFaultHookRepo, database=checked_database)
    history_repo = providers.Singleton(PeeweeHistoryRepo, database=checked_database)
    history_end_repo = providers.Singleton(PeeweeHistoryEndRepo, database=checked_database)
    history_changes = providers.Singleton(DatabaseHistoryChanges, database=checked_database)
    live_history_repo = providers.Singleton(PeeweeLiveHistoryRepo, database=checked_database)
    relay_repo = providers.Singleton(PeeweeRelayRepo, database=checked_database)
    log_repo = providers.Singleton(PeeweeExecutionLogRepo, database=checked_database)
    event_repo = providers.Singleton(PeeweeEventRepo, database=checked_database)
    event_schedule_repo = providers.Singleton(PeeweeEventScheduleRepo, database=checked_database)
    schedule_repo = providers.Singleton(PeeweeScheduleRepo, database=checked_database)
    operation_repo = providers.Singleton(PeeweeOperationRepo, database=checked_database)
    removal_repo = providers.Singleton(
        PeeweeRemovalRepo, database=checked_database, clock=Foundation.clock
    )
    statistics_repo = providers.Singleton(PeeweeStatisticsRepo, database=checked_database)
