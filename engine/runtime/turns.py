"""Whose turn it is: a claim is shared among topics and priorities, whatever their backlogs.

Pure. Each process remembers its own turns: fair in each is fair in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.store.work import Cell

_Key = tuple[str, str, int]

#: of so many rows one goes to the cell that has waited for its turn the longest, of any priority
SHARE = 4


class Turns:
    """Remembers when each cell had its last turn."""

    def __init__(self) -> None:
        self._turn = 0
        self._served: dict[_Key, int] = {}
        #: a cell whose row had to be left out, since it must be claimed alone
        self._next: _Key | None = None

    def deal(
        self, cells: Sequence[Cell], limit: int, room: Mapping[str, int]
    ) -> list[tuple[Cell, int]]:
        """Share `limit` rows among cells with due rows, in the order of their turns.

        Larger priority first, among equals who has waited longest for a turn; each fourth turn is
        that of who has waited longest of all, so that no priority starves. `room` limits topics.
        """
        if len(cells) == 1:
            return self._all_to(cells[0], min(limit, room.get(cells[0].topic, limit)))
        self._forget(cells)
        left = {cell.key: cell.due for cell in cells}
        free = dict(room)
        shares: dict[_Key, int] = {}
        for _ in range(limit):
            open_ones = [
                cell for cell in cells if left[cell.key] > 0 and free.get(cell.topic, 1) > 0
            ]
            if not open_ones:
                break
            key = self._choose(open_ones).key
            shares[key] = shares.get(key, 0) + 1
            left[key] -= 1
            if key[1] in free:
                free[key[1]] -= 1
        by_key = {cell.key: cell for cell in cells}
        return [(by_key[key], share) for key, share in shares.items()]

    def _all_to(self, cell: Cell, limit: int) -> list[tuple[Cell, int]]:
        """Give every turn to the only one there is: the usual case costs nothing."""
        share = min(limit, cell.due)
        if share <= 0:
            return []
        self._turn += share
        self._served[cell.key] = self._turn
        if self._next == cell.key:
            self._next = None
        return [(cell, share)]

    def left_out(self, kind: str, topic: str, priority: int) -> None:
        """Note that a row could not come, since it comes alone: its cell has the next turn."""
        self._next = (kind, topic, priority)

    def _choose(self, open_ones: Sequence[Cell]) -> Cell:
        self._turn += 1
        served = self._served
        chosen = next((cell for cell in open_ones if cell.key == self._next), None)
        if chosen is not None:
            self._next = None
        elif self._turn % SHARE == 0:
            chosen = min(open_ones, key=lambda cell: (served.get(cell.key, 0), cell.head))
        else:
            chosen = min(
                open_ones,
                key=lambda cell: (-cell.priority, served.get(cell.key, 0), cell.head),
            )
        served[chosen.key] = self._turn
        return chosen

    def _forget(self, cells: Sequence[Cell]) -> None:
        """Keep no memory of cells that are long empty; one that comes back goes first."""
        if len(self._served) > 4 * len(cells) + 64:
            known = {cell.key for cell in cells}
            self._served = {key: turn for key, turn in self._served.items() if key in known}
