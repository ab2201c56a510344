"""The error of this package."""


class TrainerError(Exception):
    """Something that the caller can mend: the sentence says what, where and the next step."""
