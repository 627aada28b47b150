"""Where executions stood when they ended, and which of them take up from which."""

import peewee

_TABLE = """
    CREATE TABLE execution_checkpoint (
        execution_id TEXT {binary} NOT NULL PRIMARY KEY,
        content TEXT NOT NULL
    )
"""


def up(database: peewee.Database) -> None:
    binary = 'COLLATE "C"' if isinstance(database, peewee.PostgresqlDatabase) else "COLLATE BINARY"
    database.execute_sql(_TABLE.format(binary=binary))
    for column in ("retry_of", "retried_by"):
        database.execute_sql(
            f"ALTER TABLE execution ADD COLUMN {column} TEXT {binary} NOT NULL DEFAULT ''"
        )


def down(database: peewee.Database) -> None:
    for column in ("retry_of", "retried_by"):
        database.execute_sql(f"ALTER TABLE execution DROP COLUMN {column}")
    database.execute_sql("DROP TABLE execution_checkpoint")
