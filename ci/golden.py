#!/usr/bin/python3
"""Makes src/test/resources/golden: what PyTorch computes, in float64, for the operations of elman.

usage: ci/golden.py

Needs Debian's python3-torch, so it names Debian's Python above. The committed files were made with torch 1.13.0a0
(Debian's python3-torch 1.13.1), numpy 1.24.2 and Python 3.11.2; every file's metadata names the versions that made it.
Another torch or processor may change the last bits, no more.

Each file is one case in safetensors format. Names and layouts are elman's: N batch, T steps, D input features, H hidden
nodes, K classes, V vocabulary, C channels, M rows.

    x [T,N,D]  mask [T,N] (1 live)  lengths [N]  h0, hn [N,H]  y [T,N,H]
    wx [D,H] = weight_ih^T  wh [H,H] = weight_hh^T  b [H] = bias_ih + bias_hh

A gradient has a d in front: dy and dhn come from above; dx, dh0, dwx, dwh and db are the answer. The directions of a
bidirectional layer have the suffixes _f and _r; y is [T,N,2H] then, forward first. Stacks are described at stack(). Integers are I32, all else is F64.

The metadata says what the case is: operation, and what else it takes (activation, smoothing, learning_rate, ...).
masked_output is "zero" where y is 0 at masked steps (PyTorch's packed sequences), "repeat" where it is the y before,
and 0 before the first live step (Keras).
"""
import json
import math
import pathlib
import platform
import struct
import sys

try:
    import numpy
    import torch
except ImportError as missing:
    sys.exit(f"ci/golden.py: not run: {sys.executable} has no {missing.name}; on Debian: apt-get install python3-torch")

from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src/test/resources/golden"
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
DTYPES = {torch.float64: ("F64", "<f8"), torch.int32: ("I32", "<i4")}

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)  # sums in one order
written = []


def save(name, tensors, **metadata):
    """Writes one case: length, header padded to 8 bytes, data; F64 first, so that it is aligned."""
    metadata["made_by"] = "ci/golden.py"
    metadata["torch"] = torch.__version__
    metadata["numpy"] = numpy.__version__
    metadata["python"] = platform.python_version()
    tensors = {k: torch.as_tensor(v).detach().contiguous() for k, v in tensors.items()}
    tensors = dict(sorted(tensors.items(), key=lambda item: item[1].dtype != torch.float64))
    header = {"__metadata__": {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}}
    data = b""
    for key, value in tensors.items():
        assert value.dtype != torch.float64 or torch.isfinite(value).all(), (name, key)
        dtype, little = DTYPES[value.dtype]
        content = value.numpy().astype(little).tobytes()
        header[key] = {"dtype": dtype, "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + data
    (FOLDER / f"{name}.safetensors").write_bytes(content)
    written.append(f"{name}.safetensors")
    print(f"{name}.safetensors {len(content)} bytes")
    for key, value in tensors.items():
        print(f"    {key} {list(value.shape)}" + ("" if value.dtype == torch.float64 else " I32"))


def leaf(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).requires_grad_()


def ints(values):
    return torch.as_tensor(values, dtype=torch.int32)


def same(actual, expected, limit=1e-13):
    worst = (actual - expected).abs().max().item()
    assert worst <= limit, worst


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., SC 2011): four words for a counter of four words and a key of 64 bits."""
    c, k = list(counter), [key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [q >> 32 ^ c[1] ^ k[0], q & 0xFFFFFFFF, p >> 32 ^ c[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def dropout_factors(rate, seed, first_row, n, channels):
    """[N,C]: 0 where a variational dropout drops, else 1 / (1 - rate)."""
    return torch.tensor([[0.0 if philox((c // 4, 0, first_row + row, 0), seed)[c % 4] < int(rate * 2**32)
                          else 1 / (1 - rate) for c in range(channels)] for row in range(n)])


def elman(x, weights, h0, activation, mask=None, reverse=False, masked_output="repeat", recurrent=1.0):
    """The recurrence by hand: a masked step carries the state; Wh sees h * recurrent. Returns y and hn."""
    wx, wh, b = weights
    h, last, ys = h0, torch.zeros_like(h0), [None] * len(x)
    for t in range(len(x) - 1, -1, -1) if reverse else range(len(x)):
        a = x[t] @ wx + (h * recurrent) @ wh + b
        assert activation != "relu" or a.abs().min() > 2e-5  # float32 must take the same side; choose another seed
        new = ACTIVATIONS[activation](a)
        if mask is None:
            h = ys[t] = new
        else:
            live = mask[t].bool().unsqueeze(1)
            h = torch.where(live, new, h)
            last = torch.where(live, new, last)
            ys[t] = last if masked_output == "repeat" else torch.where(live, new, torch.zeros_like(new))
    return torch.stack(ys), h


def ours(rnn, suffix=""):
    """PyTorch's weights of one direction in our orientation."""
    ih, hh, b_ih, b_hh = (getattr(rnn, f"{name}_l0{suffix}") for name in NAMES)
    return ih.detach().T.clone(), hh.detach().T.clone(), (b_ih + b_hh).detach()


