"""What is asked of executions, and which of them have a history without an end."""

import peewee

_COLUMNS = (
    ("order_sequence", "BIGINT NOT NULL DEFAULT 0"),
    ("order_sent", "BIGINT NOT NULL DEFAULT 0"),
    ("order_verb", "TEXT NOT NULL DEFAULT ''"),
    ("order_reason", "TEXT NOT NULL DEFAULT ''"),
    ("history_open", "INTEGER NOT NULL DEFAULT 0"),
)
_INDEXES = {
    "execution_unsent_order": "order_sent < order_sequence",
    "execution_open_history": "history_open = 1",
}


def up(database: peewee.Database) -> None:
    for name, type in _COLUMNS:
        database.execute_sql(f"ALTER TABLE execution ADD COLUMN {name} {type}")
    for name, condition in _INDEXES.items():
        database.execute_sql(f"CREATE INDEX {name} ON execution (id) WHERE {condition}")


def down(database: peewee.Database) -> None:
    for name in _INDEXES:
        database.execute_sql(f"DROP INDEX {name}")
    for name, _ in _COLUMNS:
        database.execute_sql(f"ALTER TABLE execution DROP COLUMN {name}")
