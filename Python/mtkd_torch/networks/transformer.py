"""Vision transformers under timm's names: DeiT without its distillation token, and CaiT."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .parts import Activations, Network, start_linear


class Attention(nn.Module):
    """Every token attends to all; with `talking`, heads are mixed before and after the softmax."""

    def __init__(self, width, heads, talking=False):
        super().__init__()
        self.heads, self.scale, self.talking = heads, (width // heads) ** -0.5, talking
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        if talking:
            self.proj_l, self.proj_w = nn.Linear(heads, heads), nn.Linear(heads, heads)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q * self.scale) @ k.transpose(-2, -1)
        if self.talking:
            scores = self.proj_l(scores.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        weights = scores.softmax(-1)
        if self.talking:
            weights = self.proj_w(weights.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, width))


class ClassAttention(nn.Module):
    """The first token attends to all; one token comes back."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        batch, tokens, width = x.shape

        def split(y):
            return y.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = split(self.q(x[:, :1])), split(self.k(x)), split(self.v(x))
        weights = ((q * self.scale) @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, 1, width))


class MLP(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class DropPath(nn.Module):
    """Leaves a branch out for a sample with probability `share` times the recipe's rate."""

    def __init__(self, share):
        super().__init__()
        self.share, self.rate = share, 0.0

    def forward(self, x):
        rate = self.rate * self.share
        if rate == 0 or not self.training:
            return x
        kept = torch.rand(x.shape[0], 1, 1, device=x.device, dtype=x.dtype) >= rate
        return x * kept / (1 - rate)


class Block(nn.Module):
    """Attention and two linear layers, each added; with `start`, scaled by trained vectors."""

    def __init__(self, width, heads, hidden, share, start=None):
        super().__init__()
        self.scaled = start is not None
        if self.scaled:
            self.gamma_1, self.gamma_2 = (nn.Parameter(torch.full((width,), float(start))) for _ in range(2))
        self.norm1, self.attn = nn.LayerNorm(width, 1e-6), Attention(width, heads, talking=self.scaled)
        self.norm2, self.mlp, self.drop = nn.LayerNorm(width, 1e-6), MLP(width, hidden), DropPath(share)

    def forward(self, x):
        attended = self.attn(self.norm1(x))
        x = x + self.drop(self.gamma_1 * attended if self.scaled else attended)
        changed = self.mlp(self.norm2(x))
        return x + self.drop(self.gamma_2 * changed if self.scaled else changed)


class ClassBlock(nn.Module):
    def __init__(self, width, heads, start):
        super().__init__()
        self.gamma_1, self.gamma_2 = (nn.Parameter(torch.full((width,), float(start))) for _ in range(2))
        self.norm1, self.attn = nn.LayerNorm(width, 1e-6), ClassAttention(width, heads)
        # Four times the width whatever the ratio of the other blocks: the original's constant.
        self.norm2, self.mlp = nn.LayerNorm(width, 1e-6), MLP(width, 4 * width)

    def forward(self, token, x):
        token = token + self.gamma_1 * self.attn(self.norm1(torch.cat([token, x], 1)))
        return token + self.gamma_2 * self.mlp(self.norm2(token))


class PatchEmbedding(nn.Module):
    def __init__(self, channels, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


class Transformer(Network):
    """`timm_vit`; `CaiT` is the same with two differences that `layer_scale` switches on."""

    classifier_name = "head"

    def __init__(
        self, channels, classes, image, patch, dim, depth, heads, mlp_ratio=4.0, depth_cls=0, layer_scale=None, **_,
    ):
        super().__init__()
        self.side, self.depth, hidden = image // patch, depth, int(dim * float(mlp_ratio))
        self.is_cait = layer_scale is not None
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, self.side ** 2 + (0 if self.is_cait else 1), dim))
        self.patch_embed = PatchEmbedding(channels, dim, patch)
        self.blocks = nn.ModuleList(
            Block(dim, heads, hidden, 1.0 if self.is_cait else index / max(1, depth - 1), layer_scale)
            for index in range(depth))
        if self.is_cait:
            self.blocks_token_only = nn.ModuleList(ClassBlock(dim, heads, layer_scale) for _ in range(depth_cls))
        self.norm, self.head = nn.LayerNorm(dim, 1e-6), nn.Linear(dim, classes)
        start_linear(self, 0.02)
        # The authors cut these normal numbers off at a hundred stds.
        self.starts = {"cls_token": ("normal", 0.02 if self.is_cait else 1e-6), "pos_embed": ("normal", 0.02)}

    def classify_map(self, map):
        raise ValueError("a transformer's classifier reads its class token, which is in no map")

    def as_map(self, tokens):
        return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, self.side, self.side)

    def forward(self, images):
        patches = self.patch_embed(images)
        token = self.cls_token.expand(patches.shape[0], -1, -1)
        x = patches + self.pos_embed if self.is_cait else torch.cat([token, patches], 1) + self.pos_embed
        maps, tapped = [], [-(-self.depth * quarter // 4) for quarter in (1, 2, 3)]
        for index, block in enumerate(self.blocks):
            x = block(x)
            maps += [self.as_map(x if self.is_cait else x[:, 1:])] * tapped.count(index + 1)
        if self.is_cait:
            for block in self.blocks_token_only:
                token = block(token, x)
            x = torch.cat([token, x], 1)
        x = self.norm(x)
        return Activations([*maps, self.as_map(x[:, 1:])], x[:, 0], self.head(x[:, 0]))


class CaiT(Transformer):
    """`timm_cait`: patch tokens alone first, then blocks that change the class token only."""

    def __init__(self, channels, classes, depth_cls=2, layer_scale=1e-5, **parameters):
        super().__init__(channels, classes, depth_cls=depth_cls, layer_scale=layer_scale, **parameters)
