#!/usr/bin/env python3
"""MobileNetV2 and ResNet-50 of torchvision with random weights, at 224 x 224: images a second of the forward pass and of the gradient.

Usage: large_images.py NETWORK FILE.onnx BATCH        (mobilenet_v2 or resnet50)
Writes the network to the ONNX file and prints {"written": true}. Then a line "WORK FORM" on stdin runs one round of one pass and prints one
JSON line. WORK and FORM as in gradient.py. The answer has the peak memory of the process in GB. Ends with stdin."""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from torch.fx.experimental.optimization import fuse
from training import FORMATS


def networks(name):
    torch.manual_seed(0)
    net = getattr(torchvision.models, name)(weights=None).eval().requires_grad_(False)
    # Fresh norms divide by 1. Random statistics make an export that folds them in change the weights.
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 1.5)
    return net


class Setting:
    """A network in one form, built when it is first asked for."""

    def __init__(self, net, form, batch):
        layout, _, fold = form.partition("-")
        self.net = (fuse(net) if fold else net).to(memory_format=FORMATS[layout])
        self.images = torch.rand(batch, 3, 224, 224).contiguous(memory_format=FORMATS[layout])
        self.labels = torch.arange(batch) % 1000
        self.forward()
        self.gradient()

    @torch.no_grad()
    def forward(self):
        return self.net(self.images)

    def gradient(self):
        images = self.images.requires_grad_(True)
        loss = F.cross_entropy(self.net(images), self.labels, reduction="sum")
        return torch.autograd.grad(loss, images)[0]


def main():
    name, file, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(2)
    net = networks(name)
    torch.onnx.export(net, torch.zeros(1, 3, 224, 224), file, dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, input_names=["x"], output_names=["y"])
    print(json.dumps({"written": True}), flush=True)
    settings = {}
    for line in sys.stdin:
        if not line.strip():
            continue
        work, form = line.split()
        if form not in settings:
            settings[form] = Setting(networks(name), form, batch)
        wall = time.perf_counter()
        getattr(settings[form], work)()
        wall = time.perf_counter() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps({"images_per_second": batch / wall, "peak": peak, "torch": torch.__version__}), flush=True)


if __name__ == "__main__":
    main()
