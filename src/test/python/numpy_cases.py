"""usage: numpy_cases.py FOLDER

Loads what elman wrote (ours_*.npy, ours.npz) and checks it against what it says of itself in its name, then writes arrays
of every type, byte order and memory order as theirs_*.npy, each holding 0, 1, 2... in C order.
"""
import pathlib
import sys

import numpy

folder = pathlib.Path(sys.argv[1])


def expected(shape, dtype):
    return numpy.arange(numpy.prod(shape, dtype=int)).reshape(shape).astype(dtype)


def check(name, array, dtype, shape):
    assert array.dtype == numpy.dtype(dtype), (name, array.dtype)
    assert array.shape == shape, (name, array.shape)
    assert (array == expected(shape, dtype)).all(), (name, array)
    assert array.flags.c_contiguous and array.flags.aligned, name


for path in folder.glob("ours_*.npy"):
    _, dtype, *shape = path.stem.split("_")
    check(path.name, numpy.load(path, allow_pickle=False), dtype, tuple(map(int, shape)))
with numpy.load(folder / "ours.npz", allow_pickle=False) as npz:
    assert sorted(npz.files) == ["a", "b.c"], npz.files
    check("a", npz["a"], "<f4", (2, 3))
    check("b.c", npz["b.c"], "<i8", (4,))

for dtype in ("|b1", "|i1", "|u1", "<i2", ">i2", "<u2", "<f2", ">f2", "<i4", ">i4", "<u4", "<f4", ">f4", "<i8", ">i8", "<u8",
              "<f8", ">f8"):
    for order in "CF":
        for shape in ((), (5,), (0, 3), (2, 3), (2, 3, 4)):
            name = f"theirs_{dtype[1:]}_{order}_{'x'.join(map(str, shape))}_{'big' if dtype[0] == '>' else 'little'}.npy"
            numpy.save(folder / name, numpy.asarray(expected(shape, dtype), order=order))
for version in ((2, 0), (3, 0)):
    with open(folder / f"version_{version[0]}.npy", "wb") as out:
        numpy.lib.format.write_array(out, expected((2, 3), "<f4"), version=version)
numpy.savez(folder / "theirs.npz", a=expected((2, 3), "<f4"), b=numpy.asfortranarray(expected((2, 3), ">f8")))
numpy.savez_compressed(folder / "theirs_packed.npz", a=expected((2, 3), "<f4"), b=expected((2, 3), "<f8"))
numpy.save(folder / "object.npy", numpy.array([{}, None]), allow_pickle=True)
numpy.save(folder / "text.npy", numpy.array(["a", "bc"]))
numpy.save(folder / "complex.npy", numpy.array([1j]))
numpy.save(folder / "record.npy", numpy.zeros(2, [("x", "<f4"), ("y", "<i4")]))
