#!/usr/bin/env python3
"""Training throughput of PyTorch: images a second of full steps (forward in training mode, loss, backward, SGD update).

  resnet56   ResNet-56 for CIFAR (He et al. 2016, shortcuts of option A) with six SDN exits (Kaya et al. 2019), joint loss
  vgg16      VGG-16 with BatchNorm for CIFAR, 13 convolutions and one linear layer, cross-entropy
  mobilenet  MobileNet-v1 for CIFAR (Howard et al. 2017; stride 2 in blocks 1, 3, 5 and 11 only), cross-entropy

Usage: training.py BATCH [--serve] [--networks A,B] [--rounds R] [--steps S] [--classes C]
Without --serve: for each network and layout, R rounds of S steps after one warm-up step; a JSON line with the median and the range.
With --serve: a line "NETWORK FORMAT" on stdin runs one round and prints one JSON line, so that two engines can take turns in
one benchmark; the first round of a pair builds the network and warms up before its clock starts. Ends with stdin.
On a shared machine a round can be several times slower; `cores` (processor seconds a second) shows which had to share.
FORMAT is nchw or channels_last. Images and labels are random, made once, and already in memory."""
import argparse
import json
import statistics
import sys
import time
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

FORMATS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


def conv_norm(inputs, outputs, kernel=3, stride=1, groups=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Basic residual block. Option A: where shapes change, the shortcut drops every other pixel and adds channels of zeros."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = conv_norm(inputs, outputs, stride=stride), conv_norm(outputs, outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x):
        y = self.second(F.relu(self.first(x)))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(x + y)


class Head(nn.Module):
    """SDN's internal classifier: learned mix of max and average pooling down to 4x4, then one linear layer."""

    def __init__(self, channels, side, classes):
        super().__init__()
        self.kernel = side // 4
        self.mix = nn.Parameter(torch.tensor(0.5))
        self.linear = nn.Linear(channels * 16, classes)

    def forward(self, x):
        pooled = self.mix * F.max_pool2d(x, self.kernel) + (1 - self.mix) * F.avg_pool2d(x, self.kernel)
        return self.linear(pooled.flatten(1))


class ResNet56(nn.Module):
    EXITS = ((3, 7), (2, 6), (1, 5))
    WEIGHTS = (0.15, 0.30, 0.45, 0.60, 0.75, 0.90, 1.0)

    def __init__(self, classes):
        super().__init__()
        self.stem = conv_norm(3, 16)
        self.blocks, self.heads = nn.ModuleList(), nn.ModuleDict()
        inputs = 16
        for stage, exits in enumerate(self.EXITS):
            outputs = 16 << stage
            for i in range(9):
                if i in exits:
                    self.heads[str(len(self.blocks))] = Head(outputs, 32 >> stage, classes)
                self.blocks.append(Block(inputs, outputs, 2 if stage and i == 0 else 1))
                inputs = outputs
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x, logits = F.relu(self.stem(x)), []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if str(i) in self.heads:
                logits.append(self.heads[str(i)](x))
        return [*logits, self.fc(x.mean((2, 3)))]


class Plain(nn.Module):
    """Layers in a row, global average pool, one linear layer, one exit."""

    WEIGHTS = (1.0,)

    def __init__(self, layers, channels, classes):
        super().__init__()
        self.layers, self.fc = nn.Sequential(*layers), nn.Linear(channels, classes)

    def forward(self, x):
        return [self.fc(self.layers(x).mean((2, 3)))]


def vgg16(classes):
    layers, inputs = [], 3
    for outputs, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [conv_norm(inputs, outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return Plain(layers, 512, classes)


def mobilenet(classes):
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    layers, inputs = [conv_norm(3, 32), nn.ReLU(inplace=True)], 32
    for outputs, stride in blocks:
        layers += [conv_norm(inputs, inputs, stride=stride, groups=inputs), nn.ReLU(inplace=True)]
        layers += [conv_norm(inputs, outputs, kernel=1), nn.ReLU(inplace=True)]
        inputs = outputs
    return Plain(layers, 1024, classes)


NETWORKS = {"resnet56": ResNet56, "vgg16": vgg16, "mobilenet": mobilenet}


def macs_of(net):
    """Multiply-accumulates of convolutions and linear layers for one image of 32x32, heads included."""
    total, hooks = 0, []

    def count(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return total


class Subject:
    """One network in one memory layout, ready to be trained, with a batch that does not change."""

    def __init__(self, network, layout, batch, classes):
        torch.manual_seed(0)
        self.net = NETWORKS[network](classes)
        self.facts = {
            "network": network,
            "format": layout,
            "batch": batch,
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "macs": macs_of(self.net),
            "torch": torch.__version__,
        }
        self.net.train().to(memory_format=FORMATS[layout])
        self.images = torch.rand(batch, 3, 32, 32).contiguous(memory_format=FORMATS[layout])
        self.labels = torch.randint(0, classes, (batch,))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        self.step()

    def step(self):
        logits = self.net(self.images)
        loss = sum(w * F.cross_entropy(z, self.labels) for w, z in zip(self.net.WEIGHTS, logits))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def round(self, steps):
        """Images a second over `steps` steps, and processor seconds a second: under 2, others took some of the machine."""
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self.step()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return {"images_per_second": steps * len(self.labels) / wall, "cores": processor / wall}


def serve(subject, steps):
    for line in sys.stdin:
        chosen = subject(*line.split())
        print(json.dumps({**chosen.facts, **chosen.round(steps)}), flush=True)


def measure(subject, networks, steps, rounds):
    """All pairs take turns, round by round, so that a busy spell of the machine falls on all of them."""
    pairs = [subject(network, layout) for network in networks for layout in FORMATS]
    results = [[pair.round(steps) for pair in pairs] for _ in range(rounds)]
    for pair, seen in zip(pairs, zip(*results)):
        speeds = [r["images_per_second"] for r in seen]
        middle = {key: statistics.median(r[key] for r in seen) for key in seen[0]}
        print(json.dumps({**pair.facts, **middle, "low": min(speeds), "high": max(speeds), "rounds": rounds}), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Training throughput of PyTorch on the study's networks.")
    parser.add_argument("batch", type=int)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(2)
    subject = lru_cache(None)(lambda network, layout: Subject(network, layout, options.batch, options.classes))
    if options.serve:
        serve(subject, options.steps)
    else:
        measure(subject, options.networks.split(","), options.steps, options.rounds)


if __name__ == "__main__":
    main()
