"""The two file formats of a Saver, read and written without TensorFlow."""


class MalformedError(ValueError):
    """Bytes that are not what their format says; the caller adds the file's name."""
