"""What came of a conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from h5explorer_py.making.job import Failure, JobOptions, Plan
    from h5explorer_py.making.rule import Rule

FAILURES_KEPT = 1_000
_SHOWN = 5


@dataclass(frozen=True)
class ConvertReport:
    """What came of a conversion.

    Attributes
    ----------
    output : str
        The path or URL of what was written.
    metadata : str or None
        The path or URL of the table beside it.
    images : int
        How many pictures it has now that were converted, those of zeros included.
    rule : Rule or None
        What each became; ``None`` where each was kept as it was.
    failed : int
        How many could not be read.
    failures : tuple of Failure
        The first 1,000 of them.
    left_out : tuple of str
        Files of the folders that are no pictures: the first 1,000.
    without_picture, without_labels : tuple of str
        Names in the metadata of which there is no picture, and pictures that it does not name.
    bytes_read, bytes_written : int
    seconds : float
    notices : tuple of str
        What else is to be said.
    """

    output: str
    metadata: str | None
    images: int
    rule: Rule | None
    failed: int
    failures: tuple[Failure, ...]
    left_out: tuple[str, ...]
    without_picture: tuple[str, ...]
    without_labels: tuple[str, ...]
    bytes_read: int
    bytes_written: int
    seconds: float
    notices: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 where all is well, 3 where pictures could not be read."""
        return 3 if self.failed else 0

    def sentences(self, *, named: bool = True) -> list[str]:
        """Say it in words.

        Parameters
        ----------
        named : bool
            Whether to name the first pictures that could not be read.
        """
        rate = f", {self.images / self.seconds:,.0f} a second" if self.seconds > 0 else ""
        said = [f"{self.images:,} pictures in {self.output} ({self.bytes_written:,} bytes{rate})."]
        if self.rule is not None:
            rule = self.rule
            said.append(
                f"Each has {rule.channels} × {rule.height} × {rule.width} values of type {rule.dtype} ({rule.kind})."
            )
        if self.metadata is not None:
            said.append(f"What is known of each is in {self.metadata}.")
        if self.failed:
            said.append(f"Pictures that could not be read: {self.failed:,}.")
            said += [f"  {each.path}: {each.reason}" for each in self.failures[:_SHOWN] if named]
            if named and self.failed > _SHOWN:
                said.append(f"  and {self.failed - _SHOWN:,} more")
        for names, what in (
            (self.left_out, "Files left out, as they are no pictures"),
            (self.without_picture, "Names in the metadata without a picture"),
            (self.without_labels, "Pictures that the metadata does not name"),
        ):
            if names:
                more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
                said.append(f"{what}: {', '.join(names[:_SHOWN])}{more}.")
        return [*said, *self.notices]


def notices_of(plan: Plan, options: JobOptions, rule: Rule | None) -> list[str]:
    """Say what a person may not expect: which types and kinds were joined, and what was left out of files."""
    said = list(plan.found.notices)
    survey = plan.survey
    if rule is not None and len(survey.dtypes) > 1:
        types = ", ".join(f"{dtype} ({count:,})" for dtype, count in survey.dtypes.most_common())
        said.append(
            f"The pictures have values of several types: {types}. All are {rule.dtype} now, the numbers unchanged."
        )
    if rule is not None and len(survey.kinds) > 1:
        kinds = ", ".join(f"{kind} ({count:,})" for (kind, _), count in survey.kinds.most_common())
        said.append(f"The pictures are of several kinds: {kinds}. All are {rule.kind} now.")
    if survey.several_pages and options.pages == "first":
        said.append(
            f"Files of several pictures: {survey.several_pages:,}, of which the first was taken (pages each takes all)."
        )
    return said
