"""How long tests wait for what comes about by itself, before they say that it doesn't.

It ends what hangs, on a machine that may be slow and busy. What has to be quick says how quick in
its own test.
"""

from datetime import timedelta

PATIENCE_SECONDS = 60
"""As long as a call may wait for the end of an execution."""

PATIENCE = timedelta(seconds=PATIENCE_SECONDS)
