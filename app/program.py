"""How this program was called, so that what it prints can be copied."""

import shutil
import sys
from pathlib import Path


def program() -> str:
    """Its path as it was given; the name alone where that is found on PATH."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{Path(sys.executable).name} -m {called.parent.name}"
    found = shutil.which(called.name)
    return called.name if found == str(called) else str(called)
