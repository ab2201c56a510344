"""What decides the bits of a run besides its code and its seed, for the record that mtkd-sweep keeps."""
from __future__ import annotations

import sys


def profile() -> str | None:
    """Such as `torch 2.9.1, cpu AVX2, 1 thread`; None for a loop without torch, of which mtkd-sweep has its own."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if torch.cuda.is_initialized():
        return (f"torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
                f"{torch.cuda.get_device_name(torch.cuda.current_device())}")
    threads = torch.get_num_threads()
    return (f"torch {torch.__version__}, cpu {torch.backends.cpu.get_cpu_capability()}, "
            f"{threads} {'thread' if threads == 1 else 'threads'}")
