"""Writes meta.mat, two classes in the form of the ImageNet devkit's file. Made with SciPy and NumPy:
python3 record_meta.py"""
import os

import numpy
import scipy.io

names = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
rows = [
    (1.0, "n00000001", "kit fox", "small grey fox", 0.0, numpy.zeros((1, 0)), 0.0, 1300.0),
    (2.0, "n00000000", "English setter", "n12345678 dog", 2.0, numpy.array([3.0, 4.0]), 1.0, 1300.0),
]
synsets = numpy.array(rows, dtype=[(name, object) for name in names]).reshape(-1, 1)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "meta.mat")
scipy.io.savemat(path, {"synsets": synsets}, do_compression=True)
