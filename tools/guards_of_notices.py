"""The guards of mails, reminders and the schedule: told, none lost, none twice (docs/decisions/0019)."""

from tools.guard import NEVER, OPERATIONS, RACES, Guard

_MAILS = f"{OPERATIONS}/test_mails.py"

NOTICES = (
    Guard(
        name="mail: sent once by a job that runs twice",
        file="accounts/mails.py",
        edits=(("filter(pk=mail_id, state=Mail.State.QUEUED).first()", "filter(pk=mail_id).first()"),),
        tests=(_MAILS,),
    ),
    Guard(
        name="mail: the Message-ID is the row's",
        file="accounts/mails.py",
        edits=(('"Message-ID": mail.message_id', '"Message-ID": _new_message_id()'),),
        tests=(_MAILS,),
    ),
    Guard(
        name="mail: a secret is erased",
        file="accounts/mails.py",
        edits=(("if gone or KINDS[mail.kind].secret:", "if gone:"),),
        tests=(_MAILS,),
    ),
    Guard(
        name="mail: nothing stays of who left",
        file="accounts/mails.py",
        edits=(("    if gone:\n", "    if False:\n"),),
        tests=(_MAILS,),
    ),
    Guard(
        name="reminder: a step once",
        file="licenses/reminders.py",
        edits=(
            (
                "    except IntegrityError:\n        return False\n",
                "    except IntegrityError:\n        pass\n",
            ),
        ),
        tests=(f"{RACES}/test_notices.py",),
    ),
    Guard(
        name="reminder: row and mails in one transaction",
        file="licenses/reminders.py",
        edits=(("@transaction.atomic(durable=True)\n", ""),),
        tests=(f"{OPERATIONS}/test_reminders.py",),
    ),
    Guard(
        name="schedule: asked for once",
        file="portal/core/schedule.py",
        edits=(
            (
                "if not due.update(next_at=now + interval):",
                "if not due.update(next_at=now + interval) and False:",
            ),
        ),
        tests=(f"{RACES}/test_notices.py",),
    ),
    Guard(
        name="repetition: resend a mail",
        file="accounts/resending.py",
        edits=((NEVER[0], NEVER[1]),),
        tests=(f"{OPERATIONS}/test_notices.py",),
    ),
)
