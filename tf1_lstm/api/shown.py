"""How the API's objects show themselves: short in a session, with tables and pictures in a notebook."""

import base64
from html import escape
from pathlib import Path
from typing import Any, Dict, Generic, Iterator, Sequence, Tuple, TypeVar, Union, overload

from tf1_lstm.core.text_table import text_table
from tf1_lstm.report.html import table as html_table

Item = TypeVar("Item")


class Listed(Sequence[Item], Generic[Item]):
    """Things in order, also by name; printed as a table.

    Attributes:
      headers: the table's columns.
    """

    headers: Tuple[str, ...] = ()

    def __init__(self, items: Sequence[Item], names: Sequence[str]) -> None:
        self._items = list(items)
        self._by_name: Dict[str, Item] = dict(zip(names, items))

    def names(self) -> Tuple[str, ...]:
        """The names, in order."""
        return tuple(self._by_name)

    @overload
    def __getitem__(self, key: Union[int, str]) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> Sequence[Item]: ...

    def __getitem__(self, key: Any) -> Any:
        """An item by its place or its name."""
        return self._by_name[key] if isinstance(key, str) else self._items[key]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def rows(self) -> Sequence[Sequence[Any]]:
        """The table's cells."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)}>"

    def __str__(self) -> str:
        return text_table(self.headers, self.rows())

    def _repr_html_(self) -> str:
        return html_table(self.headers, self.rows())


def picture(path: Path, caption: str) -> str:
    """A PNG file inside HTML; empty where there is none."""
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(caption)}" style="max-width: 100%" src="data:image/png;base64,{data}">'
