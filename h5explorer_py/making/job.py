"""A conversion up to the point where something is written: what there is, what its headers say, what it becomes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from h5explorer_py.bulk.running import run
from h5explorer_py.errors import ConvertFailedError, SourceNotFoundError
from h5explorer_py.making.columns import numbers
from h5explorer_py.making.headers import Headers, read_headers
from h5explorer_py.making.items import Found, Item, find_items
from h5explorer_py.making.labels import join, read_labels
from h5explorer_py.making.reading import ReadOptions
from h5explorer_py.making.rule import Rule, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from h5explorer_py.decode.facts import Kind
    from h5explorer_py.making.labels import Labels
    from h5explorer_py.making.outcome import Outcome

OnError = Literal["zero", "skip", "stop"]
Pages = Literal["first", "each"]

_SURVEYED = 256
"""Items whose headers are read as one task."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a conversion is done, whatever it is that is written.

    Attributes
    ----------
    recursive : bool
        Whether folders below folders count.
    metadata : path, table or None
        A table with a column ``filename``.
    size : (int, int) or None
        Height and width to which pictures are resized.
    dtype : str or None
        The type, where values may lose something by it.
    kind : str or None
        What the channels are to be, where something may be lost by it.
    pages : str
        Of a file of several pictures ``"first"`` alone, or ``"each"``.
    on_error : str
        What a picture that cannot be read becomes: ``"zero"``, a picture of zeros; ``"skip"``, nothing; ``"stop"`` ends
        the conversion, and nothing is written.
    reading : ReadOptions
    """

    recursive: bool = False
    metadata: str | os.PathLike[str] | Any = None
    size: tuple[int, int] | None = None
    dtype: str | None = None
    kind: Kind | None = None
    pages: Pages = "first"
    on_error: OnError = "zero"
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class State:
    """How far a conversion is.

    Attributes
    ----------
    doing : str
        What is being done, as the beginning of a line.
    done, total : int
        Pictures.
    errors : int
        How many of them could not be read so far.
    """

    doing: str
    done: int
    total: int
    errors: int = 0


@dataclass(slots=True)
class Context:
    """What a conversion runs on, and whom it tells.

    Attributes
    ----------
    executor : Executor
        What reads pictures.
    progress : callable
        Is told the state now and then.
    give_up : callable
        Called often; ends the conversion by raising.
    """

    executor: Executor
    progress: Callable[[State], None] = lambda _: None
    give_up: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Failure:
    """A picture that could not be read.

    Attributes
    ----------
    name, path : str
    code, reason : str
        Of the error.
    """

    name: str
    path: str
    code: str
    reason: str


@dataclass(slots=True)
class Plan:
    """What is to be written.

    Attributes
    ----------
    items : list of Item
        In the order in which they are written.
    outcomes : list of Outcome
        What is known of each so far.
    labels : Labels or None
        What people know of each.
    survey : Survey
        What their headers say.
    skipped : list of Failure
        Those that are left out, as they cannot be read.
    found : Found
    """

    items: list[Item]
    outcomes: list[Outcome]
    labels: Labels | None
    survey: Survey
    skipped: list[Failure]
    found: Found

    def rule(self, options: JobOptions) -> Rule:
        """Decide what every picture becomes (see `Survey.rule`)."""
        return self.survey.rule(size=options.size, dtype=options.dtype, kind=options.kind)

    def leave_out(self, places: Sequence[int]) -> None:
        """Take out items that cannot be read."""
        gone = set(places)
        for place in places:
            self.skipped.append(failure_of(self.items[place], self.outcomes[place]))
        kept = [place for place in range(len(self.items)) if place not in gone]
        self.items = [self.items[place] for place in kept]
        self.outcomes = [self.outcomes[place] for place in kept]
        if self.labels is not None:
            self.labels = replace(self.labels, table=self.labels.table.take(numbers(kept, "int64")))

    @property
    def failures(self) -> list[Failure]:
        """All that could not be read: missing sources, then those left out, then those that are there as zeros."""
        zeros = zip(self.items, self.outcomes, strict=True)
        missing = [Failure(os.path.basename(path), path, "source_not_found", said) for path, said in self.found.missing]
        return [*missing, *self.skipped, *(failure_of(item, outcome) for item, outcome in zeros if outcome.code)]


def failure_of(item: Item, outcome: Outcome) -> Failure:
    """Say why an item could not be read."""
    return Failure(item.name, item.path, outcome.code, outcome.error)


def look_for(sources: Iterable[str | os.PathLike[str]], options: JobOptions) -> tuple[Found, Labels | None]:
    """Look for pictures, and join their metadata.

    Raises
    ------
    SourceNotFoundError
        Where there is nothing to convert.
    LabelsError
        Where the metadata cannot be joined.
    """
    found = find_items(sources, recursive=options.recursive)
    if not found.items:
        more = f"; {found.left_out:,} other files are there" if found.left_out else ""
        below = "" if options.recursive else " Folders below are looked into only if asked (recursive)."
        raise SourceNotFoundError(f"No pictures were found{more}.", action=f"Name a folder of pictures.{below}")
    labels = _labels(found, options.metadata)
    return found, labels


def make_plan(sources: Iterable[str | os.PathLike[str]], options: JobOptions, context: Context) -> Plan:
    """Look for pictures, join their metadata and read all headers.

    Raises
    ------
    SourceNotFoundError
        Where there is nothing to convert.
    LabelsError
        Where the metadata cannot be joined.
    ConvertFailedError
        Where a header cannot be read, and that is to end the conversion.
    """
    found, labels = look_for(sources, options)
    outcomes = list(_surveyed(found.items, options.reading, context))
    items = list(found.items)
    if options.pages == "each":
        items, outcomes, labels = _each_page(items, outcomes, labels)
        later = [place for place, item in enumerate(items) if item.page]  # pages differ in size and type
        again = _surveyed([items[place] for place in later], options.reading, context) if later else ()
        for place, outcome in zip(later, again, strict=True):
            outcomes[place] = outcome
    gathered = Survey()
    for outcome in outcomes:
        if outcome.facts is not None:
            gathered.add(outcome.facts)
    plan = Plan(items, outcomes, labels, gathered, [], found)
    if found.missing and options.on_error == "stop":
        raise SourceNotFoundError(found.missing[0][1], path=found.missing[0][0])
    settle_failures(plan, [place for place, outcome in enumerate(outcomes) if outcome.code], options.on_error)
    return plan


def _labels(found: Found, metadata: Any) -> Labels | None:
    """Return what people know of the pictures: by the metadata that they name, and by the stores that these lie in."""
    if metadata is None and not found.known:
        return None
    from h5explorer_py.making.labels import Labels  # pyarrow, which workers do without
    from h5explorer_py.making.stores.known import known_table

    joined = None if metadata is None else join(found.items, read_labels(metadata))
    if not found.known:
        return joined
    known = known_table(found.known, len(found.items))
    if joined is None:
        return Labels(known)
    more = [name for name in known.column_names if name not in joined.table.column_names]
    for name in more:
        joined = replace(joined, table=joined.table.append_column(name, known[name]))
    return joined


def settle_failures(plan: Plan, places: Sequence[int], on_error: OnError) -> bool:
    """Do with pictures that cannot be read as it was asked for; tell whether items have been left out.

    Raises
    ------
    ConvertFailedError
    """
    if not places or on_error == "zero":
        return False
    if on_error == "stop":
        first = failure_of(plan.items[places[0]], plan.outcomes[places[0]])
        raise ConvertFailedError(
            f"{first.path} cannot be read: {first.reason} Nothing is written.",
            action="Leave out what cannot be read (skip), or take zeros for it (zero).",
            path=first.path,
            code=first.code,
        )
    plan.leave_out(places)
    return True


def _surveyed(items: Sequence[Item], options: ReadOptions, context: Context) -> Iterator[Outcome]:
    batches = (Headers(tuple(items[start : start + _SURVEYED]), options) for start in range(0, len(items), _SURVEYED))
    done = errors = 0
    context.progress(State("Looking at headers", 0, len(items)))
    for _, outcomes in run(read_headers, batches, context.executor, give_up=context.give_up, ordered=True):
        yield from outcomes
        done += len(outcomes)
        errors += sum(bool(each.code) for each in outcomes)
        context.progress(State("Looking at headers", done, len(items), errors))


def _each_page(
    items: list[Item], outcomes: list[Outcome], labels: Labels | None
) -> tuple[list[Item], list[Outcome], Labels | None]:
    """Make an item of each page; all pages of a file have its metadata."""
    pages = [1 if outcome.facts is None else outcome.facts.pages for outcome in outcomes]
    places = [place for place, count in enumerate(pages) for _ in range(count)]
    shown = [number for count in pages for number in range(count)]
    made = [
        items[place] if pages[place] == 1 else replace(items[place], name=f"{items[place].name}#{number}", page=number)
        for place, number in zip(places, shown, strict=True)
    ]
    copies = [replace(outcomes[place]) for place in places]
    joined = None if labels is None else replace(labels, table=labels.table.take(numbers(places, "int64")))
    return made, copies, joined
