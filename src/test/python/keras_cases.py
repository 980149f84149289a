"""usage: keras_cases.py FOLDER

Compares the .weights.h5 files that elman wrote with the weights in NAME.safetensors, at the places where Keras 3 looks for
them, and checks that every layer has the group vars that Keras asks for.
"""
import pathlib
import sys

import h5py

import safetensors_lines

folder = pathlib.Path(sys.argv[1])
CELL = {"wx": 0, "wh": 1, "b": 2}
for name, directions in (("one", {"forward": "layers/simple_rnn"}),
                         ("both", {"forward": "layers/bidirectional/forward_layer",
                                   "reverse": "layers/bidirectional/backward_layer"})):
    weights, _ = safetensors_lines.load(folder / f"{name}.safetensors")
    places = {"embedding.table": "layers/embedding/vars/0", "dense.w": "layers/dense/vars/0", "dense.b": "layers/dense/vars/1"}
    layers = []
    for layer in (0, 1):
        for direction, path in directions.items():
            top, *inner = path.split("/")[1:]
            path = "/".join(["layers", top + ("_1" if layer else "")] + inner)
            layers.append(path)
            for weight, number in CELL.items():
                places[f"rnn.{'l1.' if layer else ''}{direction}.{weight}"] = f"{path}/cell/vars/{number}"
    assert places.keys() == weights.keys(), (name, places.keys(), weights.keys())
    with h5py.File(folder / f"{name}.weights.h5", "r") as file:
        found = []
        file.visititems(lambda path, node: found.append(path) if isinstance(node, h5py.Dataset) else None)
        assert sorted(found) == sorted(places.values()), (name, found)
        for weight, path in places.items():
            assert file[path].dtype == "<f4" and file[path].shape == weights[weight].shape, (name, path)
            assert (file[path][()] == weights[weight]).all(), (name, path)
        for path in ["vars"] + [f"{layer}/vars" for layer in layers]:
            assert path in file, (name, path)
