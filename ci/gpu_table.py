#!/usr/bin/env python3
"""The table of elman against PyTorch, in Markdown, from the TSV files of `elman bench --tsv` and ci/peer_cudnn.py.

  ci/gpu_table.py elman-1.tsv torch-1.tsv elman-2.tsv torch-2.tsv ...

A cell is the median over the files (rounds) of their medians, in us per step, and behind it how far the rounds lie apart.
The ratio is PyTorch's time over elman's: above 1 elman is faster. Strict float32 meets allow_tf32 = False, TF32 meets
PyTorch's default. Rows of unequal length meet the faster of PyTorch's two ways. The last columns are elman's: its plan, and the
training's shares of the measured large product and of the measured copy.
"""
import collections
import csv
import math
import statistics
import sys

PRECISIONS = {"fp32": "strict float32", "tf32": "TF32", "fp16": "fp16 (PyTorch only)"}
PASSES = ("forward", "training")


OURS = "cuda"


def read(files):
    """(kind of lengths, precision, pass, N, T, H) -> who -> us per step of each round; and the same -> elman's rows."""
    cells, rows = collections.defaultdict(lambda: collections.defaultdict(list)), collections.defaultdict(list)
    for name in files:
        with open(name) as file:
            lines = [line for line in file if not line.startswith("#")]
        for row in csv.DictReader(lines, delimiter="\t"):
            if None in row.values():
                continue  # its writer was stopped in the middle
            n, t, h = int(row["N"]), int(row["T"]), int(row["H"])
            lengths = "full" if row["lengths"] == "full" else "unequal"
            who = row["who"] if row["lengths"] in ("full", "unequal") else row["who"] + " " + row["lengths"]
            key = (lengths, row["precision"], row["pass"], n, t, h)
            cells[key][who].append(1e3 * float(row["ms"]) / t)
            if who == OURS:
                rows[key].append(row)
    return cells, rows


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


def table(cells, rows, lengths, precision):
    shapes = sorted({key[3:] for key in cells if key[:2] == (lengths, precision)}, key=lambda s: (s[1], s[2], s[0]))
    if not shapes:
        return
    kind = "rows of full length" if lengths == "full" else "rows of 1 to T steps"
    print("\n### %s, %s: us per step\n" % (PRECISIONS[precision], kind))
    graphs = any("torch-graph" in found for key, found in cells.items() if key[:2] == (lengths, precision))
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
            found = cells.get((lengths, precision, name, n, t, h), {})
            value = ratio(found)
            if value:
                ratios[name][n, h] = value
            line += [shown(found.get(OURS, [])), shown(opponent(found))]
            line += [shown(found.get("torch-graph", []))] * graphs
            line += ["%.2f" % value if value else "-"]
        line += plan_and_shares(*(rows.get((lengths, precision, name, n, t, h), []) for name in PASSES))
        print("| " + " | ".join(line) + " |")
    for name in PASSES:
        summary(name, ratios[name])


def summary(name, ratios):
    if not ratios:
        return
    small = [value for (n, h), value in ratios.items() if n <= 128 and h <= 1024]
    slower = sorted((value, n, h) for (n, h), value in ratios.items() if value < 0.97)
    line = "\n%s: geometric mean of the ratios %.2f over all %d cells" % (name, mean(ratios.values()), len(ratios))
    if small:
        line += ", %.2f over the %d with N <= 128 and H <= 1024" % (mean(small), len(small))
    line += "; %d cells slower than PyTorch by more than 3 %%" % len(slower)
    if slower:
        line += ", the worst N = %d, H = %d with %.2f" % (slower[0][1], slower[0][2], slower[0][0])
    print(line + ".")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cells, rows = read(sys.argv[1:])
    for lengths in ("full", "unequal"):
        for precision in PRECISIONS:
            table(cells, rows, lengths, precision)


if __name__ == "__main__":
    main()
