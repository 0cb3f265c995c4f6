"""What a validation has found so far, in a file: a run that was interrupted is taken up again."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meanfield.checks import shown
from meanfield.studies.validation.cases import Case
from meanfield.studies.validation.report import Check


class Kept:
    """A file of JSON lines: what was asked for, then each finished case with its checks.

    A line that was not finished, as a kill leaves it, counts as not written.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path | str, asked: dict[str, Any]):
        """Reads what is there, or begins.

        Args:
            path: Of the file.
            asked: What the checks depend on beside the case, in JSON's types.
        """
        self._path, self._found = Path(path), {}
        first = json.dumps(asked).encode()
        content = self._path.read_bytes() if self._path.exists() else b""
        if first.startswith(content):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(first + b"\n")
            return
        head, *lines = content.split(b"\n")
        try:
            if head != first:
                raise ValueError
            for line in lines[:-1]:  # the last is empty, or not finished
                entry = json.loads(line)
                checks = [Check(**{**c, "case": Case(**c["case"])}) for c in entry["checks"]]
                self._found[Case(**entry["case"])] = checks, float(entry["seconds"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"store must hold a validation of {shown(asked)}, got {shown(str(path))}, which "
                f"holds something else; accepted is a new file, or the same seed, size and version"
            ) from error
        with self._path.open("rb+") as file:
            file.truncate(len(head) + 1 + sum(len(line) + 1 for line in lines[:-1]))

    def __contains__(self, case: Case) -> bool:
        """Whether the case is finished."""
        return case in self._found

    def __getitem__(self, case: Case) -> tuple[list[Check], float]:
        """The checks of a finished case, and how many seconds they took."""
        return self._found[case]

    def add(self, case: Case, checks: Iterable[Check], seconds: float) -> None:
        """Writes a finished case."""
        entry = {
            "case": asdict(case),
            "checks": [asdict(check) for check in checks],
            "seconds": round(seconds, 1),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
