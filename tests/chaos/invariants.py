"""What must hold after any faults, each as SQL that returns the rows that break it.

The tables are those of tests/chaos/evidence.py.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

#: rows of a broken invariant that are shown
_SHOWN = 3


@dataclass(frozen=True)
class Invariant:
    """One sentence, and the query that must find nothing."""

    sentence: str
    sql: str
    #: may be asked only when every case is to have ended
    at_end: bool = False


INVARIANTS = (
    # ---------------------------------------------------------- starts and ends
    Invariant(
        "an acknowledged start is there, under its key",
        "SELECT a.* FROM start_ack a LEFT JOIN instance i"
        " ON i.id = a.instance_id AND i.start_key = a.start_key WHERE i.id IS NULL",
    ),
    Invariant(
        "a start key begins one case, whoever repeats it",
        "SELECT start_key, count(*) FROM instance WHERE start_key IS NOT NULL"
        " GROUP BY start_key HAVING count(*) > 1"
        " UNION ALL SELECT start_key, sum(created) FROM start_ack"
        " GROUP BY start_key HAVING sum(created) > 1 OR count(DISTINCT instance_id) > 1",
    ),
    Invariant(
        "nothing runs that nobody has started",
        "SELECT id, start_key FROM instance WHERE parent_id IS NULL AND start_key IS NULL",
    ),
    Invariant(
        "each instance has started once and ended at most once, as its row says",
        "SELECT i.id, i.state, count(h.seq) FILTER (WHERE h.kind = 'instance.started') AS starts,"
        " count(h.seq) FILTER (WHERE h.kind = 'instance.' || i.state) AS same,"
        " count(h.seq) FILTER (WHERE h.kind IN ('instance.completed', 'instance.terminated',"
        "   'instance.failed', 'instance.cancelled')) AS ends"
        " FROM instance i LEFT JOIN history h ON h.instance_id = i.id GROUP BY i.id, i.state"
        " HAVING starts <> 1 OR ends <> (i.state <> 'running') OR same <> ends",
    ),
    Invariant(
        "every case has ended as completed",
        "SELECT id, state FROM instance WHERE state <> 'completed' OR ended_at IS NULL",
        at_end=True,
    ),
    # ---------------------------------------------------------- the history
    Invariant(
        "the history is numbered 1, 2, 3 ... and its last number stands in the case",
        "SELECT i.id, i.history_seq, count(h.seq), min(h.seq), max(h.seq)"
        " FROM instance i LEFT JOIN history h ON h.root_id = i.id WHERE i.parent_id IS NULL"
        " GROUP BY i.id, i.history_seq HAVING count(h.seq) <> i.history_seq OR min(h.seq) <> 1"
        " OR max(h.seq) <> i.history_seq OR count(DISTINCT h.seq) <> count(h.seq)",
    ),
    Invariant(
        "an element is activated once by a token, and left at most once",
        "SELECT root_id, token, kind, count(*) FROM history WHERE kind IN ('element.activated',"
        " 'element.completed', 'element.cancelled') GROUP BY root_id, token,"
        " kind = 'element.activated' HAVING count(*) > 1",
    ),
    Invariant(
        "an activated element is left in the end",
        "SELECT root_id, element_id, token FROM history WHERE kind = 'element.activated'"
        " EXCEPT SELECT root_id, element_id, token FROM history"
        " WHERE kind IN ('element.completed', 'element.cancelled')",
        at_end=True,
    ),
    # ---------------------------------------------------------- service tasks
    Invariant(
        "at most one result of a service task is taken",
        "SELECT key, count(*) FROM settled GROUP BY key HAVING count(*) > 1"
        " UNION ALL SELECT root_id || '/' || element_id, count(*) FROM taken"
        " GROUP BY root_id, element_id HAVING count(*) > 1",
    ),
    Invariant(
        "each activated service task was tried, and one result of it was taken",
        "SELECT a.key, (SELECT count(*) FROM attempt t WHERE t.key = a.key) AS attempts,"
        " (SELECT count(*) FROM settled s WHERE s.key = a.key) AS results,"
        " (SELECT count(*) FROM taken t WHERE t.root_id = a.root_id"
        "  AND t.element_id = a.element_id) AS variables FROM activation a"
        " WHERE attempts < 1 OR results <> 1 OR variables <> 1",
        at_end=True,
    ),
    Invariant(
        "the result that counts is that of the last attempt begun, not a stale one",
        "SELECT s.key, s.attempt, s.attempts, t.ticket, t.attempt, t.round FROM settled s"
        " LEFT JOIN taken USING (root_id, element_id) LEFT JOIN attempt t USING (ticket)"
        " WHERE s.attempt <> s.attempts OR t.key IS NOT s.key OR t.attempt <> s.attempt"
        " OR t.returned IS NULL OR EXISTS (SELECT 1 FROM attempt later WHERE later.key = s.key"
        " AND (later.round, later.attempt) > (t.round, t.attempt))",
    ),
    Invariant(
        "the callee was called for activated tasks only",
        "SELECT key FROM attempt EXCEPT SELECT key FROM activation",
    ),
    Invariant(
        "a result that was taken had its effect, for the case it was meant for",
        "SELECT s.key, e.number, a.number FROM settled s LEFT JOIN effect e USING (key)"
        " LEFT JOIN (SELECT DISTINCT instance_id, number FROM start_ack) a"
        " ON a.instance_id = s.root_id WHERE e.key IS NULL OR e.number <> a.number",
    ),
    Invariant(
        "the effects at the callee are the activations, no more and no less",
        "SELECT * FROM (SELECT key, 'no effect' FROM activation WHERE key NOT IN"
        " (SELECT key FROM effect) UNION ALL SELECT key, 'not activated' FROM effect"
        " WHERE key NOT IN (SELECT key FROM activation))",
        at_end=True,
    ),
    # ---------------------------------------------------------- incidents
    Invariant(
        "exhausted work has exactly one incident, and nothing else has one",
        "SELECT root_id, element_id, token, sum(failed), sum(raised) FROM ("
        " SELECT root_id, element_id, token, 1 AS failed, 0 AS raised FROM exhausted UNION ALL"
        " SELECT root_id, element_id, token, 0, 1 FROM incident WHERE kind = 'work')"
        " GROUP BY root_id, element_id, token HAVING sum(failed) <> sum(raised)"
        " UNION ALL SELECT root_id, element_id, token, kind, message FROM incident"
        " WHERE kind <> 'work'",
    ),
    Invariant(
        "dead work and open incidents belong to each other, one to one",
        "SELECT w.id, w.state, i.id FROM work w LEFT JOIN incident i"
        " ON i.work_id = w.id AND i.resolved_at IS NULL"
        " GROUP BY w.id HAVING count(i.id) <> (w.state = 'dead')"
        " UNION ALL SELECT i.work_id, 'no work', i.id FROM incident i"
        " WHERE i.resolved_at IS NULL AND i.work_id NOT IN (SELECT id FROM work)",
    ),
    Invariant(
        "an attempt is not made more often than allowed",
        # by their numbers, and by how many there were before an administrator has mended anything
        "SELECT key, round, max(attempt), count(*) FROM attempt GROUP BY key, element_id, round"
        " HAVING max(max(attempt), count(*)) >"
        " 1 + CASE element_id WHEN 'fragile' THEN 1 WHEN 'hold' THEN 9 ELSE 5 END",
    ),
    # ---------------------------------------------------------- people, timers, messages
    Invariant(
        "a user task is completed once, by the one who was told so",
        "SELECT u.id, u.state, u.ended_by, (SELECT count(*) FROM history h WHERE"
        " (h.root_id, h.token, h.kind) = (u.root_id, u.token, 'task.completed')) AS noted,"
        " (SELECT group_concat(name) FROM complete_ack c WHERE c.task_id = u.id AND status = 200)"
        " AS told FROM user_task u WHERE noted <> (u.state = 'completed')"
        " OR (told IS NOT NULL AND told IS NOT u.ended_by)",
    ),
    Invariant(
        "a timer fires once, and not before it is due",
        "SELECT root_id, token, count(*) FROM history WHERE kind = 'timer.fired'"
        " GROUP BY root_id, token HAVING count(*) > 1 UNION ALL"
        " SELECT root_id, token, at FROM history WHERE kind = 'timer.fired'"
        " AND julianday(at) < julianday(rtrim(substr(value, instr(value, ':\"') + 2), '\"}'))"
        " - 1e-8",
    ),
    Invariant(
        "a message with an id is delivered once, to the case it was meant for",
        "SELECT m.id, m.state, m.instance_id, i.start_key, count(h.seq) FROM message m"
        " LEFT JOIN instance i ON i.id = m.instance_id"
        " LEFT JOIN history h ON h.root_id = m.instance_id AND h.kind = 'variable.set'"
        "  AND h.name = 'letter' AND h.value = '\"' || m.id || '\"'"
        " WHERE m.state = 'delivered' GROUP BY m.id, m.state, m.instance_id, i.start_key"
        " HAVING count(h.seq) <> 1 OR i.start_key IS NOT 'case-' || m.key"
        " UNION ALL SELECT value, 'received', min(root_id), max(root_id), count(*) FROM history"
        " WHERE kind = 'variable.set' AND name = 'letter' GROUP BY value HAVING count(*) > 1",
    ),
    Invariant(
        "a message that was accepted is known",
        "SELECT * FROM message_ack WHERE message_id NOT IN (SELECT id FROM message)",
    ),
    Invariant(
        "every message has arrived",
        "SELECT id, state FROM message WHERE state <> 'delivered'",
        at_end=True,
    ),
    # ---------------------------------------------------------- nothing stuck, nothing left
    Invariant(
        "a running case has live work, an open task, a subscription or an incident",
        "SELECT id, start_key FROM instance WHERE state = 'running' AND parent_id IS NULL AND id"
        " NOT IN (SELECT root_id FROM work WHERE state = 'ready'"
        " UNION SELECT root_id FROM user_task WHERE state = 'open'"
        " UNION SELECT root_id FROM subscription"
        " UNION SELECT root_id FROM incident WHERE resolved_at IS NULL)",
    ),
    Invariant(
        "an ended case has no work, no subscription, no open task and no open incident",
        "SELECT 'work', id, root_id FROM work WHERE root_id IN (SELECT id FROM ended)"
        " UNION ALL SELECT 'subscription', id, root_id FROM subscription"
        " WHERE root_id IN (SELECT id FROM ended)"
        " UNION ALL SELECT 'task', id, root_id FROM user_task"
        " WHERE state = 'open' AND root_id IN (SELECT id FROM ended)"
        " UNION ALL SELECT 'incident', id, root_id FROM incident"
        " WHERE resolved_at IS NULL AND root_id IN (SELECT id FROM ended)"
        " UNION ALL SELECT 'candidate', name, task_id FROM candidate"
        " WHERE task_id NOT IN (SELECT id FROM user_task WHERE state = 'open')",
    ),
    Invariant(
        "no row of work belongs to a case that is not there",
        "SELECT id, kind, root_id FROM work WHERE kind <> 'start'"
        " AND root_id NOT IN (SELECT id FROM instance)",
    ),
    Invariant("no call was refused that should be taken", "SELECT * FROM refusal"),
)


def broken(
    evidence: sqlite3.Connection, *, at_end: bool, without: tuple[str, ...] = ()
) -> list[str]:
    """Return a sentence for each invariant that does not hold, with the first rows against it.

    Left out are those that begin with one of `without`.
    """
    told = []
    for invariant in INVARIANTS:
        if (invariant.at_end and not at_end) or invariant.sentence.startswith(without):
            continue
        rows = evidence.execute(invariant.sql).fetchall()
        if rows:
            shown = "; ".join(str(tuple(row)) for row in rows[:_SHOWN])
            told.append(f"not so: {invariant.sentence} ({len(rows)} rows: {shown})")
    return told
