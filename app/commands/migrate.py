"""`migrate`: brings the database's schema forward, or back."""

import asyncio

import typer

from app.container import opened
from app.failure import Failure
from app.output import Format, print_json
from app.settings import Settings
from biz.errors import Unavailable
from data.migrator import SchemaMismatch


def migrate(settings: Settings, *, down: int | None, output: Format) -> None:
    """Applies what is missing, or undoes the last `down` steps; prints the steps."""
    try:
        steps = asyncio.run(_migrate(settings, down=down))
    except SchemaMismatch as error:
        raise Failure(str(error)) from error
    except Unavailable as error:
        raise Failure(f"DATABASE_URL: {error.message}") from error
    what = "undone" if down else "applied"
    if output == "json":
        print_json({what: steps})
        return
    for step in steps:
        typer.echo(f"{what}: {step}")
    if not steps:
        typer.echo("nothing to do")


async def _migrate(settings: Settings, *, down: int | None) -> list[str]:
    async with opened(settings) as container:
        migrator = await container.migrator.async_()
        return list(await (migrator.revert(steps=down) if down else migrator.migrate()))
