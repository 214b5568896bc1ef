#!/usr/bin/env python3
"""Ten training steps of a small early-exit network in PyTorch: the independent answer that dynn's training is compared with.

Writes into OUT (each file under 300 kB):
  ten-steps-setup.json   the start, shared by all runs: parameters, and ten batches of images and labels
  ten-steps-RUN.json     one file a run (sgd, adamw, adam-heads): settings, schedules, losses, gradients, parameters

Every step is computed twice, in float64 and in float32. The float64 numbers are recorded, as the truth; beside each tensor
stands the largest absolute difference of PyTorch's own float32 from it, so that a test's tolerance has a basis.
Numbers have nine significant digits: they give back any float32 exactly.

Of a run's file: `steps` has loss, exitLosses and gradientNorm (before clipping), a row a step; `gradientsOfStep1` are those
before clipping and weight decay; `afterStep1` and `afterStep10` hold what the run moves, running statistics too (PyTorch's
running_var uses the unbiased variance); `normInputs` has mean and biased variance of each norm's input, a row a step, from
which either convention follows. `smallestReluInput` says how near any ReLU came to its kink: seed 8 keeps it far above
rounding (1.6e-5 in the runs that train through ReLUs) and gives gradient norms on both sides of the clipping limit.

Usage: scripts/training-reference.py [OUT] [--seed N]      needs Debian's python3-torch; default OUT: test/fixtures/training
"""
import argparse
import base64
import datetime
import json
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

STEPS, BATCH, CLASSES, SIDE = 10, 8, 5, 8
EPSILON, STATISTICS_MOMENTUM = 1e-5, 0.1
HEADS = ("exit0.weight", "exit0.bias")
PARTS = ("steps", "gradientsOfStep1", "afterStep1", "afterStep10", "normInputs")
NORMS = ("bn1", "bn2", "bn3", "bn4")

ARCHITECTURE = [
    "images [8,3,8,8]",
    "conv1 3->8 3x3 pad 1, bn1, relu -> skip",
    "conv2 8->8 3x3 pad 1, bn2, add skip, relu -> hidden",
    "exit0: hidden -> average pool 2x2 stride 2, flatten, linear exit0 128->5",
    "hidden -> conv3 8->16 3x3 stride 2 pad 1, bn3, relu",
    "conv4 16->16 3x3 pad 1 groups 16, bn4, relu",
    "global average pool, linear fc 16->5",
]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.conv4 = nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False)
        for name, channels in zip(NORMS, (8, 8, 16, 16)):
            setattr(self, name, nn.BatchNorm2d(channels, eps=EPSILON, momentum=STATISTICS_MOMENTUM))
        self.exit0 = nn.Linear(8 * 4 * 4, CLASSES)
        self.fc = nn.Linear(16, CLASSES)
        self.margin = math.inf

    def relu(self, x):
        """Also notes how near any input came to the kink, where rounding could change a gradient."""
        self.margin = min(self.margin, x.detach().abs().min().item())
        return F.relu(x)

    def forward(self, x):
        skip = self.relu(self.bn1(self.conv1(x)))
        hidden = self.relu(self.bn2(self.conv2(skip)) + skip)
        exit0 = self.exit0(F.avg_pool2d(hidden, 2).flatten(1))
        deep = self.relu(self.bn4(self.conv4(self.relu(self.bn3(self.conv3(hidden))))))
        return exit0, self.fc(deep.mean((2, 3)))


