"""An index that statistics can be read from alone; it takes the place of a narrower one."""

import peewee

_COUNTED = "namespace, template_id, template_name, status, started_at, ended_at"


def up(database: peewee.Database) -> None:
    on_postgresql = isinstance(database, peewee.PostgresqlDatabase)
    columns = f") INCLUDE ({_COUNTED})" if on_postgresql else f", {_COUNTED})"
    database.execute_sql("DROP INDEX execution_created_at")
    database.execute_sql(f"CREATE INDEX execution_created_at ON execution (created_at, id{columns}")


def down(database: peewee.Database) -> None:
    database.execute_sql("DROP INDEX execution_created_at")
    database.execute_sql("CREATE INDEX execution_created_at ON execution (created_at, id)")
