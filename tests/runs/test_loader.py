import threading
import time

import pytest

from benchmarker.runs.loader import read_ahead


class Slow:
    """Batches that take longer the earlier they are, so that threads finish out of order."""

    def __init__(self, count):
        self.count = count
        self.threads = set()

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        time.sleep(0.002 * (self.count - index) / self.count)
        return index, index * 10


@pytest.mark.parametrize("workers", [0, 1, 4])
@pytest.mark.parametrize("first", [0, 7])
def test_order_is_kept(workers, first):
    batches = Slow(12)
    assert [pair[0] for pair in read_ahead(batches, first, workers)] == list(range(first, 12))
    own = threading.get_ident()
    assert (own in batches.threads) == (workers == 0)


def test_nothing_to_read():
    assert list(read_ahead(Slow(0), 0, 2)) == []


def test_leaving_early_stops_the_threads():
    before = threading.active_count()
    batches = read_ahead(Slow(50), 0, 3)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_an_error_reaches_the_loop():
    class Broken(Slow):
        def __getitem__(self, index):
            if index == 3:
                message = "batch 3 is broken"
                raise ValueError(message)
            return super().__getitem__(index)

    with pytest.raises(ValueError, match="batch 3"):
        list(read_ahead(Broken(6), 0, 2))
