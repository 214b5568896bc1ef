#!/usr/bin/env python3
"""Attacks on one ONNX network in PyTorch, run from the authors' own repositories: seconds, robust accuracy, median distance.

Usage: attacks.py MODEL.onnx X.npy Y.npy
A line of JSON {"attack", "radius", ...} on stdin runs one attack on all images and prints one JSON line. Ends with stdin.
The repositories must be on PYTHONPATH (bench/README.md says which). An attack whose repository is missing answers {"missing"}.
The network computes its last exit only. It runs in the form whose gradient is fastest: channels last or not, norms folded or not."""
import importlib
import json
import logging
import os
import sys
import time

# Waiting threads sleep. Where others take some of the machine, PyTorch is ten times slower with threads that spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import numpy as np
import torch
from onnx_torch import OnnxNet

THREADS = 2


def pgd(net, x, y, radius, steps, step_size):
    return repository("torchattacks").PGD(net, eps=radius, alpha=step_size, steps=steps)(x, y)


def apgd(net, x, y, radius, steps):
    attack = repository("autoattack.autopgd_base").APGDAttack(net, n_iter=steps, norm="Linf", eps=radius, seed=0, loss="ce", device="cpu")
    return attack.perturb(x, y)


def autoattack(net, x, y, radius, batch):
    attack = repository("autoattack").AutoAttack(net, norm="Linf", eps=radius, seed=0, version="standard", device="cpu", verbose=False)
    return attack.run_standard_evaluation(x, y, bs=batch)


def square(net, x, y, radius, queries):
    attack = repository("autoattack.square").SquareAttack(net, norm="Linf", eps=radius, n_queries=queries, seed=0, resc_schedule=False, device="cpu")
    return attack.perturb(x, y)


def deepfool(net, x, y, steps):
    return with_foolbox(net, x, y, "L2DeepFoolAttack", steps=steps)


def cw(net, x, y, steps, search_steps, step_size, c):
    return with_foolbox(net, x, y, "L2CarliniWagnerAttack", steps=steps, binary_search_steps=search_steps, stepsize=step_size, initial_const=c)


def hopskipjump(net, x, y, steps):
    """Like ours, it leaves out the images that are misclassified before the attack: it refuses their labels."""
    with torch.no_grad():
        right = net(x).argmax(1) == y
    found = x.clone()
    found[right] = with_foolbox(net, x[right], y[right], "HopSkipJumpAttack", steps=steps)
    return found


def with_foolbox(net, x, y, name, **parameters):
    foolbox = repository("foolbox")
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    _, found, _ = getattr(foolbox.attacks, name)(**parameters)(model, x, y, epsilons=None)
    return found


ATTACKS = {f.__name__: f for f in (pgd, apgd, autoattack, square, deepfool, cw, hopskipjump)}


def repository(name):
    return importlib.import_module(name)


class Subject:
    """The network and the images."""

    def __init__(self, model, images, labels):
        self.labels = torch.from_numpy(np.load(labels)).long()
        nchw = torch.from_numpy(np.load(images))
        layouts = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
        trials = {}
        for name, layout in layouts.items():
            x = nchw.contiguous(memory_format=layout)
            for fold in (False, True):
                net = OnnxNet(model, outputs=-1, layout=layout, fold=fold).eval()
                form = f"{name}{'-folded' * fold}"
                trials[form] = (min(gradient_seconds(net, x, self.labels) for _ in range(5)), net, x)
        self.form = min(trials, key=lambda form: trials[form][0])
        _, self.net, self.images = trials[self.form]

    def run(self, attack, **parameters):
        torch.manual_seed(0)
        start, processor = time.perf_counter(), time.process_time()
        try:
            found = ATTACKS[attack](self.net, self.images, self.labels, **parameters)
        except ImportError as e:
            return {"missing": e.name}
        seconds = time.perf_counter() - start
        cores = (time.process_time() - processor) / seconds
        return {"seconds": seconds, "cores": cores, "form": self.form, "torch": torch.__version__, **self.judged(found.detach())}

    @torch.no_grad()
    def judged(self, found):
        """Robust accuracy, and the median distance in L2 of what was right before and is wrong now."""
        before, after = (self.net(x).argmax(1) == self.labels for x in (self.images, found))
        moved = (found - self.images).flatten(1).norm(dim=1)[before & ~after]
        return {"robust": after.float().mean().item(), "distance": moved.sort()[0][len(moved) // 2].item() if len(moved) else None}


def gradient_seconds(net, images, labels):
    x = images[:64].clone(memory_format=torch.preserve_format).requires_grad_(True)
    start = time.perf_counter()
    loss = torch.nn.functional.cross_entropy(net(x), labels[:64])
    torch.autograd.grad(loss, x)
    return time.perf_counter() - start


def main():
    torch.set_num_threads(THREADS)
    logging.disable(logging.WARNING)
    answers, sys.stdout = sys.stdout, sys.stderr  # the repositories print messages of their own
    subject = Subject(*sys.argv[1:4])
    for line in sys.stdin:
        print(json.dumps(subject.run(**json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
