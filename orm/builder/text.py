"""The words that statements are put together from: quoted identifiers and numbered placeholders."""


def quote(identifier: str) -> str:
    """An identifier as SQL. It comes from metadata, which admits letters, digits and underscores only."""
    return f'"{identifier}"'


def column(alias: str, name: str) -> str:
    """A column of the row under `alias`."""
    return f'{alias}."{name}"'


class Parameters:
    """Numbers placeholders in the order in which a statement uses its values."""

    def __init__(self) -> None:
        self.count = 0

    def next(self, type_: str) -> str:
        """The next placeholder, cast to `type_`: nothing is left for the server to guess."""
        self.count += 1
        return f"${self.count}::{type_}"
