"""How far the history of each execution has reached the sink."""

import peewee

_STATEMENTS = (
    "ALTER TABLE execution ADD COLUMN sent_sequence BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE execution ADD COLUMN unsent_sequence BIGINT",
    "CREATE INDEX execution_unsent ON execution (id) WHERE unsent_sequence IS NOT NULL",
)


def up(database: peewee.Database) -> None:
    for statement in _STATEMENTS:
        database.execute_sql(statement)


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX execution_unsent")
    database.execute_sql("ALTER TABLE execution DROP COLUMN unsent_sequence")
    database.execute_sql("ALTER TABLE execution DROP COLUMN sent_sequence")
