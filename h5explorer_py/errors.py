"""What can go wrong, as typed errors.

Every error has a ``code`` that programs (the page among them) act on, a sentence that says what is wrong,
and, where there is one, the thing to do about it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ExplorerError(Exception):
    """The base of all errors of this package.

    Parameters
    ----------
    message : str
        One sentence that says what is wrong, with the names a person needs.
    action : str
        What a person can do about it; empty where there is nothing to do.
    **details
        Facts for programs; they travel to the page as JSON.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, action: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.action = action
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.action}".rstrip()


class LookupNotFoundError(ExplorerError, FileNotFoundError):
    """The lookup is not there."""

    code = "lookup_not_found"


class LookupUnreadableError(ExplorerError, ValueError):
    """The lookup is there, but cannot be read as a table."""

    code = "lookup_unreadable"


class WrongColumnsError(ExplorerError, ValueError):
    """The lookup lacks a column that is needed, or holds the wrong kind of values in it."""

    code = "wrong_columns"


class LookupChangedError(ExplorerError):
    """The lookup's file is no longer the one that was opened."""

    code = "lookup_changed"


class NotReadyError(ExplorerError):
    """The rows can be had when the lookup has been packed so far."""

    code = "not_ready"


class RowOutOfRangeError(ExplorerError, IndexError):
    """There is no row of this number."""

    code = "row_out_of_range"


class KeyNotFoundError(ExplorerError, KeyError):
    """The lookup has no such uuid, or nothing matches what is searched for."""

    code = "key_not_found"
    __str__ = ExplorerError.__str__


class AmbiguousKeyError(ExplorerError, KeyError):
    """Several rows of different files have this uuid: a row number is needed."""

    code = "ambiguous_key"
    __str__ = ExplorerError.__str__


class NoFilepathError(ExplorerError):
    """The row names no file."""

    code = "no_filepath"


class ShardNotFoundError(ExplorerError, FileNotFoundError):
    """The HDF5 file that a row names is not there."""

    code = "shard_not_found"


class ShardUnreadableError(ExplorerError, OSError):
    """The HDF5 file is there, but cannot be read."""

    code = "shard_unreadable"


class NoImagesGroupError(ExplorerError):
    """The HDF5 file has no group ``images``."""

    code = "no_images_group"


class ImageNotFoundError(ExplorerError, KeyError):
    """The shard has no image of this uuid."""

    code = "image_not_found"
    __str__ = ExplorerError.__str__


class NotAnImageError(ExplorerError, ValueError):
    """What the shard holds under this uuid is not an encoded picture."""

    code = "not_an_image"


class ArrayNotShownError(NotAnImageError):
    """The data set is an array of numbers, which this version does not draw."""

    code = "array_not_shown"


class EmptyImageError(NotAnImageError):
    """The data set has no bytes."""

    code = "empty_image"


class TruncatedImageError(NotAnImageError):
    """The picture's bytes end too early."""

    code = "truncated_image"


class FormatNotShownError(NotAnImageError):
    """The picture is of a format that a page cannot show."""

    code = "format_not_shown"


class FormatNotReadError(NotAnImageError):
    """The file is of a format that is not decoded, or none that is known."""

    code = "format_not_read"


class TooLargeError(ExplorerError):
    """More bytes or pixels than can be sent to a page."""

    code = "too_large"


class MissingFilterError(ExplorerError):
    """The data set is compressed by an HDF5 filter that is not installed."""

    code = "missing_filter"


class OutsideDataError(ExplorerError, PermissionError):
    """A link or external storage leads out of the data set's folders, and is not followed."""

    code = "outside_data"


class ReaderFailedError(ExplorerError):
    """The process that reads HDF5 files ended while it read this one."""

    code = "reader_failed"


class ReaderStalledError(ExplorerError, TimeoutError):
    """The process that reads HDF5 files did not answer in time."""

    code = "reader_stalled"


class WorkerFailedError(ExplorerError):
    """The processes that do a job could not be started, or kept ending."""

    code = "worker_failed"


