"""Lets a training loop of your own run under mtkd-sweep: planned, resumed to the bit, stored and reported.

    from mtkd_trainer import Run
    with Run() as run:
        state = run.resume(model=model, optimizer=optimizer, scheduler=scheduler, loader=loader)
        for epoch in run.epochs(state):
            ...
            run.report(epoch, {"test.acc1": accuracy}, state)

The standard library is enough. Where numpy and torch are loaded, their generators are saved and restored too.
"""
from .dataset import PackedDataset, Split, read_dataset
from .errors import DataError, TrainerError
from .outputs import OutputsAsked, TeacherOutputs, outputs_asked
from .photographs import PhotographDataset, PhotographSplit
from .protocol import alone, describe
from .run import Run, Stopped
from .weights import read_safetensors

__all__ = [
    "DataError", "OutputsAsked", "PackedDataset", "PhotographDataset", "PhotographSplit", "Run", "Split", "Stopped",
    "TeacherOutputs", "TrainerError", "alone", "describe", "outputs_asked", "read_dataset", "read_safetensors",
]
