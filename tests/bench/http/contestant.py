"""A contestant seen from the run: where it is asked, how, and with which token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.bench.http.dialects import Dialect
from tests.bench.http.servers import ServerProcess
from tests.bench.http.shape import Question


@dataclass
class Contestant:
    """A way to have the cases answered: a server, a dialect, and who asks."""

    title: str
    server: ServerProcess
    dialect: Dialect
    token: str
    others: Mapping[str, Dialect] = field(default_factory=dict)
    """Other dialects of the same server, by name: the run keeps the fastest for each case."""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What every request has."""
        return [("Authorization", f"Bearer {self.token}")]

    async def ask(
        self, client: httpx.AsyncClient, case: str, question: Question, dialect: Dialect | None = None
    ) -> tuple[int, Any]:
        """The status and the answer, in the form of `right_answer`; without one where it was refused."""
        how = dialect or self.dialect
        asked = how.asked(case, question)
        answer = await client.request(
            asked.method, self.server.base + asked.path, json=asked.body, headers=self.headers
        )
        if answer.status_code >= 400:
            return answer.status_code, answer.text
        return answer.status_code, how.understood(case, answer.json(), answer.headers)
