"""usage: torch_cases.py FOLDER

For each NAME.safetensors that elman wrote into FOLDER, with its input in NAME.in.safetensors: loads it into torch.nn modules,
strictly, and writes what they answer to NAME.out.safetensors. Then writes modules of its own as theirs_*.safetensors, with
input and answer beside them in the same way. All of it is computed in float64.
"""
import json
import pathlib
import sys

import numpy
import torch
from torch import nn

import safetensors_lines

torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[1])


class Model(nn.Module):
    """What elman's names mean: the parts that the file has, and the last state of each direction."""

    def __init__(self, arrays, rnn, names=("embedding", "rnn", "fc")):
        super().__init__()
        self.names = names
        embedding, recurrent, dense = names
        if embedding + ".weight" in arrays:
            self.add_module(embedding, nn.Embedding(*arrays[embedding + ".weight"].shape))
        self.add_module(recurrent, rnn)
        if dense + ".weight" in arrays:
            classes, channels = arrays[dense + ".weight"].shape
            self.add_module(dense, nn.Linear(channels, classes))

    def forward(self, x):
        embedding, recurrent, dense = (getattr(self, name, None) for name in self.names)
        if embedding is not None:
            x = embedding(x)
        y, hn = recurrent(x)
        return dense(torch.cat(tuple(hn[-2 if recurrent.bidirectional else -1:]), dim=-1)) if dense is not None else y


def rnn_for(arrays, metadata):
    prefix = next(name for name in arrays if name.endswith("weight_ih_l0"))[:-len("weight_ih_l0")]
    hidden, inputs = arrays[prefix + "weight_ih_l0"].shape
    return prefix, nn.RNN(
        inputs,
        hidden,
        num_layers=sum(name.startswith(prefix + "weight_ih_l") and not name.endswith("_reverse") for name in arrays),
        nonlinearity=metadata["nonlinearity"],
        bias=prefix + "bias_ih_l0" in arrays,
        bidirectional=prefix + "weight_ih_l0_reverse" in arrays,
    )


def answer(module, arrays):
    with torch.no_grad():
        if "h0" in arrays:
            y, hn = module(torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["h0"]))
            return {"y": y.numpy(), "hn": hn.numpy()}
        y = module(torch.from_numpy(arrays["x"].astype("<i8") if arrays["x"].dtype == numpy.int32 else arrays["x"]))
        return {"y": y.numpy()}


for path in sorted(folder.glob("ours_*.in.safetensors")):
    name = path.name[:-len(".in.safetensors")]
    arrays, metadata = safetensors_lines.load(folder / f"{name}.safetensors")
    prefix, rnn = rnn_for(arrays, metadata)
    module = Model(arrays, rnn) if prefix else rnn
    module.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in arrays.items()}, strict=True)
    module.double()
    safetensors_lines.save(folder / f"{name}.out.safetensors", answer(module, safetensors_lines.load(path)[0]))


def theirs(name, module, inputs, dtype="<f4"):
    state = {key: value.detach().numpy().astype(dtype) for key, value in module.state_dict().items()}
    safetensors_lines.save(folder / f"{name}.safetensors", state)
    module.load_state_dict({key: torch.from_numpy(value.astype("<f8")) for key, value in state.items()})
    safetensors_lines.save(folder / f"{name}.in.safetensors", inputs)
    safetensors_lines.save(folder / f"{name}.out.safetensors", answer(module, inputs))
    print(name)


torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
for nonlinearity in ("tanh", "relu"):
    for bidirectional in (False, True):
        for layers, bias in ((1, False), (1, True), (3, True)):
            rnn = nn.RNN(5, 7, layers, nonlinearity=nonlinearity, bidirectional=bidirectional, bias=bias)
            inputs = {"x": torch.randn(4, 3, 5).numpy(), "h0": torch.randn(layers * (1 + bidirectional), 3, 7).numpy()}
            theirs(f"theirs_{nonlinearity}_{layers}_{bidirectional}_{'bias' if bias else 'plain'}", rnn, inputs)
rnn = nn.RNN(6, 8, 2, bidirectional=True)
whole = Model({"token_embedding.weight": numpy.zeros((11, 6)), "head.weight": numpy.zeros((3, 16))}, rnn,
              ("token_embedding", "encoder_rnn", "head"))
theirs("theirs_model_tanh_bi_bias", whole, {"x": torch.randint(0, 11, (4, 3)).numpy().astype("<i4")})
theirs("theirs_half_tanh_uni_bias", nn.RNN(5, 7), {"x": torch.randn(4, 3, 5).numpy(), "h0": torch.randn(1, 3, 7).numpy()},
       "<f2")
