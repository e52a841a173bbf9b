"""How a contestant is asked, and how its answers read."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from tests.bench.http.questions import plain_row
from tests.bench.http.shape import CASES, LIMITS, READ, Question


class Asked(NamedTuple):
    """A request, before it has a token."""

    method: str
    path: str
    body: Any = None


class Dialect(ABC):
    """One way to put the questions into requests, and to read answers. `cases` are those that it can ask."""

    cases: Sequence[str] = tuple(CASES)

    @abstractmethod
    def asked(self, case: str, question: Question) -> Asked:
        """The request."""

    @abstractmethod
    def rows(self, answer: Any, headers: Mapping[str, str]) -> tuple[Sequence[Any], int | None]:
        """The rows of a list, and its total where there is one."""

    @abstractmethod
    def category(self, row: Any) -> Any:
        """The category of a row: id and name, or the id alone where a writing case answers no more."""

    def understood(self, case: str, answer: Any, headers: Mapping[str, str]) -> Any:
        """An answer in the form of `right_answer`."""
        if case in LIMITS:
            rows, total = self.rows(answer, headers)
            return {"rows": [self._row(row) for row in rows], "total": total}
        return self._row(answer)

    def _row(self, row: Any) -> dict[str, Any]:
        return {**plain_row(row), "category": self.category(row)}


class PlainDialect(Dialect):
    """Of every service that is written by hand, on whatever framework."""

    def __init__(self, prefix: str = "") -> None:
        self._path = f"{prefix}/products"

    def asked(self, case: str, question: Question) -> Asked:
        if case == "R":
            return Asked("GET", f"{self._path}/{question['id']}")
        if case == "U":
            return Asked("PATCH", f"{self._path}/{question['id']}", {"stock": question["stock"]})
        if case == "C":
            return Asked("POST", self._path, question)
        what = f"category_id={question['category']}" if case == "S40" else f"min_price={question['price']}"
        total = "&total=true" if case == "S40" else ""
        return Asked("GET", f"{self._path}?{what}&limit={LIMITS[case]}{total}")

    def rows(self, answer: Any, headers: Mapping[str, str]) -> tuple[Sequence[Any], int | None]:
        return answer["data"], answer.get("total")

    def category(self, row: Any) -> Any:
        return row["category"] if "category" in row else row["category_id"]


class StarlingDialect(Dialect):
    """Of the API that is made from the models."""

    _fields: Final = quote(",".join((*READ, "category_id.name")), safe=",")

    def asked(self, case: str, question: Question) -> Asked:
        if case == "R":
            return Asked("GET", f"/api/products/{question['id']}?fields={self._fields}")
        if case == "U":
            return Asked("PATCH", f"/api/products/{question['id']}", {"stock": question["stock"]})
        if case == "C":
            return Asked("POST", "/api/products", question)
        if case == "S40":
            wanted: list[Any] = [["category_id", "=", question["category"]], ["active", "=", True]]
        else:
            wanted = [["price", ">=", f"{question['price']}"]]
        found = quote(json.dumps(wanted, separators=(",", ":")), safe=",:")
        count = "&count=exact" if case == "S40" else ""
        rest = f"fields={self._fields}&order=-id&limit={LIMITS[case]}{count}"
        return Asked("GET", f"/api/products?filter={found}&{rest}")

    def rows(self, answer: Any, headers: Mapping[str, str]) -> tuple[Sequence[Any], int | None]:
        return answer["data"], answer.get("total")

    def category(self, row: Any) -> Any:
        return row["category_id"]


class PiccoloDialect(Dialect):
    """Of PiccoloCRUD. The total that it gives is that of all rows, whatever the filter: no S40."""

    cases = ("R", "S100", "U", "C")

    _visible: Final = ",".join((*READ, "category_id.id", "category_id.name"))

    def asked(self, case: str, question: Question) -> Asked:
        if case == "R":
            return Asked("GET", f"/products/{question['id']}/?__visible_fields={self._visible}")
        if case == "U":
            return Asked("PATCH", f"/products/{question['id']}/", {"stock": question["stock"]})
        if case == "C":
            return Asked("POST", "/products/", question)
        what = f"price={question['price']}&price__operator=gte"
        rest = f"__order=-id&__page_size={LIMITS[case]}&__visible_fields={self._visible}"
        return Asked("GET", f"/products/?{what}&{rest}")

    def understood(self, case: str, answer: Any, headers: Mapping[str, str]) -> Any:
        if case == "C":  # it tells the id, and no more
            return {"id": answer[0]["id"]}
        if case == "U":
            return {}
        return super().understood(case, answer, headers)

    def rows(self, answer: Any, headers: Mapping[str, str]) -> tuple[Sequence[Any], int | None]:
        return answer["rows"], None

    def category(self, row: Any) -> Any:
        return row["category_id"]
