"""What can go wrong between a fleet file and a running fleet."""

from __future__ import annotations

from collections.abc import Sequence

from amalthea.fleet.problem import Problem
from amalthea.model.errors import AmaltheaError, ExitCode, UsageError


class FleetFileError(UsageError):
    """The fleet file cannot be used; `problems` holds every mistake in it, in the order of the file."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        places = (f"{name}:{problem.line}" if problem.line else name for problem in problems)
        lines = (f"  {place}: {problem}" for place, problem in zip(places, problems, strict=True))
        super().__init__("\n".join([count, *lines]), where=name)
        self.problems = tuple(problems)


class ApplyFailed(AmaltheaError):
    """A plan could not be carried out. What it had started was stopped again, unless the message says otherwise."""

    def __init__(self, message: str, *, where: str = "", hint: str = "", exit_code: ExitCode = ExitCode.FAULT) -> None:
        super().__init__(message, where=where, hint=hint)
        self.exit_code = exit_code
