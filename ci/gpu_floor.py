"""The floor of a forward call: what a step of one layer with D = H takes on an H200 at least, in us, by a model.

Either G multiprocessors share a copy of Wh, and 132 / G such groups share the rows: a step takes the group's synchronization
and the longest of its arithmetic, its reads of the weights that the registers have no room for, and the exchange of h. Or a
product and a tanh a step are nodes of a graph. The floor is the least of all these ways, and the product of the input over all
steps in front of it. Nothing is fitted to what elman was measured to take.
"""
import math
import typing

MULTIPROCESSORS = 132
PEAK = {"fp32": 60e6, "tf32": 490e6}  # operations a us
MEMORY, CACHE, NEIGHBOURS = 4.3e6, 5.5e6, 3.3e6  # bytes a us: of the device, second-level, other blocks' shared memory
SHARED = 128 * 1750  # bytes a us of a multiprocessor's own shared memory
IN_REGISTERS, IN_SHARED = 128 << 10, 192 << 10  # bytes of weights that a multiprocessor can hold
# us by the blocks of a group: one by itself, clusters, and from 33 on a grid.
SYNCHRONIZATION = {1: 0.15, 2: 0.45, 4: 0.45, 8: 0.45, 16: 0.55, 33: 1.05, 66: 1.05, 132: 1.35}
CLUSTER = 16  # the most blocks that reach each other's shared memory
NODE = 1.2  # of a graph


class Floor(typing.NamedTuple):
    way: str
    terms: dict  # us of each part

    def total(self):
        return sum(self.terms.values())

    def projection(self):
        return self.terms["projection"]

    def recurrence(self):
        return self.total() - self.projection()

    def mostly(self):
        return max(self.terms, key=self.terms.get)


def projection(n, t, h, operations, memory):
    """A step's share of the input's product: its arithmetic, or the way of x, x Wx and, once in t steps, Wx."""
    return max(2 * n * h * h / operations, 4 * (2 * n * h + h * h / t) / memory)


def groups(precision, n, h, blocks):
    """Groups of so many blocks; None where they have no room for the weights."""
    weights = 4 * h * h / blocks
    if weights > IN_REGISTERS + IN_SHARED:
        return None
    rows = math.ceil(n / (MULTIPROCESSORS // blocks))
    together = math.ceil(n / rows)
    multiplied = 8 * math.ceil(rows / 8) if precision == "tf32" else rows  # a tensor core takes eight or none
    at_once = {
        "compute": 2 * multiplied * h * h * MULTIPROCESSORS / (blocks * PEAK[precision]),
        "weights": max(0, weights - IN_REGISTERS) / SHARED,
        "exchange": together * (blocks - 1) * 4 * rows * h / (NEIGHBOURS if blocks <= CLUSTER else CACHE),
    }
    longest = max(at_once, key=at_once.get)
    return Floor("%d x %d" % (blocks, together), {"sync": SYNCHRONIZATION[blocks], longest: at_once[longest]})


def graph(precision, n, h):
    compute, cache = 2 * n * h * h / PEAK[precision], 4 * (h * h + 2 * n * h) / CACHE
    product = {"compute": compute} if compute > cache else {"cache": cache}
    return Floor("graph", {"nodes": 2 * NODE, **product, "tanh": 3 * 4 * n * h / CACHE})


def floor(precision, n, t, h):
    ways = [groups(precision, n, h, blocks) for blocks in SYNCHRONIZATION] + [graph(precision, n, h)]
    least = min(filter(None, ways), key=Floor.total)
    return Floor(least.way, {**least.terms, "projection": projection(n, t, h, PEAK[precision], MEMORY)})
