"""Every exception of the engine, one tree. The docstring of a class says what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model import Problem


class EngineError(Exception):
    """Base of all errors that Caseway raises on purpose; `code` names the kind for machines."""

    code = "engine_error"


class BadInput(EngineError):
    """The caller sent something of the wrong type, size or form. Correct it and call again."""

    code = "bad_input"


class OutputTooLarge(BadInput):
    """A handler returned more than `result_limit`. Return a reference, or raise the limit."""

    code = "output_too_large"


class NotFound(EngineError):
    """Nothing is stored under this id or name. Check the id; it may belong to another tenant."""

    code = "not_found"


class Conflict(EngineError):
    """The thing exists but its state forbids the act (completed, claimed by another, ended)."""

    code = "conflict"


class Forbidden(EngineError):
    """The caller's role does not allow this act. Ask an admin for the role the message names."""

    code = "forbidden"


class TooBusy(EngineError):
    """The oldest due work is older than the limit. Try again after `retry_after_s` seconds."""

    code = "too_busy"

    def __init__(self, message: str, retry_after_s: float = 5.0) -> None:
        super().__init__(message)
        #: seconds after which a new attempt makes sense
        self.retry_after_s = retry_after_s


class DeploymentRefused(EngineError):
    """The bundle has errors; nothing was stored. Mend all `problems` and deploy again.

    `summary` is the sentence about all of them in the `language` that the problems are told in.
    """

    code = "deployment_refused"

    def __init__(
        self, problems: Sequence[Problem], summary: str = "", language: str = "en"
    ) -> None:
        self.problems = tuple(problems)
        self.language = language
        number = sum(problem.stops for problem in self.problems)
        usual = "1 problem stops" if number == 1 else f"{number} problems stop"
        super().__init__(summary or f"{usual} the deployment")


class ChangeRefused(EngineError):
    """A running case cannot be changed so; nothing was stored. See to all `problems` and try again.

    Each problem names an element of the case, says what stands against it, and a way out;
    `summary` is the sentence about all of them in the `language` that they are told in.
    """

    code = "change_refused"

    def __init__(
        self, problems: Sequence[Problem], summary: str = "", language: str = "en"
    ) -> None:
        self.problems = tuple(problems)
        self.language = language
        number = len(self.problems)
        usual = "1 problem stops" if number == 1 else f"{number} problems stop"
        super().__init__(summary or f"{usual} the change of the case")


class SettingsError(EngineError):
    """A setting is unknown or has a wrong value. The message names it and where it was read."""

    code = "settings_error"


class HandlerSetupError(EngineError):
    """Handlers cannot be loaded: a duplicate name, a bad signature, a file that fails to import."""

    code = "handler_setup"


class SchemaTooNew(EngineError):
    """The database was migrated by a newer Caseway. Upgrade this node before starting it."""

    code = "schema_too_new"


class ExecutionFault(EngineError):
    """A step cannot go on at one element (an expression, a missing flow): an incident."""

    code = "execution_fault"


class FeelError(ExecutionFault):
    """A FEEL text that cannot be compiled, or a limit that an evaluation broke."""

    code = "feel_error"

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        #: offset in the text, in code points from 0; None where no place is known
        self.position = position


class Unavailable(Exception):
    """The database cannot be reached or is locked; nothing is known to be wrong. Try again soon.

    No EngineError on purpose: it is no answer to what was asked, and a worker keeps its result.
    """

    code = "unavailable"


class ClockOff(Unavailable):
    """The clock of this machine differs from the database's, so its leases would mean nothing.

    Let NTP set the clock; the node claims work again as soon as the two agree.
    """

    code = "clock_off"


class OutcomeUnknown(Unavailable):
    """The connection was lost while a change was being stored: it may be there, or not.

    The same call with the same start_key or message_id is safe; a task or a result is taken once.
    """

    code = "outcome_unknown"


class BpmnError(Exception):
    """Raised by a handler or a script: the drawn error with this code, for a boundary event."""

    def __init__(self, code: str, message: str = "", variables: dict[str, object] | None = None):
        super().__init__(message or code)
        #: errorCode of the drawn error
        self.code = code
        #: for people
        self.message = message
        #: become variables where the error is caught
        self.variables = variables or {}


class Retry(Exception):
    """Raised by a handler: try again after `after_s` seconds; counted as an attempt, not logged."""

    def __init__(self, after_s: float = 0.0, reason: str = ""):
        super().__init__(reason or f"retry after {after_s} s")
        #: seconds to wait before the next attempt
        self.after_s = after_s
        #: shown in the history
        self.reason = reason
