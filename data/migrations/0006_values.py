"""Inputs and outputs in histories; the large ones once for an execution."""

import peewee

_COLUMNS = ("input", "output", "context")
_TABLE = """
    CREATE TABLE execution_value (
        execution_id TEXT {binary} NOT NULL,
        digest TEXT NOT NULL,
        length BIGINT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (execution_id, digest)
    )
"""


def up(database: peewee.Database) -> None:
    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    for column in _COLUMNS:
        database.execute_sql(f"ALTER TABLE execution_event ADD COLUMN {column} TEXT")
    binary = 'COLLATE "C"' if on_postgresql else "COLLATE BINARY"
    database.execute_sql(_TABLE.format(binary=binary))


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP TABLE execution_value")
    for column in _COLUMNS:
        database.execute_sql(f"ALTER TABLE execution_event DROP COLUMN {column}")
