#!/usr/bin/env python3
"""Forward pass and gradient of the loss with respect to the images in PyTorch: images a second.

Networks as in training.py, in evaluation mode, no parameter asking for a gradient. "forward" runs without recording; "gradient" is
forward, cross-entropy (the mean over the exits) and backward to the images.

Usage: gradient.py BATCH [--steps S] [--classes C]
A line "NETWORK WORK FORMAT" on stdin runs one round of S passes and prints one JSON line; the first round of a network and format
builds it and warms up before its clock starts. FORMAT is nchw or channels_last, each also with -folded: norms folded into the
convolutions before them, as PyTorch's own fuse_conv_bn_eval does it. Ends with stdin."""
import argparse
import json
import sys
import time
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from training import FORMATS, NETWORKS


def folded(module):
    """The module with every pair of a convolution and its norm as one convolution."""
    for name, child in module.named_children():
        pair = list(child) if isinstance(child, nn.Sequential) else []
        if len(pair) == 2 and isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(*pair))
        else:
            folded(child)
    return module


class Subject:
    """One network in one memory layout, with a batch that does not change."""

    def __init__(self, network, form, batch, classes):
        torch.manual_seed(0)
        layout, _, fold = form.partition("-")
        net = NETWORKS[network](classes).eval().requires_grad_(False)
        self.net = (folded(net) if fold else net).to(memory_format=FORMATS[layout])
        self.images = torch.rand(batch, 3, 32, 32).contiguous(memory_format=FORMATS[layout])
        self.labels = torch.randint(0, classes, (batch,))
        self.forward()
        self.gradient()

    @torch.no_grad()
    def forward(self):
        return self.net(self.images)

    def gradient(self):
        images = self.images.requires_grad_(True)
        logits = self.net(images)
        loss = sum(F.cross_entropy(z, self.labels, reduction="sum") for z in logits) / len(logits)
        return torch.autograd.grad(loss, images)[0]

    def round(self, work, steps):
        """Images a second, and processor seconds a second: under 2, others took some of the machine."""
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            getattr(self, work)()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return {"images_per_second": steps * len(self.labels) / wall, "cores": processor / wall, "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser(description="Forward and input gradient of PyTorch on the study's networks.")
    parser.add_argument("batch", type=int)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(2)
    subject = lru_cache(None)(lambda network, form: Subject(network, form, options.batch, options.classes))
    for line in sys.stdin:
        network, work, form = line.split()
        print(json.dumps(subject(network, form).round(work, options.steps)), flush=True)


if __name__ == "__main__":
    main()
