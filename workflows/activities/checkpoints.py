"""Reads where a run takes up."""

import json
from typing import Any

from temporalio import activity

from biz.executions.checkpoints import CheckpointRepo


class CheckpointActivities:
    """May be repeated; Temporal does so until it succeeds."""

    def __init__(self, *, checkpoints: CheckpointRepo) -> None:
        self._checkpoints = checkpoints

    @activity.defn
    async def load_checkpoint(self, execution_id: str) -> Any:
        """The JSON value of the checkpoint at which a run takes up; null where there is none.

        Fails while the database is down.
        """
        text = await self._checkpoints.get_start(execution_id)
        return None if text is None else json.loads(text)
