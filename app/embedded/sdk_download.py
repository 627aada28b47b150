"""Lets the Temporal SDK download its development server into a folder.

A program of its own: `python sdk_download.py FOLDER`. The SDK offers the download only together
with a start, can't be interrupted in it, and may crash when the interpreter ends: so it works in a
process that can be killed and whose exit code is ours.
"""

import asyncio
import os
import sys

from temporalio.testing import WorkflowEnvironment


async def _download(folder: str) -> None:
    async with await WorkflowEnvironment.start_local(download_dest_dir=folder):
        pass


def main() -> None:
    asyncio.run(_download(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