class ClusterFailedError(ExplorerError):
    """The cluster that is to do a job cannot be used."""

    code = "cluster_failed"


class MetadataNotFoundError(ExplorerError, FileNotFoundError):
    """The metadata file that belongs to a shard is not there."""

    code = "metadata_not_found"


class MetadataUnreadableError(ExplorerError, ValueError):
    """The metadata file is there, but cannot be read."""

    code = "metadata_unreadable"


class RecordNotFoundError(ExplorerError, KeyError):
    """The metadata file has no record of this uuid."""

    code = "record_not_found"
    __str__ = ExplorerError.__str__


class ConditionError(ExplorerError, ValueError):
    """A condition on rows that a person typed is not understood, or not allowed.

    ``details`` has the ``position`` of the fault where it is known: the number of characters before it.
    """

    code = "bad_condition"


class BadKeyError(ExplorerError, ValueError):
    """A text that cannot be the name of an image in an HDF5 file."""

    code = "bad_key"


class TargetExistsError(ExplorerError, FileExistsError):
    """There is something where files are to be written, and it is not to be replaced."""

    code = "target_exists"


class WriteFailedError(ExplorerError, OSError):
    """Files could not be written; nothing is left of them."""

    code = "write_failed"


class SourceNotFoundError(ExplorerError, FileNotFoundError):
    """What is to be converted is not there, or cannot be read."""

    code = "source_not_found"


class LabelsError(ExplorerError, ValueError):
    """A table of metadata cannot be joined to the pictures' names."""

    code = "bad_labels"


class ConvertFailedError(ExplorerError):
    """A conversion was ended by a picture that could not be read."""

    code = "convert_failed"


class MixedPicturesError(ExplorerError, ValueError):
    """Pictures that are to become one array differ in size or kind, and it was not said how to make them alike."""

    code = "mixed_pictures"


class LossyError(ExplorerError, ValueError):
    """Values would lose something on their way into an array, and that was not asked for."""

    code = "lossy"


class StackNotFoundError(ExplorerError, FileNotFoundError):
    """The array's file or folder is not there."""

    code = "stack_not_found"


class StackUnreadableError(ExplorerError, ValueError):
    """The array's files are there, but damaged, or they contradict each other or their description."""

    code = "stack_unreadable"


class BlockMissingError(ExplorerError, FileNotFoundError):
    """A file that holds a part of the array is not there."""

    code = "block_missing"


class BadIndexError(ExplorerError, IndexError, ValueError):
    """An index that the array does not have, or that is none."""

    code = "bad_index"


class BadArrayError(ExplorerError, ValueError):
    """Values, or a way to divide them, that cannot be saved."""

    code = "bad_array"


class BadRequestError(ExplorerError, ValueError):
    """A message from the page cannot be understood."""

    code = "bad_request"


class StaleDatasetError(ExplorerError):
    """The request is about a lookup that has been replaced since."""

    code = "stale_dataset"


class CancelledError(ExplorerError):
    """The request was withdrawn."""

    code = "cancelled"


class RequestTimeoutError(ExplorerError, TimeoutError):
    """The work took longer than a request may take."""

    code = "timeout"


class ClosedError(ExplorerError):
    """The explorer has been closed."""

    code = "closed"


class UnsupportedError(ExplorerError):
    """A thing that this version does not do."""

    code = "unsupported"


class PortTakenError(ExplorerError, OSError):
    """The port cannot be listened on."""

    code = "port_taken"


class MissingPackageError(ExplorerError, ImportError):
    """An optional Python package is needed."""

    code = "missing_package"


class InternalError(ExplorerError):
    """A fault of this package."""

    code = "internal"


def _below(kind: type[ExplorerError]) -> list[type[ExplorerError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child))]


def error_kinds() -> dict[str, type[ExplorerError]]:
    """Return every kind of error by its code."""
    return {kind.code: kind for kind in _below(ExplorerError)}
