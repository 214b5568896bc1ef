#!/usr/bin/env python3
"""Networks that dynn did not make: families of torchvision and timm, small, trained on CIFAR-10 with PyTorch and exported by torch.onnx,
with the parts that make such exports awkward to cut: shortcuts, concatenations, class tokens, layer norms. They expect normalised images.
scripts/make-conversions.mjs gives them early exits (docs/conversions.md).
Needs Debian's python3-torch and python3-onnx. Usage: foreign-networks.py CIFAR_FOLDER OUT [--threads N] [NAME...]
"""
import argparse, os, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def conv(i, o, k=3, s=1, groups=1, act=nn.ReLU6):
    return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o), act() if act else nn.Identity())


class InvertedResidual(nn.Module):
    """MobileNetV2 (Sandler et al. 2018)."""

    def __init__(self, i, o, s, t):
        super().__init__()
        wide = i * t
        self.body = nn.Sequential(conv(i, wide, 1), conv(wide, wide, 3, s, wide), conv(wide, o, 1, act=None))
        self.same = s == 1 and i == o

    def forward(self, x):
        return x + self.body(x) if self.same else self.body(x)


def mobilenet_v2():
    plan = [(16, 1), (24, 1), (24, 1), (40, 2), (40, 1), (64, 1), (64, 1), (96, 1)]
    blocks, width = [], 16
    for o, s in plan:
        blocks.append(InvertedResidual(width, o, s, 3))
        width = o
    return nn.Sequential(conv(3, 16, 3, 2), *blocks, conv(width, 192, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(192, 10))


class DenseLayer(nn.Module):
    """DenseNet (Huang et al. 2017)."""

    def __init__(self, i, growth):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm2d(i), nn.ReLU(), nn.Conv2d(i, growth, 3, padding=1, bias=False))

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet(growth=16, layers=(4, 4, 4)):
    parts, width = [nn.Conv2d(3, 32, 3, 2, 1, bias=False)], 32
    for k, count in enumerate(layers):
        for _ in range(count):
            parts.append(DenseLayer(width, growth))
            width += growth
        if k + 1 < len(layers):
            parts += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1, bias=False), nn.AvgPool2d(2)]
            width //= 2
    return nn.Sequential(*parts, nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.out((a @ v).transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.n1, self.attention, self.n2 = nn.LayerNorm(d), Attention(d, heads), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + self.attention(self.n1(x))
        return x + self.mlp(self.n2(x))


class VisionTransformer(nn.Module):
    """ViT (Dosovitskiy et al. 2021), with a class token."""

    def __init__(self, d=48, depth=5, heads=3, patch=4):
        super().__init__()
        self.patches = nn.Conv2d(3, d, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, d))
        self.places = nn.Parameter(torch.randn(1, (32 // patch) ** 2 + 1, d) * 0.02)
        self.blocks = nn.Sequential(*[Block(d, heads) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


class ConvNeXtBlock(nn.Module):
    """ConvNeXt (Liu et al. 2022)."""

    def __init__(self, d):
        super().__init__()
        self.deep, self.norm = nn.Conv2d(d, d, 7, padding=3, groups=d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.scale = nn.Parameter(torch.full((d,), 0.1))

    def forward(self, x):
        y = self.mlp(self.norm(self.deep(x).permute(0, 2, 3, 1))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class ChannelNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext(widths=(32, 64, 128), depth=2, patch=4):
    parts = [nn.Conv2d(3, widths[0], patch, patch), ChannelNorm(widths[0])]
    for k, d in enumerate(widths):
        if k:
            parts += [ChannelNorm(widths[k - 1]), nn.Conv2d(widths[k - 1], d, 2, 2)]
        parts += [ConvNeXtBlock(d) for _ in range(depth)]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(widths[-1]), nn.Linear(widths[-1], 10))


# How each is made, its top learning rate, its epochs, and the opset of its export.
FAMILIES = {
    "convnext": (convnext, 3e-3, 8, 17),
    "vit": (VisionTransformer, 2e-3, 10, 14),
    "densenet": (densenet, 4e-3, 5, 12),
    "mobilenet_v2": (mobilenet_v2, 4e-3, 5, 13),
}


def read(folder, names):
    raw = np.concatenate([np.fromfile(os.path.join(folder, n), np.uint8).reshape(-1, 3073) for n in names])
    images = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).copy()).float() / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std, torch.from_numpy(raw[:, 0].astype(np.int64))


def varied(x):
    """Flipped at random, and moved by up to 4 pixels."""
    x = torch.where((torch.rand(len(x)) < 0.5).view(-1, 1, 1, 1), x.flip(3), x)
    i, j = torch.randint(0, 9, (2,)).tolist()
    return F.pad(x, (4, 4, 4, 4))[:, :, i : i + 32, j : j + 32]


def train(model, rate, x, y, epochs, name):
    batch = 128
    steps = len(x) // batch
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * steps, pct_start=0.25)
    start = time.time()
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(batch)[:steps]:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(varied(x[rows])), y[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"{name} epoch {epoch + 1} of {epochs}: loss {loss.item():.3f}, {time.time() - start:.0f} s", flush=True)


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500))) / len(y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data"), parser.add_argument("out"), parser.add_argument("names", nargs="*")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_intermixed_args()
    torch.set_num_threads(args.threads)
    os.makedirs(args.out, exist_ok=True)
    # The last of the five training files is left to dynn: heads and thresholds are not chosen on images that the network was trained on.
    data = read(args.data, [f"data_batch_{i}.bin" for i in range(1, 5)])
    test = read(args.data, ["test_batch.bin"])
    for name in args.names or FAMILIES:
        make, rate, epochs, opset = FAMILIES[name]
        torch.manual_seed(0)
        model = make()
        train(model, rate, *data, epochs, name)
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, test accuracy {100 * accuracy(model, *test):.2f} %", flush=True)
        torch.onnx.export(model, data[0][:2], os.path.join(args.out, f"{name}.onnx"), opset_version=opset, input_names=["image"], output_names=["scores"], dynamic_axes={"image": {0: "n"}, "scores": {0: "n"}})


if __name__ == "__main__":
    main()
