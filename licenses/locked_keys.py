"""An activation key and the balance it goes into, locked and read in one statement (docs/decisions/0036)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from accounts import scopes
from accounts.models import Company, Project
from licenses import ledger
from licenses.ledger import Line
from licenses.models import ActivationKey, Holder, Holding, LogLeaf, LogLine, Product, Transfer
from portal.core import batches
from portal.core.batches import Batch
from portal.core.kept_queries import Columns, KeptSteps, columns_of, listed
from portal.core.models import Act, AuditEntry

_KEY = columns_of(ActivationKey, "id", "order_id", "last_four", "state", "activated_by_id")
_PRODUCT = columns_of(Product, "id", "code", "version", "name", "kind", "unit", "returnable")
# Which of the two it is, the caller says: the other is null.
_DESTINATION = """
    SELECT id FROM licenses_holder WHERE company_id = %(into_company)s
    UNION ALL
    SELECT holder.id
    FROM licenses_holder holder JOIN accounts_project project ON project.id = holder.project_id
    WHERE project.id = %(into_project)s AND project.company_id = %(company_id)s
"""
STEPS = KeptSteps(
    function="licenses_locked_key",
    parameters=("fingerprint", "company_id", "into_company", "into_project", "user_id"),
    steps=(
        # This lock makes "once" true: of two activations at once the second waits here, and then finds the
        # key activated.
        "SELECT 1 FROM licenses_activationkey WHERE fingerprint = %(fingerprint)s FOR NO KEY UPDATE",
        # So that the company is not imported meanwhile, nor a project of it archived (accounts.scopes).
        "SELECT 1 FROM accounts_company WHERE id = %(company_id)s FOR KEY SHARE",
        # All holdings that change, in the order of (holder, product); the update to the same value is what
        # takes the lock (ledger). Of a key that is not issued none will change.
        f"""
        INSERT INTO licenses_holding (holder_id, product_id, balance, moved)
        SELECT place.holder_id, place.product_id, 0, 0
        FROM (
            SELECT line.destination_id AS holder_id, line.product_id
            FROM licenses_activationkey key
            JOIN licenses_holder source ON source.activation_key_id = key.id
            JOIN licenses_transfer line ON line.destination_id = source.id
            WHERE key.fingerprint = %(fingerprint)s AND key.state = 'issued'
              AND EXISTS ({_DESTINATION})
            UNION
            SELECT destination.id, line.product_id
            FROM licenses_activationkey key
            JOIN licenses_holder source ON source.activation_key_id = key.id
            JOIN licenses_transfer line ON line.destination_id = source.id,
            ({_DESTINATION}) destination
            WHERE key.fingerprint = %(fingerprint)s AND key.state = 'issued'
        ) place
        WHERE true
        ORDER BY 1, 2
        ON CONFLICT (holder_id, product_id) DO UPDATE SET balance = licenses_holding.balance
        """,  # noqa: S608 (the query above)
    ),
    sql=f"""
    SELECT {listed("key", _KEY)}, source.id, source.log_id,
           destination.id, destination.kind, destination.log_id,
           company.imported_into_id, project.name, project.archived_at,
           EXISTS (
               SELECT 1 FROM accounts_membership admin
               WHERE admin.company_id = %(company_id)s AND admin.role = 'admin'
                 AND admin.user_id <> %(user_id)s
           ),
           line.quantity, {listed("product", _PRODUCT)},
           there.id, there.balance, here.id, here.balance
    FROM licenses_activationkey key
    JOIN licenses_holder source ON source.activation_key_id = key.id
    JOIN accounts_company company ON company.id = %(company_id)s
    JOIN licenses_transfer line ON line.destination_id = source.id
    JOIN licenses_product product ON product.id = line.product_id
    LEFT JOIN licenses_holder destination ON destination.id = ({_DESTINATION})
    LEFT JOIN accounts_project project ON project.id = destination.project_id
    LEFT JOIN licenses_holding there ON there.holder_id = source.id AND there.product_id = product.id
    LEFT JOIN licenses_holding here ON here.holder_id = destination.id AND here.product_id = product.id
    WHERE key.fingerprint = %(fingerprint)s
    ORDER BY line.id
    """,  # noqa: S608 (the columns are the constants above)
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


@dataclass(frozen=True, kw_only=True)
class LockedKey:
    """A key with its lines, in their order, from its holder into the balance; and the holdings of both."""

    activation_key: ActivationKey
    lines: Sequence[Line]
    held: Mapping[tuple[int, int], Holding]
    company_has_other_admins: bool
    """Other than the caller: somebody who may want to be told."""
    company_imported: bool
    project: Project | None
    """The one it goes into, as it is now."""

    def require_open(self) -> None:
        """Refuse to put something where nothing may come in.

        :raises CompanyImported: the company was imported into another one.
        :raises ProjectArchived: the project is archived.
        """
        if self.project is not None:
            scopes.require_open(self.project)
        elif self.company_imported:
            raise scopes.CompanyImported


def lock_key(
    *, fingerprints: Iterable[bytes], target: Company | Project, user_id: int | None, batch: Batch
) -> LockedKey | None:
    """Lock a key, hold the company of the balance it goes into, and lock the holdings that change.

    :param fingerprints: what the key may be stored as, the likeliest first.
    :param user_id: who calls, if that is a person.
    :returns: None if there is no such key.
    :raises CompanyImported, ProjectArchived: nothing may come in there, and nothing ever did.
    """
    for fingerprint in fingerprints:
        found = _lock(fingerprint, target, user_id, batch)
        if found is not None:
            return found
    return None


def _lock(
    fingerprint: bytes, target: Company | Project, user_id: int | None, batch: Batch
) -> LockedKey | None:
    while True:
        company_id = target.pk if isinstance(target, Company) else target.company_id
        rows = STEPS.rows(
            {
                "fingerprint": fingerprint,
                "company_id": company_id,
                "into_company": target.pk if isinstance(target, Company) else None,
                "into_project": target.pk if isinstance(target, Project) else None,
                "user_id": user_id or 0,
            },
            batch=batch,
            ids_of=(Transfer, LogLeaf, LogLine, AuditEntry),
        )
        if not rows:
            return None
        read = Columns(rows[0])
        key = read.row(ActivationKey, _KEY)
        giver, giver_log, taker, kind, taker_log, imported_into, name, archived_at, others = read.values(9)
        if taker is not None:
            break
        # The balance has no holder yet, or the project came over to another company meanwhile.
        target = ledger.balance_holder(target).project or target
        batch.forget_ids()
    project = None
    if isinstance(target, Project):
        project = Project(pk=target.pk, name=name, archived_at=archived_at)
    source = Holder(pk=giver, kind=Holder.Kind.KEY, log_id=giver_log, activation_key=key)
    destination = Holder(pk=taker, kind=kind, log_id=taker_log)
    lines, held = [], {}
    for row in rows:
        of_line = Columns(row, after=read)
        [quantity] = of_line.values(1)
        product = of_line.row(Product, _PRODUCT)
        lines.append(Line(product=product, quantity=quantity, source=source, destination=destination))
        there, there_balance, here, here_balance = of_line.values(4)
        held[giver, product.pk] = Holding(pk=there, balance=there_balance)
        held[taker, product.pk] = Holding(pk=here, balance=here_balance)
    return LockedKey(
        activation_key=key,
        lines=lines,
        held=held,
        company_has_other_admins=bool(others),
        company_imported=imported_into is not None,
        project=project,
    )


def mark_activated(key: ActivationKey, *, act: Act) -> None:
    """Write down by which act the key was activated. It is locked."""
    key.state, key.activated_by = ActivationKey.State.ACTIVATED, act
    act_id = act._meta.get_field("id").get_db_prep_save(act.pk, connection)
    batches.change(
        "UPDATE licenses_activationkey SET state = %s, activated_by_id = %s WHERE id = %s",
        [key.state, act_id, key.pk],
        batch=act.batch,
    )
