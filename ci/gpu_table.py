#!/usr/bin/env python3
"""The table of elman against PyTorch, in Markdown, from the TSV files of `elman bench --tsv` and ci/peer_cudnn.py.

  ci/gpu_table.py elman-1.tsv torch-1.tsv elman-2.tsv torch-2.tsv ...

A cell is the median over the files (rounds) of their medians, in us per step, and behind it how far the rounds lie apart.
The ratio is PyTorch's time over elman's: above 1 elman is faster. Strict float32 meets allow_tf32 = False, TF32 meets
PyTorch's default. Layers of both directions have tables of their own; rows of unequal length meet the faster of PyTorch's two ways. The last columns are elman's: its plan, and the
training's shares of the measured large product and of the measured copy.

Below it, for one direction and rows of full length: the forward call beside its floor (ci/gpu_floor.py). Its product over all steps is taken to run
at the peaks that elman's process measured; the recurrence is the rest.
"""
import collections
import math
import re
import statistics
import sys

import gpu_floor

PRECISIONS = {"fp32": "strict float32", "tf32": "TF32", "fp16": "fp16 (PyTorch only)"}
PASSES = ("forward", "training")
WITHIN = 2  # times its floor a forward call should take at most
PEAKS = re.compile(r"# measured peaks: product ([\d.]+) GFLOP/s, copy ([\d.]+) GB/s")

# By directions and lengths.
KINDS = {
    ("1", "full"): "rows of full length",
    ("1", "unequal"): "rows of 1 to T steps",
    ("2", "full"): "both directions, rows of full length",
    ("2", "unequal"): "both directions, rows of 1 to T steps",
}
BESIDE_FLOORS = ("1", "full")

OURS = "cuda"


def read(files):
    """(kind, precision, pass, N, T, H) -> who -> us per step of each round; and the same -> elman's rows."""
    cells, rows = collections.defaultdict(lambda: collections.defaultdict(list)), collections.defaultdict(list)
    for name in files:
        for row in rows_of(name):
            n, t, h = int(row["N"]), int(row["T"]), int(row["H"])
            # Files of before both directions were measured have no such column.
            kind = (row.get("directions", "1"), "full" if row["lengths"] == "full" else "unequal")
            who = row["who"] if row["lengths"] in ("full", "unequal") else row["who"] + " " + row["lengths"]
            key = (kind, row["precision"], row["pass"], n, t, h)
            cells[key][who].append(1e3 * float(row["ms"]) / t)
            if who == OURS:
                rows[key].append(row)
    return cells, rows


def rows_of(name):
    """The rows of a file, elman's with the peaks that its process measured before, in operations and bytes a us."""
    heads = peaks = None
    with open(name) as file:
        for line in file:
            if line.startswith("#"):
                found = PEAKS.match(line)
                peaks = [1e3 * float(peak) for peak in found.groups()] if found else peaks
                continue
            fields = line.rstrip("\n").split("\t")
            if heads is None:
                heads = fields
            elif len(fields) == len(heads):  # else its writer was stopped in the middle
                yield dict(zip(heads, fields), peaks=peaks)


def shown(rounds):
    """A median, and half of the range of the rounds in percent of it."""
    if not rounds:
        return "-"
    middle = statistics.median(rounds)
    spread = 50 * (max(rounds) - min(rounds)) / middle
    return "%.2f" % middle + (" ±%.0f %%" % spread if len(rounds) > 1 else "")


def opponent(found):
    """The fastest of PyTorch's ways but the graph, which is a column of its own."""
    ways = [rounds for who, rounds in found.items() if who.startswith("torch") and who != "torch-graph"]
    return min(ways, key=statistics.median, default=[])


def ratio(found):
    mine, theirs = found.get(OURS, []), opponent(found)
    return statistics.median(theirs) / statistics.median(mine) if mine and theirs else None


def mean(ratios):
    return math.exp(sum(math.log(value) for value in ratios) / len(ratios)) if ratios else None


def plan_and_shares(forward, training):
    """How elman did it, and how near that is to what the device can do."""
    plans = [rows[-1]["plan"] for rows in (forward, training) if rows]
    shares = [statistics.median(float(row[name]) for row in training) if training else None
              for name in ("share_of_product", "share_of_copy")]
    return ["/".join(dict.fromkeys(plans)) or "-"] + ["-" if s is None else "%.0f %%" % (100 * s) for s in shares]


