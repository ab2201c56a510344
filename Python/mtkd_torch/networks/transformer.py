"""Vision transformers under timm's names: DeiT without its distillation token, and CaiT."""
import torch
from torch import nn

from .parts import Activations, Network, start, two_layers


def attend(q, k, v, heads, before=nn.Identity(), after=nn.Identity()):
    """Attention by heads, of tokens `[batch, tokens, width]`. `before` and `after` the softmax heads may be mixed."""
    q, k, v = (y.unflatten(2, (heads, -1)).transpose(1, 2) for y in (q, k, v))
    scores = ((q * q.shape[3] ** -0.5) @ k.transpose(-2, -1)).permute(0, 2, 3, 1)
    weights = after(before(scores).permute(0, 3, 1, 2).softmax(-1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return (weights @ v).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Every token attends to all; with `talking`, heads are mixed."""

    def __init__(self, width, heads, talking):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.proj_l, self.proj_w = (nn.Linear(heads, heads) if talking else nn.Identity() for _ in range(2))

    def forward(self, x):
        return self.proj(attend(*self.qkv(x).chunk(3, 2), self.heads, self.proj_l, self.proj_w))


class ClassAttention(nn.Module):
    """The first token attends to all; one token comes back."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        return self.proj(attend(self.q(x[:, :1]), self.k(x), self.v(x), self.heads))


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

    def __init__(self, width, attention, hidden, start=None, share=0.0):
        super().__init__()
        self.gamma_1, self.gamma_2 = (
            1.0 if start is None else nn.Parameter(torch.full((width,), float(start))) for _ in range(2))
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(width, 1e-6), attention, nn.LayerNorm(width, 1e-6)
        self.mlp, self.drop = two_layers(width, hidden, width, nn.GELU), DropPath(share)

    def forward(self, x):
        x = x + self.drop(self.gamma_1 * self.attn(self.norm1(x)))
        return x + self.drop(self.gamma_2 * self.mlp(self.norm2(x)))


class ClassBlock(Block):
    """The same for the class token alone."""

    def forward(self, token, x):
        token = token + self.gamma_1 * self.attn(self.norm1(torch.cat([token, x], 1)))
        return token + self.gamma_2 * self.mlp(self.norm2(token))


class Transformer(Network):
    """`timm_vit`; with `layer_scale` `timm_cait`: patch tokens alone, then blocks that change the class token only."""

    def __init__(
        self, channels, classes, image, patch, dim, depth, heads, mlp_ratio=4.0, depth_cls=0, layer_scale=None, **_,
    ):
        super().__init__()
        self.side, self.depth, hidden = image // patch, depth, int(dim * float(mlp_ratio))
        self.is_cait = layer_scale is not None
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, self.side ** 2 + (0 if self.is_cait else 1), dim))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, dim, patch, patch)})
        shares = [1.0 if self.is_cait else index / max(1, depth - 1) for index in range(depth)]
        self.blocks = nn.ModuleList(
            Block(dim, Attention(dim, heads, self.is_cait), hidden, layer_scale, share) for share in shares)
        if self.is_cait:
            # Four times the width whatever the ratio of the other blocks: the original's constant.
            self.blocks_token_only = nn.ModuleList(
                ClassBlock(dim, ClassAttention(dim, heads), 4 * dim, layer_scale) for _ in range(depth_cls))
        self.norm, self.head = nn.LayerNorm(dim, 1e-6), nn.Linear(dim, classes)
        start(self, fan_out=False, linear=0.02)
        # The authors cut these normal numbers off at a hundred stds.
        self.starts = {"cls_token": ("normal", 0.02 if self.is_cait else 1e-6), "pos_embed": ("normal", 0.02)}

    def classify_map(self, map):
        raise ValueError("a transformer's classifier reads its class token, which is in no map")

    def as_map(self, tokens):
        return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, self.side, self.side)

    def forward(self, images):
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
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
