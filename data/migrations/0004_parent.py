"""Which execution runs which."""

import peewee


def up(database: peewee.Database) -> None:
    binary = 'COLLATE "C"' if isinstance(database, peewee.PostgresqlDatabase) else "COLLATE BINARY"
    database.execute_sql(
        f"ALTER TABLE execution ADD COLUMN parent_id TEXT {binary} NOT NULL DEFAULT ''"
    )
    database.execute_sql(
        "CREATE INDEX execution_parent_id ON execution (parent_id, created_at, id) "
        "WHERE parent_id <> ''"
    )


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX execution_parent_id")
    database.execute_sql("ALTER TABLE execution DROP COLUMN parent_id")
