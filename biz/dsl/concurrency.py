"""Several things at once, in an order that is the same in a replay, and with none left running.

asyncio's own groups keep their tasks in sets, whose order differs from process to process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


async def gather(works: Sequence[Coroutine[Any, Any, _T]]) -> Sequence[_T]:
    """What all of them give, in their order; the first that fails cancels the others."""
    ended = await _until(works, lambda work: _failure(work) is not None)
    for work in ended.in_time:
        work.result()
    return [work.result() for work in ended.all]


async def race(
    works: Sequence[Coroutine[Any, Any, _T]], wins: Callable[[_T], bool] = lambda result: True
) -> _T:
    """What the first gives that doesn't fail and `wins`; the others are cancelled then.

    Where none wins, raises the first failure, or gives what the first gave that didn't fail.
    """

    def has_won(work: asyncio.Task[_T]) -> bool:
        return _failure(work) is None and wins(work.result())

    ended = await _until(works, has_won)
    failed = (work for work in ended.in_time if _failure(work) is not None)
    winner = next((work for work in ended.in_time if has_won(work)), None)
    return (winner or next(failed, ended.in_time[0])).result()


async def first(works: Sequence[Coroutine[Any, Any, _T]]) -> _T:
    """What the first that ends gives or raises; the others are cancelled then."""
    ended = await _until(works, lambda work: True)
    return ended.in_time[0].result()


class _Ended(Generic[_T]):
    """All works in their order, and those that ended by themselves in the order of their ends."""

    def __init__(self, works: Sequence[asyncio.Task[_T]]) -> None:
        self.all = works
        self.in_time: list[asyncio.Task[_T]] = []


async def _until(
    works: Sequence[Coroutine[Any, Any, _T]], is_enough: Callable[[asyncio.Task[_T]], bool]
) -> _Ended[_T]:
    """Lets them run until one ended with which it is enough, or all did; cancels the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    found = _Ended(tasks)
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note(task: asyncio.Task[_T]) -> None:
        if over.done():
            return
        found.in_time.append(task)
        if task.cancelled() or is_enough(task) or len(found.in_time) == len(tasks):
            over.set_result(None)

    for task in tasks:
        task.add_done_callback(note)
    is_put_away = False
    try:
        if tasks:
            await over
    except GeneratorExit:  # the run leaves the memory of its worker, and its tasks with it
        is_put_away = True
        raise
    finally:
        if not is_put_away:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return found


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
