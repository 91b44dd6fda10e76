"""Batches read ahead by threads, always in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

Batch = tuple[np.ndarray, np.ndarray]


def read_ahead(batches: Any, first: int, workers: int) -> Iterator[Batch]:
    """Yield ``batches[first], batches[first + 1], ...`` to the end of the epoch.

    Each batch is a pure function of its index, so the number of threads changes the
    speed alone: 0 reads in the caller's thread, N keeps at most N + 1 batches ready.
    """
    if workers == 0:
        for index in range(first, len(batches)):
            yield batches[index]
        return
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="loader") as pool:
        try:
            for index in range(first, len(batches)):
                waiting.append(pool.submit(batches.__getitem__, index))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
