"""Prints docs/settings.md: `python -m app.documentation.settings_table`."""

import sys
from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from app.settings import Settings

_INTRODUCTION = """\
# Settings

Each is an environment variable, or a key in lower case of a TOML file that `--config` or
`WORKFLOW_ENGINE_CONFIG` names. A variable counts before the file. A bad value ends the command at
its start with exit code 2.

| Setting | Default | Meaning |
|---|---|---|"""


def lines() -> Iterator[str]:
    """The lines of the document."""
    yield _INTRODUCTION
    for name, field in Settings.model_fields.items():
        plain = field.default is not PydanticUndefined and field.default not in (None, "", ())
        default = f"`{field.default}`" if plain else ""
        yield f"| `{name.upper()}` | {default} | {field.description} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
