"""The answer to a query: ids in order, kept until a case changes so that turning pages costs nothing."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ._cases import Cases
from ._query import Query

_CACHED_ANSWERS = 16  # answers kept
_MAX_UPDATES = 2000  # changed cases up to which an old answer is updated rather than made again


@dataclass
class _Answer:
    version: int
    ids: Sequence[int]


class Searcher:
    """Finds cases.

    Args:
        cases: where.
    """

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._answers: OrderedDict[Query, _Answer] = OrderedDict()

    def find(self, query: Query) -> Sequence[int]:
        """The ids of all cases that match, in the order asked for."""
        answer = self._answers.pop(query, None)
        version = len(self._cases.journal)
        if answer is None or (answer.version != version and not self._updated(query, answer)):
            answer = _Answer(version, self._search(query))
        answer.version = version
        self._answers[query] = answer
        if len(self._answers) > _CACHED_ANSWERS:
            self._answers.popitem(last=False)
        return answer.ids

    def _search(self, query: Query) -> Sequence[int]:
        found = self._cases.ids()
        for condition in query.conditions:
            value, test = self._cases.column(condition.column), condition.test()
            found = [case for case in found if test(value(case))]
        # Sorting is stable: by the least important column first.
        for name, descending in reversed(query.order):
            if name == "caseid":
                found = sorted(found, reverse=descending)
            else:
                value = self._cases.column(name)
                found = sorted(found, key=lambda case: -1 if (key := value(case)) is None else key, reverse=descending)
        return found

    def _updated(self, query: Query, answer: _Answer) -> bool:
        """Bring an old answer up to date by its changed cases alone; possible where their place depends on the id."""
        changed = {*self._cases.journal[answer.version :]}
        if query.order != (("caseid", False),) or len(changed) > _MAX_UPDATES:
            return False
        tests = [(self._cases.column(condition.column), condition.test()) for condition in query.conditions]
        ids = [*answer.ids]
        for case in changed:
            matches = case in self._cases and all(test(value(case)) for value, test in tests)
            index = bisect_left(ids, case)
            present = index < len(ids) and ids[index] == case
            if matches and not present:
                ids.insert(index, case)
            elif present and not matches:
                del ids[index]
        answer.ids = ids
        return True
