"""Finds the events that are for one execution, so that they can go with it."""

import peewee


def up(database: peewee.Database) -> None:
    database.execute_sql("CREATE INDEX event_target ON event (target, sequence)")


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX event_target")
