#!/usr/bin/env python3
"""Makes src/test/resources/keras/written: models that Keras itself saved, each with an input and what Keras answers, and HDF5
that is refused, or read; all but ours.h5, which is what elman writes of the arrays in Hdf5Test.

usage: KERAS_BACKEND=torch ci/keras_model.py

Needs keras 3 with h5py and any backend: pip install keras torch h5py. The committed files were made with Keras 3.15.1, torch
2.13.0 and h5py 3.16.0. Another run makes the same weights.
"""
import pathlib
import sys

try:
    import h5py
    import keras
    import numpy
except ImportError as missing:
    sys.exit(f"ci/keras_model.py: not run: {sys.executable} has no {missing.name}; pip install keras torch h5py")
from keras import layers

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src/test/resources/keras/written"


def saved(name, model, x, *endings):
    """The model in these formats, and its answers [N,K] to x, in a .npz."""
    for ending in endings:
        (model.save_weights if ending == "weights.h5" else model.save)(FOLDER / f"{name}.{ending}")
    numpy.savez(FOLDER / f"{name}.npz", x=x, y=model.predict(x, verbose=0).astype("<f4"))
    print(name)


keras.utils.set_random_seed(5)
FOLDER.mkdir(exist_ok=True)
random = numpy.random.default_rng(5)

tokens = numpy.array([[1, 2, 3, 4, 5], [5, 1, 0, 0, 0], [3, 3, 2, 0, 0]], "<i4")  # 0 is padding, which the mask hides
saved("tokens", keras.Sequential([
    keras.Input((None,), dtype="int32"),
    layers.Embedding(6, 3, mask_zero=True),
    layers.Bidirectional(layers.SimpleRNN(4, return_sequences=True)),
    layers.Bidirectional(layers.SimpleRNN(4)),
    layers.Dense(2, activation="softmax")]), tokens, "keras", "weights.h5", "h5")

# A functional model, a name beyond ASCII, biases that are not 0, and the way back.
x = keras.Input((None, 3))
y = layers.SimpleRNN(4, name="größe", go_backwards=True, bias_initializer="random_normal")(x)
saved("features", keras.Model(x, layers.Dense(3, activation="softmax", bias_initializer="random_normal")(y)),
      random.standard_normal((4, 6, 3)).astype("<f4"), "keras", "h5")

half = keras.Sequential([keras.Input((None, 3)), layers.SimpleRNN(4, dtype="bfloat16", recurrent_initializer="glorot_uniform"),
                         layers.Dense(2, dtype="bfloat16")])
half.save(FOLDER / "bfloat16.keras")

# Valid HDF5 of which jhdf 0.13 gives other numbers than are in it.
numbers = numpy.arange(1, 33, dtype="<f4").reshape(4, 8)
with h5py.File(FOLDER / "growing.h5", "w", libver="latest") as file:
    file.create_dataset("a", data=numbers, chunks=(2, 2), maxshape=(4, None))
with h5py.File(FOLDER / "gaps.h5", "w") as file:
    file.create_dataset("a", (4, 8), "<f4", chunks=(2, 2), fillvalue=3)[0, 0] = 1
with h5py.File(FOLDER / "checksums.h5", "w") as file:
    file.create_dataset("a", data=numpy.zeros((4, 8), "<f4"), chunks=(1, 3), compression="lzf", fletcher32=True)
with h5py.File(FOLDER / "brain_floats.h5", "w") as file:
    kind = h5py.h5t.IEEE_F16LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_ebias(127)
    h5py.h5d.create(file.id, b"a", kind, h5py.h5s.create_simple(numbers.shape)).write(h5py.h5s.ALL, h5py.h5s.ALL, numbers)

# Arrays of every kind that is read, and attributes: texts in place and elsewhere, and a number, which is no text.
with h5py.File(FOLDER / "mixed.h5", "w") as file:
    file.attrs["fixed"] = numpy.array([b"a", b"bcd", b""])
    file.attrs["elsewhere"] = ["", "größe", "x"]
    file.attrs["number"] = 3
    for name, kind in ("f2", "<f2"), ("f4", "<f4"), ("f4big", ">f4"), ("f8", "<f8"):
        file[name] = numpy.array([1.5, -2], kind)
    for name, kind in ("i4", "<i4"), ("i8", "<i8"):
        file[name] = numpy.array([1, -2], kind)
    for kind in "f4", "f8", "i4", "i8":
        file[kind + "scalar"] = numpy.array(7, "<" + kind)
    file["none"] = numpy.zeros((0, 3), "<f8")
    growing = file.create_dataset("growing", data=numpy.arange(6, dtype="<f4").reshape(2, 3), chunks=(2, 2), maxshape=(None, 3))
    growing.attrs["unit"] = "cm"
