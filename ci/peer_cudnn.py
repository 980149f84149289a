#!/usr/bin/env python3
"""Times PyTorch's nn.RNN, which is cuDNN on a GPU: the opponent of `elman bench`.

One layer, tanh, D = H, time-major, forward (no_grad) and training (forward, then backward with the gradient of the input
and of all weights), in

  fp32  strict float32 (allow_tf32 = False); what is strict is checked against float64 first
  tf32  PyTorch's default for float32 RNNs
  fp16  half precision

With --unequal the rows have unequal lengths (PackedSequence; `packed` is the RNN alone, `pack+pad` with packing before and
padding after it), with --bidirectional the layer has both directions, and with --graph the same calls are replayed from a
CUDA graph (`torch-graph`).

A sample is as many calls as take at least 5 ms, waited for once. The median of the samples of a round goes into the TSV,
with the lowest and the highest; a round is one time through all cells, so that all cells meet the same clocks. It ends by
itself: after --budget seconds no new cell is begun.

  ci/peer_cudnn.py --out torch.tsv                         all cells of the table
  ci/peer_cudnn.py --device cpu --n 1,8 --h 16 --t 32      a dry run without a GPU
"""
import argparse
import math
import statistics
import sys
import time

COLUMNS = ["who", "precision", "pass", "lengths", "directions", "N", "T", "H", "samples", "ms", "ms_low", "ms_high"]
LEAST_SAMPLE = 5e-3  # seconds
MOST_SAMPLES = 15


def numbers(text):
    return [int(part) for part in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=numbers, default=[1, 32, 128, 512], metavar="LIST", help="batch sizes")
    parser.add_argument("--h", type=numbers, default=[64, 128, 256, 384, 512, 768, 1024, 2048], metavar="LIST",
                        help="hidden nodes and input features")
    parser.add_argument("--t", type=int, default=512, help="steps")
    parser.add_argument("--precision", type=lambda s: s.split(","), default=["fp32", "tf32", "fp16"], metavar="LIST")
    parser.add_argument("--unequal", action="store_true", help="rows of lengths from 1 to T instead of full ones")
    parser.add_argument("--bidirectional", action="store_const", const=2, default=1, dest="directions",
                        help="a layer of both directions")
    parser.add_argument("--graph", action="store_true", help="replayed from a CUDA graph")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="the most that one cell takes in a round")
    parser.add_argument("--budget", type=float, default=480, help="seconds after which no new cell is begun")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="cpu: a dry run of this script")
    parser.add_argument("--out", metavar="FILE", help="the TSV; it is whole after every cell")
    return parser.parse_args()


class Peer:
    """One nn.RNN with its operands."""

    def __init__(self, torch, device, precision, n, t, h, directions, lengths):
        self.torch, self.lengths = torch, lengths
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        dtype = torch.float16 if precision == "fp16" else torch.float32
        self.rnn = torch.nn.RNN(h, h, bidirectional=directions == 2).to(device=device, dtype=dtype)
        if device == "cuda":
            self.rnn.flatten_parameters()
        self.x = torch.rand(t, n, h, device=device, dtype=dtype).mul_(2).sub_(1).requires_grad_()
        self.h0 = torch.zeros(directions, n, h, device=device, dtype=dtype)
        self.inputs = [self.x, *self.rnn.parameters()]
        self.packed = self.pack()
        self.dy = torch.full((t, n, directions * h), 0.01, device=device, dtype=dtype)

    def pack(self):
        if self.lengths is None:
            return None
        packed = self.torch.nn.utils.rnn.pack_padded_sequence(self.x, self.lengths)
        data = packed.data.detach().requires_grad_()
        return self.torch.nn.utils.rnn.PackedSequence(data, packed.batch_sizes)

    def calls(self):
        """The calls that are timed: (pass, lengths, call)."""
        if self.lengths is None:
            yield "forward", "full", self.without_gradients(lambda: self.rnn(self.x, self.h0)[0])
            yield "training", "full", lambda: self.gradients(self.rnn(self.x, self.h0)[0], self.inputs, self.dy)
            return
        inputs = [self.packed.data, *self.inputs[1:]]
        dy = self.torch.nn.utils.rnn.pack_padded_sequence(self.dy, self.lengths).data
        yield "forward", "packed", self.without_gradients(lambda: self.rnn(self.packed, self.h0)[0])
        yield "training", "packed", lambda: self.gradients(self.rnn(self.packed, self.h0)[0].data, inputs, dy)
        yield "forward", "pack+pad", self.without_gradients(self.padded)
        yield "training", "pack+pad", lambda: self.gradients(self.padded(), self.inputs, self.dy)

    def padded(self):
        rnn = self.torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(self.x, self.lengths)
        return rnn.pad_packed_sequence(self.rnn(packed, self.h0)[0], total_length=self.x.shape[0])[0]

    def without_gradients(self, call):
        def wrapped():
            with self.torch.no_grad():
                return call()
        return wrapped

    def gradients(self, y, inputs, dy):
        return self.torch.autograd.grad([y], inputs, [dy])


def graphed(torch, call):
    """The call, captured; raises where PyTorch or cuDNN refuses."""
    if not torch.cuda.is_available():
        raise RuntimeError("a CUDA graph needs a GPU")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = call()
    return graph, kept


