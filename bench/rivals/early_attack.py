"""The early attack in paper mode, one sample at a time, as the study's code runs it: Adam on w, image = (tanh(w) + 1) / 2.
Usage: early_attack.py MODEL.onnx X.npy     prints {"seconds", "iterations", "successes", "version"}"""
import json
import sys
import time

import numpy as np
import torch
from onnx_torch import OnnxNet

torch.manual_seed(0)
torch.set_num_threads(2)
net = OnnxNet(sys.argv[1])
std = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)


def attack(x, alpha=0.1, steps=1000):
    with torch.no_grad():
        y = net(x)[-1].argmax(1).item()
    w = torch.rand_like(x).requires_grad_(True)
    adam = torch.optim.Adam([w], lr=0.01)
    for step in range(steps):
        adv = (torch.tanh(w) + 1) / 2
        logits = net(adv)
        p = [torch.softmax(z, 1)[0] for z in logits]
        keep = torch.relu(p[-1][y] - p[-1]).sum()
        loss = 50 * (-alpha * keep + sum(q[y] for q in p[:-1])) + (((adv - x) / std) ** 2).sum()
        if step >= 200 and logits[-1].argmax() == y and all(z.argmax() != y for z in logits[:-1]):
            return step + 1, True
        adam.zero_grad()
        loss.backward()
        adam.step()
    return steps, False


images = torch.from_numpy(np.load(sys.argv[2]))
start = time.time()
results = [attack(x[None]) for x in images]
print(json.dumps({"seconds": time.time() - start, "iterations": sum(r[0] for r in results), "successes": sum(r[1] for r in results), "version": torch.__version__}))
