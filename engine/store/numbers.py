"""Which running cases have a text in their number, found without reading the others.

The rows of `case_number` are written by triggers of the database (migration `0016_search`). Cases
that were there before the triggers are spelled out by `catch_up`, a thousand at a time.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import case_number, meta

#: row of `meta` that stands there until every case from before the triggers is spelled out
BEHIND = "numbers_behind"
#: longest number that is spelled out; a longer one is looked at whenever somebody searches
LONGEST = 64
#: cases that one transaction spells out
STEP = 1000
#: no text of at most LONGEST characters that begins with another sorts behind that one and this
_LAST = "\U0010ffff" * LONGEST

_n = case_number.c
_ours = _n.tenant == bindparam("tenant")
_text = sa.func.lower(bindparam("needle", type_=sa.Text()))
_limit: sa.BindParameter[int] = bindparam("limit", type_=sa.BigInteger())
_spelled = (
    sa.select(_n.root_id)
    .where(_ours, _n.part >= _text, _n.part <= _text.concat(bindparam("last", type_=sa.Text())))
    # in the order of the key, or PostgreSQL gathers all of the range before it counts
    .order_by(_n.part, _n.root_id)
    .limit(_limit)
    .subquery()
)
_long = sa.select(_n.root_id).where(_ours, _n.part == sa.literal_column("''")).limit(_limit)
_CONTAINING = Statement[Row](
    sa.union_all(sa.select(_spelled.c.root_id), sa.select(_long.subquery().c.root_id))
)

_HOW_FAR = sa.select(meta.c.value).where(meta.c.name == BEHIND)
_TENANT = "SELECT min(tenant) FROM instance WHERE tenant > :tenant"
_PLACES = ", ".join(f"({place})" for place in range(1, LONGEST + 1))
_NUMBERED = (
    "i.tenant = :tenant AND i.id > :last AND i.parent_id IS NULL AND i.state = 'running'"
    " AND i.business_key IS NOT NULL"
)
#: PostgreSQL: nobody ends one of them until its parts are there
_STEP = f"SELECT i.id FROM instance i WHERE {_NUMBERED} ORDER BY i.id LIMIT {STEP}"  # noqa: S608
_SPELL = f"""
INSERT INTO case_number (tenant, part, root_id)
SELECT i.tenant, substr(lower(i.business_key), place.column1), i.id
FROM instance i CROSS JOIN (VALUES {_PLACES}) AS place
WHERE {_NUMBERED} AND i.id <= :to
  AND place.column1 <= length(lower(i.business_key)) AND length(lower(i.business_key)) <= {LONGEST}
UNION ALL
SELECT i.tenant, '', i.id FROM instance i
WHERE {_NUMBERED} AND i.id <= :to AND length(lower(i.business_key)) > {LONGEST}
ON CONFLICT DO NOTHING
"""  # noqa: S608 (constants of this file)


def containing(connection: Connection, needle: str, most: int) -> list[str] | None:
    """Return ids of running cases that may have a text in their number, in any case of letters.

    Those with a number too long to be spelled out are always among them. None: there are more than
    `most` places where it stands.
    """
    rows = connection.all(_CONTAINING, needle=needle, last=_LAST, limit=most + 1)
    return None if len(rows) > most else list(dict.fromkeys(str(row[0]) for row in rows))


def are_behind(connection: sa.Connection) -> bool:
    """Tell whether cases from before the triggers are still to be spelled out."""
    return connection.scalar(_HOW_FAR) is not None


def catch_up(connection: sa.Connection) -> bool:
    """Spell out the numbers of the next cases; False if none is left.

    The caller commits each step; whoever comes back after an end in the middle goes on there.
    """
    told = connection.scalar(_HOW_FAR)
    if told is None:
        return False
    tenant, _, last = told.rpartition("/")
    lock = " FOR SHARE" if connection.dialect.name == "postgresql" else ""
    found = connection.scalars(sa.text(_STEP + lock), {"tenant": tenant, "last": last}).all()
    if found:
        given = {"tenant": tenant, "last": last, "to": found[-1]}
        connection.execute(sa.text(_SPELL), given)
        return _went(connection, f"{tenant}/{found[-1]}")
    following = connection.scalar(sa.text(_TENANT), {"tenant": tenant})
    return _went(connection, None if following is None else f"{following}/")


def _went(connection: sa.Connection, how_far: str | None) -> bool:
    """Write down how far it went, None for to the end; return whether there is more."""
    connection.execute(sa.delete(meta).where(meta.c.name == BEHIND))
    if how_far is not None:
        connection.execute(sa.insert(meta).values(name=BEHIND, value=how_far))
    return how_far is not None
