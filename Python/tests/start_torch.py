"""Starts the trainer `torch` as `python3 -m mtkd_torch` does, for tests that fork."""
import runpy
import sys

sys.argv[1:] = []
runpy.run_module("mtkd_torch", run_name="__main__")
