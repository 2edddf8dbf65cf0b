"""Data stores from outside: to see them, to fill them, to correct them."""

from __future__ import annotations

from typing import Any

from engine.clock import new_id
from engine.errors import NotFound
from engine.runtime.base import Base, admitted, plain_text, verb
from engine.store import data_stores, tokens
from engine.store.data_stores import DataStore


class DataStores(Base):
    """The verbs about values that outlive cases."""

    def data_stores(self) -> list[DataStore]:
        """Return every data store that has been named so far, by name."""
        with self.reading() as connection:
            return data_stores.every(connection)

    def data_store(self, name: str) -> DataStore:
        """Return one data store. Raises NotFound."""
        with self.reading() as connection:
            found = data_stores.get(connection, plain_text(name, "name"))
        if found is None:
            raise NotFound(f"there is no data store {name!r}; `stores` lists them")
        return found

    @verb
    def write_data_store(self, name: str, value: Any, *, by: str, why: str = "") -> DataStore:
        """Give a data store a value, whatever it had before; recorded with who and why.

        Raises BadInput for a value that no variable may hold.
        """
        plain_text(name, "name")
        plain_text(by, "by")
        plain_text(why, "why")
        values = admitted({name: value}, self.settings.input_limit)
        with self.transaction() as tx:
            data_stores.write(tx.connection, values, by, tx.now)
            tokens.record(
                tx.connection, id=new_id(), at=tx.now, by=by, verb="write data store",
                subject=name, why=why,
            )  # fmt: skip
            return DataStore(name, values[name], tx.now, by)
