"""Where executions that take up from others begin, beside where they ended."""

import peewee


def up(database: peewee.Database) -> None:
    database.execute_sql("ALTER TABLE execution_checkpoint ADD COLUMN start TEXT")
    database.execute_sql(
        "UPDATE execution_checkpoint SET start = content WHERE execution_id IN"
        " (SELECT id FROM execution WHERE retry_of <> '')"
    )


def down(database: peewee.Database) -> None:
    database.execute_sql("ALTER TABLE execution_checkpoint DROP COLUMN start")
