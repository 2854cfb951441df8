"""Rows keep no name of a user: it is looked up, and can be erased (docs/decisions/0014)."""

from django.conf import settings
from django.db import migrations, models

from portal.core.postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0002_guards'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Entries are never changed; this once they are, so that nobody's name is left behind in them.
        RunOnPostgreSQL(
            "ALTER TABLE core_auditentry DISABLE TRIGGER USER; ALTER TABLE core_act DISABLE TRIGGER USER;",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name='act',
            name='actor_name',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='actor_name',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.RunSQL(
            "UPDATE core_act SET actor_name = '' WHERE actor_id IS NOT NULL;", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            "UPDATE core_auditentry SET actor_name = '' WHERE actor_id IS NOT NULL;", migrations.RunSQL.noop
        ),
        RunOnPostgreSQL(
            "ALTER TABLE core_auditentry ENABLE TRIGGER USER; ALTER TABLE core_act ENABLE TRIGGER USER;",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='act',
            constraint=models.CheckConstraint(condition=models.Q(('actor', None), ('actor_name', ''), _connector='OR'), name='an_act_keeps_no_name_of_a_user'),
        ),
        migrations.AddConstraint(
            model_name='auditentry',
            constraint=models.CheckConstraint(condition=models.Q(('actor', None), ('actor_name', ''), _connector='OR'), name='an_entry_keeps_no_name_of_a_user'),
        ),
    ]
