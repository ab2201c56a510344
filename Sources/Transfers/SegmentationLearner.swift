internal import Networks
internal import Specs

/// A segmentor's training.
enum SegmentationLearner {}
