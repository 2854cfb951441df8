"""Functions that insert what an act writes, in one statement (docs/decisions/0036)."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import taking_rows


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0007_signs_and_requests")]

    operations: ClassVar = [
        taking_rows("core_auditentry"),
        taking_rows("core_outboxjob"),
    ]
