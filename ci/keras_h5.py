#!/usr/bin/python3
"""Makes src/test/resources/keras: small model files as Keras lays them out, written with h5py and not with Keras.

usage: ci/keras_h5.py

Needs Debian's python3-h5py, so it names Debian's Python above. The committed files were made with h5py 3.7.0 and numpy
1.24.2. The layouts are those of keras/src/saving/saving_lib.py (.weights.h5 and .keras, Keras 3) and of
keras/src/legacy/saving/legacy_h5_format.py and TensorFlow's Keras 2 (.h5).

Every array is made of eighths, counted up from the number of the array in its file, so that a test can say what it expects:
array k has (k + 1) + i / 8 at place i, in the order of the lists below.
"""
import io
import json
import pathlib
import sys
import zipfile

try:
    import h5py
    import numpy
except ImportError as missing:
    sys.exit(f"ci/keras_h5.py: not run: {sys.executable} has no {missing.name}; on Debian: apt-get install python3-h5py")

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src/test/resources/keras"
V, D, H, K = 6, 3, 4, 2


def values(k, shape):
    return (k + 1 + numpy.arange(numpy.prod(shape)) / 8).reshape(shape).astype("<f4")


def cell(path, inputs=D, bias=True):
    """Kernel, recurrent kernel and bias of one direction."""
    shapes = [(inputs, H), (H, H)] + [(H,)] * bias
    return [(f"{path}/cell/vars/{i}", shape) for i, shape in enumerate(shapes)]


EMBEDDING = [("layers/embedding/vars/0", (V, D))]
DENSE = [("layers/dense/vars/0", (H, K)), ("layers/dense/vars/1", (K,))]
DENSE_BOTH = [("layers/dense/vars/0", (2 * H, K)), ("layers/dense/vars/1", (K,))]
BOTH = cell("layers/bidirectional/forward_layer") + cell("layers/bidirectional/backward_layer")


def keras3(target, arrays, states=(), **options):
    """A .weights.h5: every array in a group vars; layers without any have an empty one."""
    with h5py.File(target, "w", **options) as file:
        file.create_group("vars")
        for k, (path, shape) in enumerate(arrays):
            file[path] = values(k, shape)
            layer = file.require_group("/".join(path.split("/")[:2]) + "/vars")
            layer.attrs["name"] = path.split("/")[1]
        for path, state in states:
            file[path] = state


def archive(name, layers, arrays, class_name="Sequential", states=()):
    """A .keras: a zip with the configuration, as JSON, and a .weights.h5."""
    content = io.BytesIO()
    keras3(content, arrays, states)
    config = {"module": "keras", "class_name": class_name, "config": {"name": "model", "layers": layers}}
    with zipfile.ZipFile(FOLDER / name, "w") as zip:
        for member, text in (
            ("metadata.json", json.dumps({"keras_version": "3.5.0", "date_saved": "2026-11-25@12:00:00"})),
            ("config.json", json.dumps(config)),
        ):
            zip.writestr(zipfile.ZipInfo(member), text)
        zip.writestr(zipfile.ZipInfo("model.weights.h5"), content.getvalue())
    print(name)


def layer(class_name, name, **config):
    return {"module": "keras.layers", "class_name": class_name, "config": {"name": name, "trainable": True, **config},
            "registered_name": None}


def embedding(**config):
    return layer("Embedding", "tokens", input_dim=V, output_dim=D, mask_zero=True, **config)


def simple_rnn(name="simple_rnn_7", **config):
    settings = {"units": H, "activation": "tanh", "use_bias": True, "return_sequences": False, "return_state": False,
                "go_backwards": False, "stateful": False, "unroll": False, "dropout": 0.0, "recurrent_dropout": 0.0}
    return layer("SimpleRNN", name, **{**settings, **config})


def bidirectional(merge_mode="concat", **config):
    return layer("Bidirectional", "bidirectional_2", merge_mode=merge_mode, layer=simple_rnn("forward_rnn", **config),
                 backward_layer=simple_rnn("backward_rnn", **{**config, "go_backwards": True}))


def dense(activation="softmax", units=K, name="answer"):
    return layer("Dense", name, units=units, activation=activation, use_bias=True)


