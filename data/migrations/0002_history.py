"""The history of executions."""

import peewee

_TABLE = """
    CREATE TABLE execution_event (
        execution_id TEXT {binary} NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        type TEXT NOT NULL,
        task TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        error TEXT,
        started_at BIGINT,
        PRIMARY KEY (execution_id, sequence)
    ) {options}
"""
_SQLITE = {"binary": "COLLATE BINARY", "options": "WITHOUT ROWID"}
_POSTGRESQL = {"binary": 'COLLATE "C"', "options": ""}


def up(database: peewee.Database) -> None:
    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    database.execute_sql(_TABLE.format(**_POSTGRESQL if on_postgresql else _SQLITE))


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP TABLE execution_event")
