"""Leases, and what finds the executions whose time is over."""

import peewee

_SQLITE = {"binary": "COLLATE BINARY"}
_POSTGRESQL = {"binary": 'COLLATE "C"'}

_STATEMENTS = (
    """
    CREATE TABLE lease (
        name TEXT {binary} NOT NULL PRIMARY KEY,
        holder TEXT NOT NULL,
        expires_at BIGINT NOT NULL
    )
    """,
    "ALTER TABLE execution ADD COLUMN history_removed_at BIGINT",
    """
    CREATE INDEX execution_ended ON execution (namespace, ended_at, id)
    WHERE ended_at IS NOT NULL
    """,
    """
    CREATE INDEX execution_history ON execution (namespace, ended_at, id)
    WHERE ended_at IS NOT NULL AND history_removed_at IS NULL
    """,
)


def up(database: peewee.Database) -> None:
    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    dialect = _POSTGRESQL if on_postgresql else _SQLITE
    for statement in _STATEMENTS:
        database.execute_sql(statement.format(**dialect))


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX execution_history")
    database.execute_sql("DROP INDEX execution_ended")
    database.execute_sql("ALTER TABLE execution DROP COLUMN history_removed_at")
    database.execute_sql("DROP TABLE lease")