def samples(call, wait, seconds):
    """Seconds of one call, sample by sample."""
    def timed(count):
        start = time.perf_counter()
        for _ in range(count):
            call()
        wait()
        return (time.perf_counter() - start) / count

    call()
    wait()
    begin = time.perf_counter()
    once = min(timed(1), timed(1))
    count = math.ceil(LEAST_SAMPLE / once)
    found = []
    while not found or (len(found) < MOST_SAMPLES and time.perf_counter() - begin < seconds):
        found.append(timed(count))
    return found


def lengths_for(n, t):
    """As many rows of each length from 1 to T, the lengths that `elman bench` takes; longest first as PyTorch wants them."""
    return [math.ceil(t * (row + 1) / n) for row in reversed(range(n))]


def precision_check(torch, device):
    """What precision the RNN really has: the largest error against float64 on the CPU."""
    torch.manual_seed(1)
    exact = torch.nn.RNN(256, 256).double()
    x = torch.rand(32, 64, 256, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        right = exact(x)[0]
        for precision in ("fp32", "tf32"):
            torch.backends.cudnn.allow_tf32 = precision == "tf32"
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            rnn = torch.nn.RNN(256, 256)
            rnn.load_state_dict(exact.state_dict())
            error = (rnn.float().to(device)(x.float().to(device))[0].cpu().double() - right).abs().max().item()
            strict = "" if precision == "tf32" or error < 1e-5 else "  NOT STRICT FLOAT32"
            yield "largest error of %s against float64: %.1e%s" % (precision, error, strict)


def header(torch, options):
    yield "nn.RNN, one layer, tanh%s%s%s" % (
        ", both directions" if options.directions == 2 else "",
        ", rows of unequal length" if options.unequal else "", ", from a CUDA graph" if options.graph else "")
    yield "Python %s, PyTorch %s" % (sys.version.split()[0], torch.__version__)
    if options.device == "cpu":
        yield "DRY RUN ON THE CPU: no figure below is one of a GPU"
    else:
        yield "%s, CUDA %s, cuDNN %s" % (
            torch.cuda.get_device_name(), torch.version.cuda, torch.backends.cudnn.version())
    yield from precision_check(torch, options.device)


def table(rows):
    """us per step, one line a cell: the median of the rounds' medians and the range of those."""
    if not rows:
        return
    cells = {}
    for row in rows:
        cells.setdefault(tuple(row[:8]), []).append(1e3 * row[9] / row[6])
    print("\n%-12s %-9s %-9s %-9s %10s %5s %5s %5s %12s   %s" % (*COLUMNS[:8], "us/step", "rounds"))
    for cell, found in cells.items():
        print("%-12s %-9s %-9s %-9s %10d %5d %5d %5d %12.3f   %.3f to %.3f" % (
            *cell, statistics.median(found), min(found), max(found)))


class Measurement:
    """All cells, round after round, into the TSV and the rows."""

    def __init__(self, torch, options):
        self.torch, self.options = torch, options
        self.begin = time.perf_counter()
        self.wait = torch.cuda.synchronize if options.device == "cuda" else lambda: None
        self.out = open(options.out, "w") if options.out else None
        self.rows, self.refused = [], set()

    def write(self, line):
        if self.out:
            print(line, file=self.out, flush=True)

    def note(self, line):
        print("# " + line, flush=True)
        self.write("# " + line)

    def run(self):
        for line in header(self.torch, self.options):
            self.note(line)
        self.write("\t".join(COLUMNS))
        for number in range(self.options.rounds):
            for h in self.options.h:
                for n in self.options.n:
                    for precision in self.options.precision:
                        if time.perf_counter() - self.begin > self.options.budget:
                            self.note("out of time in round %d" % (number + 1))
                            return
                        self.cell(precision, n, h)

    def cell(self, precision, n, h):
        options = self.options
        who = "torch-graph" if options.graph else "torch"
        lengths = lengths_for(n, options.t) if options.unequal else None
        try:
            peer = Peer(self.torch, options.device, precision, n, options.t, h, options.directions, lengths)
            for name, variant, call in peer.calls():
                self.call(who, precision, name, variant, n, h, call)
        except RuntimeError as error:
            self.refuse((who, precision, "N = %d, H = %d" % (n, h)), error)
        peer = call = None  # before their memory is asked for again
        if options.device == "cuda":
            self.torch.cuda.empty_cache()

    def call(self, who, precision, name, variant, n, h, call):
        key = (who, precision, name, variant)
        if key in self.refused:
            return
        kept = None
        try:
            if self.options.graph:
                graph, kept = graphed(self.torch, call)
                call = graph.replay
            found = samples(call, self.wait, self.options.seconds)
        except RuntimeError as error:
            if "out of memory" in str(error):
                raise  # of this cell only
            self.refuse(key, error)
            return
        times = [1e3 * value for value in (statistics.median(found), min(found), max(found))]
        shape = [self.options.directions, n, self.options.t, h]
        row = [who, precision, name, variant, *shape, len(found), *times]
        self.rows.append(row)
        self.write("\t".join("%.6f" % value if isinstance(value, float) else str(value) for value in row))

    def refuse(self, key, error):
        self.refused.add(key)
        reason = str(error).strip().splitlines() or [type(error).__name__]
        self.note("refused: %s: %s" % (" ".join(key), reason[0]))


def main():
    options = arguments()
    import torch
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("peer_cudnn.py: PyTorch finds no GPU; --device cpu makes a dry run.")
    measurement = Measurement(torch, options)
    try:
        measurement.run()
    finally:
        table(measurement.rows)


if __name__ == "__main__":
    main()
