"""How many iterations a loop has, with the events of the tasks in it."""

import peewee


def up(database: peewee.Database) -> None:
    database.execute_sql("ALTER TABLE execution_event ADD COLUMN iterations BIGINT")


def down(database: peewee.Database) -> None:
    database.execute_sql("ALTER TABLE execution_event DROP COLUMN iterations")
