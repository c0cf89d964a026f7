"""What memory gives now: virtual machines share theirs with neighbours, and it drifts."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy

# Far beyond the last-level cache of common processors.
BYTE_COUNT = 512 << 20
PASSES = 5


def measure(threads: int) -> float:
    """Bytes a second, the median of some passes of `threads` threads over memory of their own."""
    parts = [numpy.ones(BYTE_COUNT // 8 // threads, dtype=numpy.uint64) for _ in range(threads)]
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        # numpy lets go of the interpreter's lock while it reduces. The first pass wakes the threads.
        for _ in range(PASSES + 1):
            start = time.perf_counter()
            list(pool.map(numpy.bitwise_or.reduce, parts))
            rates.append(BYTE_COUNT / (time.perf_counter() - start))
    return statistics.median(rates[1:])
