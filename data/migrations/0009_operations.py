"""Operations, and the executions that each has still to do."""

import peewee

_SQLITE = {"binary": "COLLATE BINARY", "options": "WITHOUT ROWID"}
_POSTGRESQL = {"binary": 'COLLATE "C"', "options": ""}

_STATEMENTS = (
    """
    CREATE TABLE operation (
        id TEXT {binary} NOT NULL PRIMARY KEY,
        namespace TEXT {binary} NOT NULL,
        action TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        ended_at BIGINT,
        cancel_requested_at BIGINT,
        matched BIGINT NOT NULL,
        succeeded BIGINT NOT NULL,
        failed BIGINT NOT NULL,
        failures TEXT NOT NULL
    )
    """,
    "CREATE INDEX operation_created_at ON operation (created_at, id)",
    "CREATE INDEX operation_namespace ON operation (namespace, created_at, id)",
    "CREATE INDEX operation_unfinished ON operation (created_at, id) WHERE ended_at IS NULL",
    "CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL",
    """
    CREATE TABLE operation_item (
        operation_id TEXT {binary} NOT NULL,
        position BIGINT NOT NULL,
        target TEXT {binary} NOT NULL,
        PRIMARY KEY (operation_id, position)
    ) {options}
    """,
)


def up(database: peewee.Database) -> None:
    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    dialect = _POSTGRESQL if on_postgresql else _SQLITE
    for statement in _STATEMENTS:
        database.execute_sql(statement.format(**dialect))


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP TABLE operation_item")
    database.execute_sql("DROP TABLE operation")
