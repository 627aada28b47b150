"""Lets a long computation of a workflow pass through Temporal's worker."""

from temporalio import activity


@activity.defn
async def breathe() -> None:
    """Does nothing: that it ran is what counts. As a local activity it takes no round trip."""
