"""`python3 -m mtkd_torch [--precision float32|tf32|amp]`: the trainer `torch` of mtkd-sweep."""
import sys

from mtkd_trainer import describe


def main() -> None:
    words = sys.argv[1:]
    precision = "float32" if not words else words[1] if len(words) == 2 and words[0] == "--precision" else None
    try:
        import numpy  # noqa: F401
        import torch
    except ImportError as error:
        # On the standard output, whose last words mtkd-sweep repeats when a trainer ends without an answer.
        print(
            f"The trainer torch needs {error.name or 'PyTorch'}, and {sys.executable} has none. Type "
            "`python3 -m pip install torch numpy`, or put a Python that has them first on PATH", flush=True)
        raise SystemExit(1) from None
    from . import options, run
    if precision not in run.PRECISIONS:
        sys.exit(f"{__doc__} Not: {' '.join(words)}")
    describe(
        methods=list(options.METHODS), tasks=["classification"],
        devices=[f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
        or ["cpu"])
    run.main(precision)


main()
