"""Who is to be told of the fault of each execution, and how far that is."""

import peewee

_TABLE = """
    CREATE TABLE hook_delivery (
        execution_id TEXT {binary} NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due_at BIGINT,
        hook TEXT NOT NULL,
        PRIMARY KEY (execution_id, position)
    )
"""
_INDEXES = (
    "CREATE INDEX hook_delivery_due ON hook_delivery (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX execution_hooks ON execution (status, id) "
    "WHERE hooks <> '' AND hook_of = '' AND status = 'FAULTED'",
)


def up(database: peewee.Database) -> None:
    binary = 'COLLATE "C"' if isinstance(database, peewee.PostgresqlDatabase) else "COLLATE BINARY"
    for column in ("hook_of", "hooks"):
        database.execute_sql(
            f"ALTER TABLE execution ADD COLUMN {column} TEXT {binary} NOT NULL DEFAULT ''"
        )
    database.execute_sql(_TABLE.format(binary=binary))
    for index in _INDEXES:
        database.execute_sql(index)


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX execution_hooks")
    database.execute_sql("DROP TABLE hook_delivery")
    for column in ("hook_of", "hooks"):
        database.execute_sql(f"ALTER TABLE execution DROP COLUMN {column}")
