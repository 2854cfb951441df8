"""Structured logs: one JSON object a line, or readable lines in the demo. Without secrets."""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Twenty-five characters of the activation keys' alphabet, grouped or not: a key never reaches a log.
_ACTIVATION_CODE = re.compile(r"\b(?:[0-9A-Za-z]{5}-?){4}[0-9A-Za-z]{5}\b")
# Nor do the keys in links of mails, which open an account: Django logs the address of what it refuses.
_KEY_OF_A_LINK = re.compile(
    r"(/(?:confirm-address|new-password|invitations/link|customers/link|calendar)/)[^\s\"'?]+"
)


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blot out what looks like an activation key, or a link of a mail, in any text of the event."""
    return {name: _blot(value) for name, value in event.items()}


def _blot(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _KEY_OF_A_LINK.sub(r"\1[link]", _ACTIVATION_CODE.sub("[activation key]", value))


def request_id() -> str:
    """The id of the request that is being answered, or of the one that asked for the job at hand; or none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


_NOISY = ("celery.app.trace", "celery.beat", "celery.worker.strategy")
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    without_secrets,
]


def configure(*, as_json: bool, level: str) -> dict[str, Any]:
    """Set structlog up and give Django its LOGGING dict, so that both write the same lines to stderr."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": level, "propagate": False},
            # Every two seconds a line about waking up and one about being woken; the outbox tells of jobs.
            **{name: {"level": "WARNING"} for name in _NOISY},
        },
    }
