"""The ledger guards itself, whatever writes past the operations (architecture.md, "The ledger").

Never sum history in a trigger: `moved` is kept by adding what was inserted, which costs the same however
long the history is. `manage.py ledger verify` sums history.
"""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL, never

COUNT_WHAT_MOVED = """
CREATE FUNCTION licenses_count_what_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted integer;
    counted integer;
BEGIN
    WITH change AS (
        SELECT movement.holder_id, movement.product_id, SUM(movement.quantity) AS quantity
        FROM (
            SELECT destination_id AS holder_id, product_id, quantity FROM inserted
            UNION ALL
            SELECT source_id, product_id, -quantity FROM inserted
        ) movement
        JOIN licenses_holder holder ON holder.id = movement.holder_id
        WHERE holder.kind NOT IN ('issuer', 'retired')
        GROUP BY movement.holder_id, movement.product_id
    ), updated AS (
        UPDATE licenses_holding holding SET moved = holding.moved + change.quantity
        FROM change
        WHERE holding.holder_id = change.holder_id AND holding.product_id = change.product_id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM change), (SELECT count(*) FROM updated) INTO wanted, counted;
    IF wanted <> counted THEN
        RAISE EXCEPTION 'a transfer needs a holding on both sides'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER licenses_transfers_are_counted AFTER INSERT ON licenses_transfer
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION licenses_count_what_moved();
"""

BALANCE_IS_WHAT_MOVED = """
CREATE FUNCTION licenses_balance_is_what_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The row as it is at commit, not as it was when the change was queued.
    IF EXISTS (SELECT 1 FROM licenses_holding WHERE id = NEW.id AND balance <> moved) THEN
        RAISE EXCEPTION 'the balance of holding % is not what its transfers moved', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER licenses_balance_is_what_moved AFTER INSERT OR UPDATE ON licenses_holding
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.balance <> NEW.moved) EXECUTE FUNCTION licenses_balance_is_what_moved();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("licenses", "0001_initial"), ("core", "0002_guards")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            COUNT_WHAT_MOVED,
            "DROP TRIGGER licenses_transfers_are_counted ON licenses_transfer;"
            "DROP FUNCTION licenses_count_what_moved();",
        ),
        RunOnPostgreSQL(
            BALANCE_IS_WHAT_MOVED,
            "DROP TRIGGER licenses_balance_is_what_moved ON licenses_holding;"
            "DROP FUNCTION licenses_balance_is_what_moved();",
        ),
        never("UPDATE OR DELETE", table="licenses_transfer"),
        never("DELETE", table="licenses_holding"),
        # A grant leaves the live state once; afterwards it is history.
        never("UPDATE", table="licenses_grant", when="OLD.state <> 'live'"),
        never("DELETE", table="licenses_grant"),
        # What was signed stays what it was. Signatures may be made again, when keys are rotated.
        never(
            "UPDATE",
            table="licenses_licensedocument",
            when="(OLD.device_id, OLD.seq, OLD.payload, OLD.payload_sha256)"
            " IS DISTINCT FROM (NEW.device_id, NEW.seq, NEW.payload, NEW.payload_sha256)",
        ),
        never("DELETE", table="licenses_licensedocument"),
        never("UPDATE OR DELETE", table="licenses_keysetversion"),
        # The sequencer gives a leaf its index, once.
        never(
            "UPDATE",
            table="licenses_logleaf",
            when="OLD.index IS NOT NULL OR (OLD.type, OLD.at, OLD.document_sha256, OLD.body)"
            " IS DISTINCT FROM (NEW.type, NEW.at, NEW.document_sha256, NEW.body)",
        ),
        never("DELETE", table="licenses_logleaf"),
        never("UPDATE OR DELETE", table="licenses_logline"),
    ]
