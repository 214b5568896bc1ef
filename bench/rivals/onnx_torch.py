"""Runs a small ONNX classifier in PyTorch: just the operators of the bundled networks, so that both engines have the same weights."""
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


class OnnxNet(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.constants = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        self.input = next(i.name for i in graph.input if i.name not in self.constants)
        self.outputs = [o.name for o in graph.output]

    def forward(self, x):
        v = {**self.constants, self.input: x}
        for node in self.nodes:
            a = {k.name: onnx.helper.get_attribute_value(k) for k in node.attribute}
            v[node.output[0]] = run(node.op_type, [v[i] if i else None for i in node.input], a)
        return [v[name] for name in self.outputs]


def run(op, x, a):
    if op == "Constant":
        return torch.from_numpy(numpy_helper.to_array(a["value"]).copy())
    if op == "Conv":
        return F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None, a.get("strides", 1), a.get("pads", [0] * 4)[:2], a.get("dilations", 1), a.get("group", 1))
    if op == "Relu":
        return F.relu(x[0])
    if op in ("Add", "Sub", "Mul", "Div"):
        return getattr(torch, op.lower())(x[0], x[1])
    if op == "MaxPool":
        return F.max_pool2d(x[0], a["kernel_shape"], a.get("strides"))
    if op == "AveragePool":
        return F.avg_pool2d(x[0], a["kernel_shape"], a.get("strides"))
    if op == "GlobalAveragePool":
        return x[0].mean((2, 3), keepdim=True)
    if op == "Flatten":
        return x[0].flatten(a.get("axis", 1))
    if op == "Gemm":
        return F.linear(x[0], x[1] if a.get("transB") else x[1].T, x[2])
    if op in ("Identity", "Pad"):
        assert op == "Identity" or not x[1].any(), "only padding of nothing"
        return x[0]
    raise SystemExit(f"onnx_torch.py does not know {op}")
