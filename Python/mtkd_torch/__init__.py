"""The methods and networks of mtkd-sweep on PyTorch, decided by the same fixtures as its own engine.

`python3 -m mtkd_torch` is a trainer of version 2 (docs/trainers.md): a grid names it, mtkd-sweep starts it.
"""
