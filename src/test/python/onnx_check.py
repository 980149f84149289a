"""usage: onnx_check.py FOLDER: checks every model in it with ONNX's own checker, types and shapes included."""
import pathlib
import sys

import onnx

models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
for path in models:
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
print(len(models), "models")
