"""Reads and writes safetensors in a few lines, by the published format, since Debian has no package for it."""
import json
import struct

import numpy

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def load(path):
    """Arrays by name, and the metadata."""
    content = open(path, "rb").read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    data = content[8 + length:]
    arrays = {}
    for name, slot in header.items():
        begin, end = slot["data_offsets"]
        arrays[name] = numpy.frombuffer(data[begin:end], TYPES[slot["dtype"]]).reshape(slot["shape"]).copy()
    return arrays, metadata


def save(path, arrays, metadata=None):
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, array in arrays.items():
        dtype = next(key for key, value in TYPES.items() if numpy.dtype(value) == array.dtype)
        content = numpy.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)
