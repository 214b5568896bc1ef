"""Runs a small ONNX classifier in PyTorch: just the operators of the bundled networks, so that both engines have the same weights."""
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


class OnnxNet(torch.nn.Module):
    """The list of all outputs, or the one output with the number `outputs`; the network then runs what this output needs and no more.
    With `fold`, norms become part of the convolutions before them."""

    def __init__(self, path, outputs=None, layout=torch.contiguous_format, fold=False):
        super().__init__()
        graph = onnx.load(path).graph
        self.constants = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        self.input = next(i.name for i in graph.input if i.name not in self.constants)
        self.outputs = [o.name for o in graph.output]
        self.single = None if outputs is None else self.outputs[outputs]
        nodes = needed(graph.node, self.outputs if outputs is None else [self.single])
        self.nodes = [(n.op_type, list(n.input), n.output[0], {k.name: onnx.helper.get_attribute_value(k) for k in n.attribute}) for n in nodes]
        if fold:
            self.nodes = folded(self.nodes, self.constants)
        self.constants = {name: laid_out(t, layout) for name, t in self.constants.items()}

    def forward(self, x):
        v = {**self.constants, self.input: x}
        for op, inputs, output, attributes in self.nodes:
            v[output] = run(op, [v[i] if i else None for i in inputs], attributes)
        return v[self.single] if self.single else [v[name] for name in self.outputs]


def laid_out(t, layout):
    return t.contiguous(memory_format=layout) if t.dim() == 4 else t


def needed(nodes, outputs):
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def folded(nodes, constants):
    """Source: torch.nn.utils.fusion.fuse_conv_bn_weights."""
    makers = {output: (op, inputs) for op, inputs, output, _ in nodes}
    uses = [name for _, inputs, _, _ in nodes for name in inputs]
    renamed, kept = {}, []
    for op, inputs, output, attributes in nodes:
        inputs = [renamed.get(name, name) for name in inputs]
        maker, conv = makers.get(inputs[0], (None, None)) if inputs else (None, None)
        if op == "BatchNormalization" and maker == "Conv" and uses.count(inputs[0]) == 1:
            scale, shift, mean, var = (constants[name] for name in inputs[1:])
            factor = scale / torch.sqrt(var + attributes.get("epsilon", 1e-5))
            bias = constants[conv[2]] if len(conv) > 2 else 0
            constants[f"{output}/w"], constants[f"{output}/b"] = constants[conv[1]] * factor.view(-1, 1, 1, 1), (bias - mean) * factor + shift
            at = next(i for i, node in enumerate(kept) if node[2] == inputs[0])
            kept[at] = ("Conv", [kept[at][1][0], f"{output}/w", f"{output}/b"], inputs[0], kept[at][3])
            renamed[output] = inputs[0]
        else:
            kept.append((op, inputs, output, attributes))
    return kept


def run(op, x, a):
    if op == "Constant":
        return torch.from_numpy(numpy_helper.to_array(a["value"]).copy())
    if op == "Conv":
        return F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None, a.get("strides", 1), a.get("pads", [0] * 4)[:2], a.get("dilations", 1), a.get("group", 1))
    if op == "Relu":
        return F.relu(x[0])
    if op in ("Add", "Sub", "Mul", "Div"):
        return getattr(torch, op.lower())(x[0], x[1])
    if op == "BatchNormalization":
        return F.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0.0, a.get("epsilon", 1e-5))
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
    if op == "Identity":
        return x[0]
    if op == "Pad":
        before, after = x[1].view(2, -1).tolist()
        return F.pad(x[0], [n for pair in zip(before[::-1], after[::-1]) for n in pair])
    if op == "Slice":
        cut = [slice(None)] * x[0].dim()
        for start, end, axis, step in zip(*(t.tolist() for t in x[1:5])):
            cut[axis] = slice(start, end, step)
        return x[0][tuple(cut)]
    raise SystemExit(f"onnx_torch.py does not know {op}")
