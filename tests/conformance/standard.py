"""Where the standard's schema, examples and conformance kit are, for tests that need them."""

import os
from pathlib import Path

STANDARD = Path(
    os.environ.get("OPEN_WORKFLOW_STANDARD", Path(__file__).parents[3] / "shared" / "ows")
)
"""The folder with `schema`, `examples`, `invalid` and `ctk`; it isn't part of this project."""
