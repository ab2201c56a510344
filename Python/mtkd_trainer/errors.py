"""The errors of this package."""


class TrainerError(Exception):
    """Something that the caller can mend: the sentence says what, where and the next step."""


class DataError(TrainerError):
    """Photographs that are not what the sweep was planned with: a result of the run, since it would happen again."""