def functional(layers):
    """The same layers as a chain of a functional model: each names the one before it."""
    chain = [layer("InputLayer", "input", batch_shape=[None, None], dtype="int32")] + layers
    for before, after in zip(chain, chain[1:]):
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before["config"]["name"], 0, 0]}}
        after["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]
    chain[0]["inbound_nodes"] = []
    for entry in chain:
        entry["name"] = entry["config"]["name"]
    return chain


def legacy(name, layers, root="model_weights", config=None, version="2.15.0", suffix=":0"):
    """A Keras 2 .h5: arrays under the layers' names, the order in attributes, the configuration in another."""
    k = 0
    with h5py.File(FOLDER / name, "w") as file:
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        weights = file.require_group(root) if root else file
        weights.attrs["layer_names"] = [layer_name.encode() for layer_name, _ in layers]
        weights.attrs["keras_version"] = version.encode()
        for layer_name, arrays in layers:
            group = weights.create_group(layer_name)
            group.attrs["weight_names"] = [(path + suffix).encode() for path, _ in arrays]
            for path, shape in arrays:
                group[path + suffix] = values(k, shape)
                k += 1
        weights.create_group("top_level_model_weights").attrs["weight_names"] = numpy.zeros((0,), "S1")
    print(name)


def old(path, inputs=D):
    return [(f"{path}/kernel", (inputs, H)), (f"{path}/recurrent_kernel", (H, H)), (f"{path}/bias", (H,))]


FOLDER.mkdir(exist_ok=True)
state = numpy.array([1337, 0], "<u4")
keras3(FOLDER / "bidirectional.weights.h5", EMBEDDING + BOTH + DENSE_BOTH,
       [("layers/dropout/seed_generator/vars/0", state), ("optimizer/vars/0", numpy.int64(7))])
keras3(FOLDER / "latest.weights.h5", EMBEDDING + cell("layers/simple_rnn") + DENSE, libver="latest")
keras3(FOLDER / "layer.weights.h5", cell("layers/simple_rnn", bias=False))
keras3(FOLDER / "lstm.weights.h5", EMBEDDING + cell("layers/lstm") + DENSE)
keras3(FOLDER / "quantized.weights.h5", cell("layers/simple_rnn"),
       [("layers/dense/vars/0", numpy.ones((H, K), "i1")), ("layers/dense/vars/1", numpy.zeros(K, "<f4"))])
archive("relu.keras", [embedding(), simple_rnn(activation="relu"), layer("Dropout", "dropout", rate=0.5), dense()],
        EMBEDDING + cell("layers/simple_rnn") + DENSE, states=[("layers/dropout/seed_generator/vars/0", state)])
archive("functional.keras", functional([embedding(), bidirectional(return_sequences=True),
                                        layer("GlobalMaxPooling1D", "pool"), dense("linear")]),
        EMBEDDING + BOTH + DENSE_BOTH, "Functional")
archive("sigmoid.keras", [layer("InputLayer", "input", batch_shape=[None, 9, D]), simple_rnn(), dense("sigmoid", 1)],
        cell("layers/simple_rnn") + [("layers/dense/vars/0", (H, 1)), ("layers/dense/vars/1", (1,))])
archive("stack.keras", [embedding(), simple_rnn("lower", return_sequences=True), simple_rnn("upper"), dense()],
        EMBEDDING + cell("layers/simple_rnn") + cell("layers/simple_rnn_1", H) + DENSE)
archive("sum.keras", [bidirectional(merge_mode="sum"), dense()], BOTH + DENSE)
RNN_OLD = ("simple_rnn", old("simple_rnn/simple_rnn_cell"))
EMBEDDING_OLD = ("embedding", [("embedding/embeddings", (V, D))])
DENSE_OLD = ("dense", [("dense/kernel", (H, K)), ("dense/bias", (K,))])
BOTH_OLD = ("bidirectional", old("bidirectional/forward_simple_rnn/simple_rnn_cell_1")
            + old("bidirectional/backward_simple_rnn/simple_rnn_cell_2"))
legacy("legacy.h5", [EMBEDDING_OLD, RNN_OLD, ("dropout", []), DENSE_OLD], config={
    "class_name": "Sequential", "config": {"name": "sequential", "layers": [
        {"class_name": "InputLayer", "config": {"name": "embedding_input", "batch_input_shape": [None, None]}},
        {"class_name": "Embedding", "config": {"name": "embedding", "input_dim": V, "output_dim": D}},
        {"class_name": "SimpleRNN", "config": {**simple_rnn()["config"], "name": "simple_rnn", "activation": "relu"}},
        {"class_name": "Dropout", "config": {"name": "dropout", "rate": 0.5}},
        {"class_name": "Dense", "config": {"name": "dense", "units": K, "activation": "softmax"}}]}})
legacy("legacy_weights.h5", [EMBEDDING_OLD, BOTH_OLD, ("dense", [("dense/kernel", (2 * H, K)), ("dense/bias", (K,))])], "")
legacy("legacy_keras3.h5", [("rnn", old("sequential/rnn/simple_rnn_cell")), DENSE_OLD], version="3.5.0", suffix="")
legacy("legacy_order.h5", [DENSE_OLD, RNN_OLD, EMBEDDING_OLD])
legacy("legacy_mixed.h5", [DENSE_OLD, RNN_OLD], config={"class_name": "Sequential", "config": {"name": "sequential", "layers": [
    {"class_name": "SimpleRNN", "config": {**simple_rnn()["config"], "name": "simple_rnn"}},
    {"class_name": "Dense", "config": {"name": "dense", "units": K, "activation": "softmax"}}]}})