def setup(seed):
    """Parameters, images and labels, all float32. Norms and statistics start away from 1 and 0, so that each counts."""
    torch.manual_seed(seed)
    net = Network()
    for name in NORMS:
        norm = getattr(net, name)
        norm.weight.data.uniform_(0.7, 1.3)
        norm.bias.data.normal_(0, 0.1)
        norm.running_mean.normal_(0, 0.2)
        norm.running_var.uniform_(0.5, 1.5)
    state = {k: v.clone() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    images = torch.rand(STEPS, BATCH, 3, SIDE, SIDE)
    labels = torch.randint(0, CLASSES, (STEPS, BATCH))
    return state, images, labels


def ramp(first, last):
    return [round(first + (last - first) * t / (STEPS - 1), 6) for t in range(STEPS)]


def one_cycle(peak, rise=3):
    """Linear from peak/5 up to peak, reached at step `rise`, then half a cosine down to peak/50."""
    low, end = peak / 5, peak / 50
    turn = lambda t: (1 + math.cos(math.pi * (t - rise) / (STEPS - 1 - rise))) / 2
    up = [low + (peak - low) * t / rise for t in range(rise)]
    down = [end + (peak - end) * turn(t) for t in range(rise, STEPS)]
    return [round(rate, 6) for rate in up + down]


# The words are those of TrainingConfig in src/training/config.ts.
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
RUNS = {
    "sgd": {
        "recipe": "joint",
        "optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True, "weightDecay": 5e-4},
        "labelSmoothing": 0.0,
        "clipNorm": None,
        "learningRate": one_cycle(0.1),
        "exitWeights": [[w, 1.0] for w in ramp(0.01, 0.3)],
    },
    "adamw": {
        "recipe": "joint",
        "optimizer": {"kind": "adamw", **ADAM, "weightDecay": 0.01},
        "labelSmoothing": 0.1,
        "clipNorm": 1.0,
        "learningRate": [1e-3] * STEPS,
        "exitWeights": [[w, 1.0] for w in ramp(0.01, 0.3)],
    },
    "adam-heads": {
        "recipe": "ic-only",
        "optimizer": {"kind": "adam", **ADAM, "weightDecay": 0.0},
        "labelSmoothing": 0.0,
        "clipNorm": None,
        "learningRate": [1e-3] * STEPS,
        "exitWeights": [[1.0, 0.0]] * STEPS,
    },
}


def optimizer_of(run, parameters):
    """Weight decay on weights of convolutions and linear layers only (those with two axes or more)."""
    o = run["optimizer"]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": o["weightDecay"]},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    if o["kind"] == "sgd":
        return torch.optim.SGD(groups, lr=1.0, momentum=o["momentum"], nesterov=o["nesterov"])
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[o["kind"]]
    return kind(groups, lr=1.0, betas=(o["beta1"], o["beta2"]), eps=o["epsilon"])


def norm_watch(net, seen):
    """Keep mean and biased variance of each norm's input, one row a step."""
    def keep(name):
        def hook(_, inputs):
            x = inputs[0].detach()
            seen[f"{name}.batch_mean"].append(x.mean((0, 2, 3)))
            seen[f"{name}.batch_var"].append(x.var((0, 2, 3), unbiased=False))
        return hook
    for name in NORMS:
        seen[f"{name}.batch_mean"], seen[f"{name}.batch_var"] = [], []
        getattr(net, name).register_forward_pre_hook(keep(name))


def train(run, start, dtype):
    """All that is recorded of one run, as tensors of `dtype`, and the least distance from a ReLU's kink."""
    state, images, labels = start
    net = Network().to(dtype)
    net.load_state_dict({k: v.to(dtype) for k, v in state.items()}, strict=False)
    frozen = run["recipe"] == "ic-only"
    net.train(not frozen)
    trained = {n: p for n, p in net.named_parameters() if not frozen or n in HEADS}
    for name, p in net.named_parameters():
        p.requires_grad_(name in trained)
    optimizer, watched = optimizer_of(run, list(trained.values())), {}
    if not frozen:
        norm_watch(net, watched)
    # Copies: state_dict shares memory with the network, and later steps would change what was kept.
    snapshot = lambda: {k: v.clone() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    rows = {"loss": [], "exitLosses": [], "gradientNorm": []}
    kept = {}
    for t in range(STEPS):
        exit_losses = [
            F.cross_entropy(z, labels[t], label_smoothing=run["labelSmoothing"]) for z in net(images[t].to(dtype))
        ]
        loss = sum(w * l for w, l in zip(run["exitWeights"][t], exit_losses))
        optimizer.zero_grad()
        loss.backward()
        if t == 0:
            kept["gradientsOfStep1"] = {n: p.grad.clone() for n, p in trained.items()}
        # Returns the norm before clipping; scales by min(1, limit / (norm + 1e-6)), so an infinite limit changes nothing.
        norm = nn.utils.clip_grad_norm_(trained.values(), run["clipNorm"] or math.inf)
        for group in optimizer.param_groups:
            group["lr"] = run["learningRate"][t]
        optimizer.step()
        rows["loss"].append(loss.detach())
        rows["exitLosses"].append(torch.stack(exit_losses).detach())
        rows["gradientNorm"].append(norm)
        if t in (0, STEPS - 1):
            kept[f"afterStep{t + 1}"] = snapshot()
    kept["steps"] = {k: torch.stack(v) for k, v in rows.items()}
    kept["normInputs"] = {k: torch.stack(v) for k, v in watched.items()}
    return kept, net.margin


def digits(values):
    return [float(f"{v:.9g}") for v in values]


def tensor(truth, single=None):
    """dims and data, row-major; with the float32 computation, also its largest absolute difference."""
    out = {"dims": list(truth.shape), "data": digits(truth.flatten().tolist())}
    if single is not None:
        out["float32Difference"] = float(f"{(single.double() - truth).abs().max().item():.3g}")
    return out


def changed(kept, start):
    """Of the parameters after a step, those that the run moves; the others must stay as they began."""
    return {k: v for k, v in kept.items() if not torch.equal(v, start[k].to(v.dtype))}


def passport(seed, description, command):
    return {
        "description": description,
        "command": command,
        "date": datetime.date.today().isoformat(),
        "seed": seed,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "computed": "float64, from float32 inputs; float32Difference is the largest |float32 - float64| of PyTorch itself",
    }


def dump(value, indent=0):
    """JSON with one line a tensor or list of numbers."""
    if isinstance(value, dict) and "data" not in value and value:
        inner = ",\n".join(f"{' ' * (indent + 1)}{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items())
        return f"{{\n{inner}\n{' ' * indent}}}"
    return json.dumps(value, separators=(",", ":"))


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf8") as f:
        f.write(dump(content) + "\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


def setup_file(start, about):
    state, images, labels = start
    return {
        "passport": about,
        "architecture": ARCHITECTURE,
        "normEpsilon": EPSILON,
        "parameters": {k: tensor(v) for k, v in state.items()},
        "images": {
            "dims": list(images.shape),
            "base64Float32": base64.b64encode(images.numpy().astype("<f4").tobytes()).decode(),
        },
        "labels": labels.tolist(),
    }


def run_file(run, start, about):
    truth, margin = train(run, start, torch.float64)
    single, _ = train(run, start, torch.float32)
    recorded = [part for part in PARTS if truth[part]]
    out = {
        "passport": about,
        "setup": "ten-steps-setup.json",
        "config": {
            **{k: run[k] for k in ("recipe", "optimizer", "labelSmoothing", "clipNorm")},
            "decayAll": False,
            "statisticsMomentum": STATISTICS_MOMENTUM,
        },
        "learningRate": run["learningRate"],
        "exitWeights": run["exitWeights"],
        "trained": list(truth["gradientsOfStep1"]),
        "smallestReluInput": float(f"{margin:.3g}"),
    }
    for part in recorded:
        moved = changed(truth[part], start[0]) if part.startswith("after") else truth[part]
        out[part] = {k: tensor(v, single[part][k]) for k, v in moved.items()}
    worst = {part: max(t["float32Difference"] for t in out[part].values()) for part in recorded}
    print(f"largest float32 difference: {worst}")
    return out


def main():
    parser = argparse.ArgumentParser(description="Ten training steps in PyTorch, recorded for dynn's tests.")
    parser.add_argument("out", nargs="?", default="test/fixtures/training", help="folder to write into")
    parser.add_argument("--seed", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    os.makedirs(options.out, exist_ok=True)
    start = setup(options.seed)
    about = lambda text: passport(options.seed, text, f"scripts/training-reference.py OUT --seed {options.seed}")
    text = "initial parameters, and ten batches of random images and labels"
    write(options.out, "ten-steps-setup.json", setup_file(start, about(text)))
    for name, run in RUNS.items():
        text = f"ten steps of {run['optimizer']['kind']}, recipe {run['recipe']}, each on its own batch of {BATCH}"
        write(options.out, f"ten-steps-{name}.json", run_file(run, start, about(text)))


if __name__ == "__main__":
    main()