def table(cells, rows, kind, precision):
    shapes = sorted({key[3:] for key in cells if key[:2] == (kind, precision)}, key=lambda s: (s[1], s[2], s[0]))
    if not shapes:
        return
    print("\n### %s, %s: us per step\n" % (PRECISIONS[precision], KINDS[kind]))
    graphs = any("torch-graph" in found for key, found in cells.items() if key[:2] == (kind, precision))
    columns = ["H = D", "N", "T"]
    for name in PASSES:
        columns += [name, "PyTorch"] + ["PyTorch, graph"] * graphs + ["ratio"]
    columns += ["plan", "of product", "of copy"]
    print("| " + " | ".join(columns) + " |")
    print("|" + " ---: |" * len(columns))
    ratios = {name: {} for name in PASSES}
    for n, t, h in shapes:
        line = [str(h), str(n), str(t)]
        for name in PASSES:
            found = cells.get((kind, precision, name, n, t, h), {})
            value = ratio(found)
            if value:
                ratios[name][n, t, h] = value
            line += [shown(found.get(OURS, [])), shown(opponent(found))]
            line += [shown(found.get("torch-graph", []))] * graphs
            line += ["%.2f" % value if value else "-"]
        line += plan_and_shares(*(rows.get((kind, precision, name, n, t, h), []) for name in PASSES))
        print("| " + " | ".join(line) + " |")
    for name in PASSES:
        summary(name, ratios[name])
    if kind == BESIDE_FLOORS:
        beside_floors(cells, rows, precision, shapes)


def beside_floors(cells, rows, precision, shapes):
    forward = [(BESIDE_FLOORS, precision, "forward", *shape) for shape in shapes]
    found = [BesideFloor(key, cells[key][OURS], rows[key]) for key in forward if rows.get(key)]
    if not found:
        return
    print("\n### %s, %s: forward beside its floor, us per step\n" % (PRECISIONS[precision], KINDS[BESIDE_FLOORS]))
    columns = ["H = D", "N", "T", "plan", "forward", "floor", "times", "mostly"]
    columns += ["product, at the peak", "floor", "recurrence, the rest", "floor", "times"]
    print("| " + " | ".join(columns) + " |")
    print("|" + " ---: |" * len(columns))
    for cell in found:
        print("| " + " | ".join(cell.fields()) + " |")
    beyond = [cell for cell in found if cell.times() > WITHIN]
    within = "\n%d of %d cells within %d times the modelled floor" % (len(found) - len(beyond), len(found), WITHIN)
    print(within + ("; the others:\n" if beyond else "."))
    for cell in beyond:
        print("- " + cell.excess())


class BesideFloor:
    """A forward call of elman's, the floor of its shape, and which part of it how much goes beyond that."""

    def __init__(self, key, rounds, rows):
        _, precision, _, self.n, self.t, self.h = key
        self.floor = gpu_floor.floor(precision, self.n, self.t, self.h)
        self.measured = statistics.median(rounds)
        self.product = statistics.median(gpu_floor.projection(self.n, self.t, self.h, *row["peaks"]) for row in rows)
        self.recurrence = self.measured - self.product
        self.plan = rows[-1]["plan"]

    def times(self):
        return self.measured / self.floor.total()

    def fields(self):
        floor = self.floor
        product, recurrence = floor.projection(), floor.recurrence()
        us = "%.2f".__mod__
        return [str(self.h), str(self.n), str(self.t), self.plan, us(self.measured), us(floor.total()), us(self.times()),
                floor.way + ", " + floor.mostly(), us(self.product), us(product),
                us(self.recurrence), us(recurrence), us(self.recurrence / recurrence)]

    def excess(self):
        floor = self.floor
        return "N = %d, H = %d: %.2f times, %.2f us beyond it, of which %.2f in the recurrence (%.2f times its floor)" % (
            self.n, self.h, self.times(), self.measured - floor.total(),
            self.recurrence - floor.recurrence(), self.recurrence / floor.recurrence())


def summary(name, ratios):
    if not ratios:
        return
    small = [value for (n, t, h), value in ratios.items() if n <= 128 and h <= 1024]
    slower = sorted((value, *shape) for shape, value in ratios.items() if value < 0.97)
    line = "\n%s: geometric mean of the ratios %.2f over all %d cells" % (name, mean(ratios.values()), len(ratios))
    if small:
        line += ", %.2f over the %d with N <= 128 and H <= 1024" % (mean(small), len(small))
    line += "; %d cells slower than PyTorch by more than 3 %%" % len(slower)
    if slower:
        line += ", the worst N = %d, T = %d, H = %d with %.2f" % (*slower[0][1:], slower[0][0])
    print(line + ".")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cells, rows = read(sys.argv[1:])
    for kind in KINDS:
        for precision in PRECISIONS:
            table(cells, rows, kind, precision)


if __name__ == "__main__":
    main()
