"""The command line: its words and options; what they do is in app/commands.

Each command imports its own part when it is called, so that `--help` and the client's commands
don't wait for the server's libraries.
"""

from app.cli.root import cli, main

__all__ = ["cli", "main"]