def gradients(rnn, suffix=""):
    ih, hh, b_ih, b_hh = (getattr(rnn, f"{name}_l0{suffix}") for name in NAMES)
    same(b_ih.grad, b_hh.grad)
    return ih.grad.T, hh.grad.T, b_ih.grad


def mask_of(lengths, steps):
    return ints([[1 if t < length else 0 for length in lengths] for t in range(steps)])


def uneven_lengths(n, steps):
    """Not sorted, 1 and T among them."""
    return [(steps, 1, max(1, steps - 1), max(1, steps // 2))[i % 4] for i in range(n)]


def rnn_case(name, seed, activation, n, t, d, h, lengths=False, bidirectional=False):
    """torch.nn.RNN, with every input random; what it gives must also come out of the recurrence by hand."""
    torch.manual_seed(seed)
    directions = ("_f", "_r") if bidirectional else ("",)
    rnn = nn.RNN(d, h, nonlinearity=activation, bidirectional=bidirectional)
    x = leaf(t, n, d)
    h0 = leaf(len(directions), n, h, scale=0.5)
    dy, dhn = torch.randn(t, n, h * len(directions)), torch.randn(len(directions), n, h)
    tensors, mask = {"x": x}, None
    if lengths:
        live = uneven_lengths(n, t)
        mask = mask_of(live, t)
        packed, hn = rnn(pack_padded_sequence(x, torch.tensor(live), enforce_sorted=False), h0)
        y, _ = pad_packed_sequence(packed, total_length=t)
        tensors |= {"mask": mask, "lengths": ints(live)}
    else:
        y, hn = rnn(x, h0)
    torch.autograd.backward([y, hn], [dy, dhn])
    by_hand = []
    for i, suffix in enumerate(directions):
        theirs = "_reverse" if suffix == "_r" else ""
        weights = ours(rnn, theirs)
        by_hand.append(elman(x, weights, h0[i], activation, mask, suffix == "_r", "zero"))
        same(by_hand[-1][1], hn[i])
        tensors |= {k + suffix: v for k, v in zip(("wx", "wh", "b"), weights)}
        tensors |= {k + suffix: v for k, v in zip(("dwx", "dwh", "db"), gradients(rnn, theirs))}
        tensors |= {"h0" + suffix: h0[i], "hn" + suffix: hn[i], "dhn" + suffix: dhn[i], "dh0" + suffix: h0.grad[i]}
    same(torch.cat([y_hand for y_hand, _ in by_hand], 2), y)
    save(name, tensors | {"y": y, "dy": dy, "dx": x.grad},
         operation="birnn" if bidirectional else "rnn", activation=activation, masked_output="zero", seed=seed)


def hand_case(name, seed, activation, n, t, d, h, mask=None, reverse=False, masked_output="repeat", dropout=None):
    """The recurrence by hand, differentiated by autograd; dropout is (rate, seed, first row), as Keras's recurrent one."""
    torch.manual_seed(seed)
    bound = 1 / math.sqrt(h)
    weights = [torch.empty(*s).uniform_(-bound, bound).requires_grad_() for s in ((d, h), (h, h), (h,))]
    x, h0 = leaf(t, n, d), leaf(n, h, scale=0.5)
    dy, dhn = torch.randn(t, n, h), torch.randn(n, h)
    recurrent = 1.0 if dropout is None else dropout_factors(*dropout, n, h)
    y, hn = elman(x, weights, h0, activation, mask, reverse, masked_output, recurrent)
    torch.autograd.backward([y, hn], [dy, dhn])
    tensors = dict(zip(("x", "wx", "wh", "b", "h0"), (x, *weights, h0)))
    tensors |= {"d" + k: v.grad for k, v in tensors.items()} | {"y": y, "hn": hn, "dy": dy, "dhn": dhn}
    save(name, tensors | ({} if mask is None else {"mask": mask}), operation="rnn", activation=activation,
         reverse=reverse, masked_output=masked_output, seed=seed,
         **({} if dropout is None else {"dropout": dict(zip(("rate", "seed", "first_row"), dropout))}))


def stack(name, seed, layers, activation="tanh", bidirectional=False, lengths=False, merge="concat", go_backwards=False,
          n=4, t=5, d=3, h=4, steps=3, learning_rate=0.3):
    """nn.RNN of several layers with both biases, trained for some steps of SGD on the fixed gradient dy and dhn.

    Names: wx_i, wh_i, b_i = bias_ih, bh_i = bias_hh of direction i, layer by layer; h0, hn [N,S] have them side by side. y,
    hn, dx, dh0 and the gradients are those of the first step, *_after the weights after the last one.
    """
    torch.manual_seed(seed)
    directions = 2 if bidirectional else 1
    rnn = nn.RNN(d, h, layers, nonlinearity=activation, bidirectional=bidirectional)
    x, h0 = leaf(t, n, d), leaf(layers * directions, n, h, scale=0.5)
    channels = h * (directions if merge == "concat" else 1)
    dy, dhn = torch.randn(t, n, channels), torch.randn(layers * directions, n, h)
    tensors = {"dy": dy, "dhn": dhn.transpose(0, 1).flatten(1)}
    if lengths:
        live = uneven_lengths(n, t)
        tensors |= {"mask": mask_of(live, t)}

    def parameters(suffix, of=lambda p: p, prefix=""):
        found = {}
        for layer in range(layers):
            for direction, reverse in enumerate(("", "_reverse")[:directions]):
                i = layer * directions + direction
                for ours_, theirs in zip(("wx", "wh", "b", "bh"), NAMES):
                    value = of(getattr(rnn, f"{theirs}_l{layer}{reverse}")).detach().clone()
                    found[f"{prefix}{ours_}_{i}{suffix}"] = value.T if ours_ in ("wx", "wh") else value
        return found

    tensors |= parameters("")
    optimizer_ = torch.optim.SGD(rnn.parameters(), lr=learning_rate)
    for step in range(steps):
        read = x.flip(0) if go_backwards else x
        if lengths:
            packed, hn = rnn(pack_padded_sequence(read, torch.tensor(live), enforce_sorted=False), h0)
            y, _ = pad_packed_sequence(packed, total_length=t)
        else:
            y, hn = rnn(read, h0)
        if merge != "concat":
            first, second = y.split(h, 2)
            y = {"sum": first + second, "mul": first * second, "ave": (first + second) / 2}[merge]
        optimizer_.zero_grad()
        torch.autograd.backward([y, hn], [dy, dhn])
        if step == 0:
            tensors |= {"x": x, "h0": h0.transpose(0, 1).flatten(1), "y": y, "hn": hn.transpose(0, 1).flatten(1),
                        "dx": x.grad.clone(), "dh0": h0.grad.transpose(0, 1).flatten(1)} | parameters(
                            "", lambda p: p.grad, "d")
        optimizer_.step()
    save(name, tensors | parameters("_after"), operation="stack", activation=activation, layers=layers,
         bidirectional=bidirectional, merge=merge, go_backwards=go_backwards, steps=steps, learning_rate=learning_rate,
         seed=seed)


def any_mask(n, t):
    """Rows: all live; padded on the left; padded on both sides; no live step; holes (last step live or not)."""
    kinds = (lambda i: 1, lambda i: i >= t // 2, lambda i: 0 < i < t - 1, lambda i: 0, lambda i: i % 2 == 1,
             lambda i: i % 3 != 1)
    return ints([[int(kinds[row % len(kinds)](i)) for row in range(n)] for i in range(t)])


def notebook():
    """The notebook's three steps: its forward digits and the right gradients, known to 8 decimals."""
    x = torch.tensor([[[.01, .02]], [[.02, .03]], [[.03, .04]]]).requires_grad_()
    wx = (torch.tensor([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100).requires_grad_()
    wh = (torch.tensor([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100).requires_grad_()
    b, h0 = torch.ones(4).requires_grad_(), torch.zeros(1, 4).requires_grad_()
    dy, dhn = torch.ones(3, 1, 4), torch.zeros(1, 4)
    rnn = nn.RNN(2, 4)
    with torch.no_grad():
        for parameter, value in zip(rnn.parameters(), (wx.T, wh.T, b, torch.zeros(4))):
            parameter.copy_(value)
    y, hn = rnn(x, h0.unsqueeze(0))
    torch.autograd.backward([y], [dy])
    dwx, dwh, db = gradients(rnn)
    digits = [
        (y, [.76188798, .76213958, .76239095, .76255841, .792209, .8141834, .83404912, .84977719,
             .79494228, .81839002, .83939649, .85584174]),
        (h0.grad, [.07237975, .09034314, .10373134, .12626992]),
        (x.grad, [.07237975, .10373134, .05199753, .07646683, .04708592, .06963563]),
        (db, [1.19934775, 1.13416539, 1.07175132, 1.02653129]),
        (dwx, [.02325421, .02151871, .01988135, .01863078, .03524769, .03286036, .03059886, .0288961]),
        (dwh, [.58867635, .53378663, .48206685, .4416354, .5968625, .54113328, .48864029, .44759017,
               .60427244, .54778349, .49459073, .45298073, .61012671, .55303731, .49929153, .45723902]),
    ]
    for actual, expected in digits:
        same(actual.detach().flatten(), torch.tensor(expected), 6e-9)
    save("rnn_notebook", {"x": x, "wx": wx, "wh": wh, "b": b, "h0": h0, "y": y, "hn": hn[0], "dy": dy, "dhn": dhn,
                          "dx": x.grad, "dwx": dwx, "dwh": dwh, "db": db, "dh0": h0.grad},
         operation="rnn", activation="tanh", masked_output="zero")


def embedding(seed=201):
    torch.manual_seed(seed)
    table, ids, dy = leaf(9, 5), torch.randint(0, 8, (4, 3)), torch.randn(4, 3, 5)
    y = nn.functional.embedding(ids, table)
    y.backward(dy)
    assert len(ids.unique()) < ids.numel() and (table.grad[8] == 0).all()  # some twice, one never
    save("embedding", {"table": table, "ids": ints(ids), "y": y, "dy": dy, "dtable": table.grad},
         operation="embedding", seed=seed)


def dense(seed=202):
    torch.manual_seed(seed)
    x, w, b, dy = leaf(6, 5), leaf(5, 4), leaf(4), torch.randn(6, 4)
    y = nn.functional.linear(x, w.T, b)
    y.backward(dy)
    save("dense", {"x": x, "w": w, "b": b, "y": y, "dy": dy, "dx": x.grad, "dw": w.grad, "db": b.grad},
         operation="dense", seed=seed)


def cross_entropy(name, seed, smoothing, ignored=False, scale=1.0):
    """Linear layer, softmax and cross-entropy, mean over the rows whose label is not negative."""
    torch.manual_seed(seed)
    x, w, b = leaf(7, 5), leaf(5, 4, scale=scale), leaf(4)
    labels = torch.tensor([3, 0, -1, 1, 2, -1, 0] if ignored else [3, 0, 1, 1, 2, 3, 0])
    logits = nn.functional.linear(x, w.T, b)
    logits.retain_grad()
    how = {"ignore_index": -1, "label_smoothing": smoothing}
    loss = nn.functional.cross_entropy(logits, labels, **how)
    loss.backward()
    losses = nn.functional.cross_entropy(logits, labels, reduction="none", **how)
    same(losses.sum() / (labels >= 0).sum(), loss, 1e-10)
    save(name, {"x": x, "w": w, "b": b, "labels": ints(labels), "logits": logits, "losses": losses, "loss": loss,
                "probabilities": logits.softmax(1), "dlogits": logits.grad, "dx": x.grad, "dw": w.grad, "db": b.grad},
         operation="cross_entropy", smoothing=smoothing, reduction="mean over labels >= 0", seed=seed)


def pooled(kind, y, mask):
    """[N,C] from [T,N,C] over live steps; a row without any gives zeros."""
    live = mask.bool().unsqueeze(2)
    if kind == "max":
        largest = y.masked_fill(~live, -math.inf).max(0).values
        return torch.where(live.any(0), largest, torch.zeros_like(largest))
    return torch.where(live, y, torch.zeros_like(y)).sum(0) / live.sum(0).clamp(min=1)


def pool(kind, seed):
    torch.manual_seed(seed)
    x, mask, dy = leaf(7, 6, 5), any_mask(6, 7), torch.randn(6, 5)
    y = pooled(kind, x, mask)
    y.backward(dy)
    save(f"pool_{kind}", {"x": x, "mask": mask, "y": y, "dy": dy, "dx": x.grad}, operation=f"pool_{kind}", seed=seed)


def optimizer(name, seed, make, states, **metadata):
    """Five steps with given gradients [5,7]; w and the optimizer's moments after each."""
    torch.manual_seed(seed)
    w, g = leaf(7), torch.randn(5, 7)
    w0, steps = w.detach().clone(), {key: [] for key in ("w", *states)}
    step = make([w])
    for gradient in g:
        w.grad = gradient.clone()
        step.step()
        steps["w"].append(w.detach().clone())
        for key, theirs in states.items():
            steps[key].append(step.state[w][theirs].clone())
    save(name, {"w0": w0, "g": g} | {k: torch.stack(v) for k, v in steps.items()}, seed=seed, **metadata)


def sgd(name, seed, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
    optimizer(name, seed, lambda w: torch.optim.SGD(
        w, lr=learning_rate, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay),
        {"velocity": "momentum_buffer"} if momentum else {}, operation="sgd",
        learning_rate=learning_rate, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)


def adam(name, seed, learning_rate, weight_decay, decoupled, betas=(0.9, 0.999), epsilon=1e-8):
    make = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer(name, seed, lambda w: make(w, lr=learning_rate, betas=betas, eps=epsilon, weight_decay=weight_decay),
              {"m": "exp_avg", "v": "exp_avg_sq"}, operation="adam", decoupled=decoupled, learning_rate=learning_rate,
              beta1=betas[0], beta2=betas[1], epsilon=epsilon, weight_decay=weight_decay)


def clip(seed=501):
    """The norm is PyTorch's; the scale is min(1, max_norm / norm), while PyTorch adds 1e-6 to the norm."""
    torch.manual_seed(seed)
    w, g = leaf(11), torch.randn(11)
    w.grad = g.clone()
    norm = nn.utils.clip_grad_norm_([w], 1.5)
    clipped = g * (1.5 / norm)
    same(w.grad, clipped, 1e-6)
    assert norm > 1.5
    save("clip_norm", {"g": g, "norm": norm, "clipped": clipped}, operation="clip_norm", max_norm=1.5, seed=seed)
    save("clip_norm_idle", {"g": g, "norm": norm, "clipped": g}, operation="clip_norm", max_norm=100.0, seed=seed)


def training(seed=601, steps=3, v=11, d=4, h=5, k=3, n=6, t=7, learning_rate=0.5, momentum=0.9, smoothing=0.1):
    """Embedding, bidirectional RNN, max over live steps, linear layer, cross-entropy; each step has its own minibatch.

    We train one bias, PyTorch has two and would move their sum twice as far: here bias_hh stays 0.
    """
    torch.manual_seed(seed)
    table, rnn, linear = nn.Embedding(v, d), nn.RNN(d, h, bidirectional=True), nn.Linear(2 * h, k)
    for bias in (rnn.bias_hh_l0, rnn.bias_hh_l0_reverse):
        nn.init.zeros_(bias)
        bias.requires_grad_(False)
    parameters = {
        "table": table.weight, "wx_f": rnn.weight_ih_l0, "wh_f": rnn.weight_hh_l0, "b_f": rnn.bias_ih_l0,
        "wx_r": rnn.weight_ih_l0_reverse, "wh_r": rnn.weight_hh_l0_reverse, "b_r": rnn.bias_ih_l0_reverse,
        "w": linear.weight, "b": linear.bias}
    transposed = {"wx_f", "wh_f", "wx_r", "wh_r", "w"}

    def snapshot(suffix, of, prefix=""):
        return {prefix + key + suffix: of(p).detach().clone().T if key in transposed else of(p).detach().clone()
                for key, p in parameters.items()}

    optimizer_ = torch.optim.SGD(parameters.values(), lr=learning_rate, momentum=momentum)
    ids, labels = torch.randint(0, v, (steps, t, n)), torch.randint(0, k, (steps, n))
    lengths = [[(t, 2, 5, 1, t, 3)[(row + step) % 6] for row in range(n)] for step in range(steps)]
    masks = [mask_of(live, t) for live in lengths]
    tensors, losses, logits_ = snapshot("", lambda p: p), [], []
    for step in range(steps):
        packed = pack_padded_sequence(table(ids[step]), torch.tensor(lengths[step]), enforce_sorted=False)
        y, _ = pad_packed_sequence(rnn(packed)[0], total_length=t)
        logits = linear(pooled("max", y, masks[step]))
        loss = nn.functional.cross_entropy(logits, labels[step], label_smoothing=smoothing)
        optimizer_.zero_grad()
        loss.backward()
        if step == 0:
            tensors |= snapshot("", lambda p: p.grad, "d")
        optimizer_.step()
        losses.append(loss.detach())
        logits_.append(logits.detach())
    tensors |= snapshot("_after", lambda p: p)
    save("training", tensors | {
        "ids": ints(ids), "lengths": ints(lengths), "mask": torch.stack(masks), "labels": ints(labels),
        "losses": torch.stack(losses), "logits": torch.stack(logits_)},
         operation="training", activation="tanh", pooling="max", learning_rate=learning_rate, momentum=momentum,
         smoothing=smoothing, steps=steps, gradients="of the first step", seed=seed)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    before = {path.name for path in FOLDER.glob("*.safetensors")}
    notebook()
    shapes = [(2, 1, 1, 1), (5, 4, 3, 6), (3, 7, 5, 31), (33, 2, 31, 33)]
    for i, shape in enumerate(shapes):
        size = "x".join(map(str, shape))
        rnn_case(f"rnn_tanh_{size}", 1 + i, "tanh", *shape)
        rnn_case(f"rnn_relu_{size}", 11 + i, "relu", *shape)
        if i < 3:
            hand_case(f"rnn_linear_{size}", 21 + i, "linear", *shape)
    for i, shape in enumerate(shapes[1:3]):
        size = "x".join(map(str, shape))
        for j, activation in enumerate(("tanh", "relu")):
            rnn_case(f"rnn_{activation}_lengths_{size}", 31 + 2 * i + j, activation, *shape, lengths=True)
            if (i, activation) != (1, "relu"):  # large files that would show nothing new
                rnn_case(f"birnn_{activation}_{size}", 41 + 2 * i + j, activation, *shape, bidirectional=True)
                rnn_case(f"birnn_{activation}_lengths_{size}", 51 + 2 * i + j, activation, *shape, lengths=True,
                         bidirectional=True)
    for i, (n, t, d, h) in enumerate([(6, 4, 3, 6), (6, 7, 5, 31)]):
        for j, activation in enumerate(ACTIVATIONS):
            hand_case(f"rnn_{activation}_mask_{n}x{t}x{d}x{h}", 61 + 3 * i + j, activation, n, t, d, h, any_mask(n, t))
    hand_case("rnn_tanh_mask_reverse_6x7x3x6", 71, "tanh", 6, 7, 3, 6, any_mask(6, 7), reverse=True)
    hand_case("rnn_tanh_mask_zero_6x7x3x6", 72, "tanh", 6, 7, 3, 6, any_mask(6, 7), masked_output="zero")
    hand_case("rnn_tanh_dropout", 73, "tanh", 6, 7, 3, 6, any_mask(6, 7), dropout=(0.4, 0x123456789ABCDEF, 7))
    hand_case("rnn_linear_dropout_reverse", 74, "linear", 4, 5, 3, 6, reverse=True, dropout=(0.25, 11, 0))
    stack("stack_3", 81, 3)
    stack("stack_2_relu_lengths", 82, 2, "relu", lengths=True)
    stack("stack_2_both_lengths", 83, 2, bidirectional=True, lengths=True)
    for i, merge in enumerate(("sum", "mul", "ave")):
        stack(f"stack_2_{merge}", 84 + i, 2, bidirectional=True, merge=merge, lengths=merge == "mul")
    stack("stack_2_backwards", 87, 2, go_backwards=True)
    embedding()
    dense()
    cross_entropy("cross_entropy", 301, 0.0)
    cross_entropy("cross_entropy_smoothing", 302, 0.1)
    cross_entropy("cross_entropy_ignored", 303, 0.2, ignored=True)
    cross_entropy("cross_entropy_large", 304, 0.1, scale=300.0)
    pool("max", 311)
    pool("mean", 312)
    sgd("sgd", 401, 0.1)
    sgd("sgd_weight_decay", 402, 0.1, weight_decay=0.01)
    sgd("sgd_momentum", 403, 0.1, momentum=0.9)
    sgd("sgd_nesterov_weight_decay", 404, 0.1, momentum=0.8, nesterov=True, weight_decay=0.02)
    adam("adam", 411, 0.01, 0.0, False)
    adam("adam_weight_decay", 412, 0.01, 0.1, False, betas=(0.8, 0.95), epsilon=1e-4)
    adam("adamw", 413, 0.01, 0.1, True)
    clip()
    training()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.safetensors"))
    print(f"{len(written)} files, {total} bytes")
    stale = before - set(written)
    if stale:
        sys.exit(f"ci/golden.py: no case makes {sorted(stale)}: delete them")


if __name__ == "__main__":
    main()
