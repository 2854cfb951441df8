"""Whoever writes past the operations meets the constraints of the tables: each one is violated here.

The last test asks the database for all its constraints, so that a new one cannot come without its violation.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from licenses.models import Grant, Holder, TestLicense
from orders import outcomes
from orders.models import MonthsSummed, ProductMonth
from portal.core.models import SignOfLife
from tests.factories import NOW
from tests.guards.rows import Rows, a_seq_floor, again, change
from tests.guards.violations_of_moves import MOVES
from tests.guards.violations_of_orders import ORDERS
from tests.rows import APPS

Violation = Callable[[Rows], Any]
END = NOW + timedelta(days=90)


def a_grant(**changes: Any) -> Violation:
    return lambda rows: again(rows.grant, **changes)


def a_bridge(rows: Rows, **changes: Any) -> Grant:
    return again(rows.grant, license_class="bridge", expires_at=END, bridge_of=rows.grant, **changes)


def a_holder(**belongs_to: Any) -> Violation:
    """A holder whose rows belong to none yet, so that only the CHECK is in the way."""

    def violate(rows: Rows) -> None:
        available = {"activation_key": rows.issued, "device": rows.device, "project": rows.project}
        given = {name: available[name] if value is True else value for name, value in belongs_to.items()}
        Holder.objects.create(**given)

    return violate


def two_bridges(rows: Rows) -> None:
    a_bridge(rows)
    a_bridge(rows)


def imported(rows: Rows, **changes: Any) -> None:
    """A second import, done; between the two companies the other way round unless told otherwise."""
    one = rows.company_import
    given = {"target": one.source, "ended_at": NOW, "end": "done"} | changes
    if "source" not in given:
        given |= {"source": one.source, "target": one.target}
    again(one, **given)


def two_imports(rows: Rows) -> None:
    imported(rows, done_by=rows.act)
    imported(rows, done_by=rows.used.activated_by)


def two_imports_by_one_act(rows: Rows) -> None:
    imported(rows, done_by=rows.act, source=rows.company_import.target)
    imported(rows, done_by=rows.act)


def two_signs_of_life(rows: Rows) -> None:
    for _ in range(2):
        SignOfLife.objects.create(name="worker@here", kind="worker", at=NOW)


def two_sums(rows: Rows) -> None:
    sums = dict.fromkeys(outcomes.KINDS, 0)
    for _ in range(2):
        ProductMonth.objects.create(month=NOW.date().replace(day=1), product=rows.product, **sums)


def two_markers(_rows: Rows) -> None:
    for last in (1, 2):
        MonthsSummed.objects.create(until=NOW.date().replace(day=1), last_transfer=last)


def one_tested(rows: Rows, **changes: Any) -> TestLicense:
    """One more test license that waits, of other hardware and by an act of its own."""
    given = {"hardware_id": "00-90-33-77-77-77", "made_by_id": rows.grant.made_by_id} | changes
    return again(rows.waiting, **given)


def two_withdrawn_by_one_act(rows: Rows) -> None:
    for made_by in (rows.grant.made_by_id, rows.used.activated_by_id):
        one_tested(rows, made_by_id=made_by, void="withdrawn", voided_at=NOW, voided_by=rows.act)


def document(**changes: Any) -> Violation:
    return lambda rows: again(rows.unsigned, **({"seq": 99, "payload_sha256": b"\x07" * 32} | changes))


def key(**changes: Any) -> Violation:
    return lambda rows: again(rows.issued, **({"fingerprint": b"\x07" * 32} | changes))


def the_act_of_another_key(rows: Rows) -> None:
    again(rows.issued, fingerprint=b"\x07" * 32, state="activated", activated_by=rows.used.activated_by)


VIOLATIONS: dict[str, tuple[Violation, ...]] = {
    **ORDERS,
    # accounts
    "a_membership_has_a_known_role": (
        lambda rows: again(rows.membership, user=rows.stranger, role="owner"),
        lambda rows: change(rows.membership, role=""),
    ),
    "a_person_joins_a_company_once": (lambda rows: again(rows.membership, role="member"),),
    "a_project_has_a_name": (lambda rows: change(rows.project, name=""),),
    "project_names_are_unique_in_a_company": (
        lambda rows: again(rows.project),
        lambda rows: again(rows.project, name="default"),
    ),
    "a_project_right_has_a_known_level": (lambda rows: change(rows.right, level="own"),),
    "one_right_for_a_person_in_a_project": (lambda rows: again(rows.right, level="manage"),),
    "accounts_user_email_key": (lambda rows: again(rows.user),),
    "one_user_for_an_email_address": (lambda rows: again(rows.user, email=rows.user.email.upper()),),
    "a_person_has_a_role_once": (lambda rows: again(rows.staff_role),),
    "a_staff_role_is_one_that_the_table_knows": (lambda rows: again(rows.staff_role, role="boss"),),
    "terms_are_accepted_once": (lambda rows: again(rows.terms),),
    "a_secret_is_one_api_token": (lambda rows: again(rows.token, name="Other"),),
    "api_tokens_in_force_have_names_of_their_own": (
        lambda rows: again(rows.token, secret_sha256=b"\x07" * 32, name=rows.token.name.upper()),
    ),
    "an_api_token_is_stored_as_a_hash": (lambda rows: change(rows.token, secret_sha256=b"short"),),
    "an_api_token_has_a_name": (lambda rows: change(rows.token, name=""),),
    "a_project_s_api_token_has_scopes_of_a_project": (
        lambda rows: change(rows.token, project=rows.project, scopes="read activate"),
        lambda rows: change(rows.token, project=rows.project, scopes="read transfer"),
    ),
    "an_imported_company_says_where_and_when": (
        lambda rows: change(rows.company_import.source, imported_at=NOW),
        lambda rows: change(rows.company_import.source, imported_into=rows.project.company),
    ),
    "a_company_is_not_imported_into_itself": (
        lambda rows: change(rows.project.company, imported_into=rows.project.company, imported_at=NOW),
    ),
    "a_token_is_one_invitation": (lambda rows: again(rows.into_company, email="other@example.com"),),
    "a_message_id_is_one_mail": (lambda rows: again(rows.mail),),
    "a_mail_waits_or_has_ended": (
        lambda rows: change(rows.mail, next_try_at=None),
        lambda rows: change(rows.mail, ended_at=NOW),
        lambda rows: change(rows.mail, state="sent"),
        lambda rows: change(rows.mail, state="sent", next_try_at=None),
        lambda rows: change(rows.mail, state="lost", next_try_at=None, ended_at=NOW),
    ),
    "a_mail_that_waits_can_be_sent": (
        lambda rows: change(rows.mail, to=""),
        lambda rows: change(rows.mail, text=""),
        lambda rows: change(rows.mail, html=""),
    ),
    "a_topic_is_unwanted_once": (lambda rows: again(rows.unwanted),),
    "a_calendar_address_is_one_feed": (lambda rows: again(rows.calendar_feed, user=rows.stranger),),
    "accounts_calendarfeed_user_id_key": (lambda rows: again(rows.calendar_feed, token_sha256=b"\x07" * 32),),
    "a_calendar_keeps_a_hash_of_its_address": (
        lambda rows: change(rows.calendar_feed, token_sha256=b"token"),
    ),
    "a_step_of_a_test_license_is_told_once": (lambda rows: again(rows.reminder),),
    "a_reminder_is_one_of_the_steps": (lambda rows: change(rows.reminder, days_before=2),),
    "a_scheduled_job_stands_once_in_the_schedule": (lambda rows: again(rows.scheduled),),
    "each_process_has_one_sign_of_life": (two_signs_of_life,),
    "a_call_asks_for_one_long_job": (lambda rows: again(rows.long_job),),
    "a_long_job_has_one_owner": (
        lambda rows: change(rows.long_job, owner=None),
        lambda rows: change(rows.long_job, token_id=7),
    ),
    "a_long_job_does_no_more_than_all": (
        lambda rows: change(rows.long_job, done=3),
        lambda rows: change(rows.long_job, done=-1),
    ),
    "a_long_job_ends_once_and_says_how": (
        lambda rows: change(rows.long_job, state="done"),
        lambda rows: change(rows.long_job, ended_at=NOW),
        lambda rows: change(rows.long_job, state="lost", ended_at=NOW),
    ),
    "a_long_job_that_failed_says_why": (
        lambda rows: change(rows.long_job, state="failed", ended_at=NOW),
        lambda rows: change(rows.long_job, refusal="not-allowed"),
    ),
    "a_slice_writes_one_piece": (lambda rows: again(rows.piece),),
    "an_invitation_keeps_a_hash_of_its_token": (
        lambda rows: change(rows.into_company, token_sha256=b"token"),
    ),
    "an_invitation_gives_a_role_or_a_right": (
        lambda rows: change(rows.into_company, level="view"),
        lambda rows: change(rows.into_company, role=""),
        lambda rows: change(rows.into_project, level="own"),
        lambda rows: change(rows.into_project, role="admin"),
    ),
    "an_invitation_knows_an_address_until_it_ends": (
        lambda rows: change(rows.into_company, email=""),
        lambda rows: change(rows.into_company, ended_at=NOW, end="accepted"),
        lambda rows: change(rows.into_company, ended_at=NOW, email=""),
        lambda rows: change(rows.into_company, ended_at=NOW, email="", end="lost"),
    ),
    "one_open_invitation_into_a_company": (
        lambda rows: again(rows.into_company, token_sha256=b"\x07" * 32),
        lambda rows: again(rows.into_company, token_sha256=b"\x07" * 32, email="DORA@example.com"),
    ),
    "one_open_invitation_into_a_project": (
        lambda rows: again(rows.into_project, token_sha256=b"\x07" * 32, level="manage"),
    ),
    "accounts_customeraccount_number_key": (lambda rows: again(rows.account, company=None, linked_at=None),),
    "accounts_customeraccount_company_id_key": (lambda rows: again(rows.account, number="C-2"),),
    "a_linked_account_says_since_when": (
        lambda rows: change(rows.account, linked_at=None),
        lambda rows: change(rows.account, company=None),
    ),
    "a_customer_account_has_a_number": (lambda rows: change(rows.account, number=""),),
    "a_customer_link_is_one_link": (lambda rows: again(rows.customer_link),),
    "a_customer_link_keeps_a_hash_of_its_token": (
        lambda rows: change(rows.customer_link, token_sha256=b"token"),
    ),
    # core
    "an_act_keeps_no_name_of_a_user": (
        lambda rows: again(rows.act, key="other", outcome=None, actor=rows.user, actor_name="Alice"),
    ),
    "an_entry_keeps_no_name_of_a_user": (
        lambda rows: again(rows.entry, actor=rows.user, actor_name="Alice"),
    ),
    "a_caller_names_an_act_once": (lambda rows: again(rows.act, operation="other", outcome=None),),
    "an_act_knows_its_input": (lambda rows: again(rows.act, key="other", input_hash=b"\x07" * 31),),
    # devices
    "a_device_changes_from_somewhere_to_elsewhere": (
        lambda rows: change(rows.project_change, later=rows.project_change.earlier),
        lambda rows: change(rows.project_change, earlier=None, later=None),
    ),
    "devices_projectchange_act_id_key": (lambda rows: again(rows.project_change),),
    "a_device_is_in_one_project": (lambda rows: again(rows.device),),
    "a_hardware_id_is_canonical": tuple(
        lambda rows, text=text: change(rows.device, hardware_id=text)  # type: ignore[misc]
        for text in ("", "00-90-33-01-0a-ff", "009033010AFF", "00:90:33:01:0A:FF", "00-90-33-01-0A-FG")
    ),
    "a_pin_is_a_hash_with_a_time": (
        lambda rows: change(rows.device, pinned_spki=b"\x07" * 32, pinned_at=None),
        lambda rows: change(rows.device, pinned_spki=None, pinned_at=NOW),
        lambda rows: change(rows.device, pinned_spki=b"\x07" * 20, pinned_at=NOW),
    ),
    "an_anchor_says_where_the_hardware_id_is": (lambda rows: change(rows.anchor, hardware_id_in="SAN"),),
    "devices_trustanchor_sha256_key": (lambda rows: again(rows.anchor),),
    "a_prefix_has_at_least_three_octets": tuple(
        lambda rows, text=text: change(rows.prefix, prefix=text)  # type: ignore[misc]
        for text in ("", "00-90", "00-90-3", "00-90-33-", "00-90-3g")
    ),
    "an_anchor_names_a_prefix_once": (lambda rows: again(rows.prefix),),
    # licenses: products, orders, keys
    "a_product_is_its_code_and_version": (lambda rows: again(rows.product),),
    "a_product_has_a_known_kind": (lambda rows: change(rows.product, kind="hat"),),
    "a_product_has_a_version": (lambda rows: change(rows.product, version=0),),
    "a_product_has_a_weight": (lambda rows: change(rows.product, weight=-1),),
    "licenses_order_number_key": (lambda rows: again(rows.order),),
    "an_activation_code_is_one_key": (lambda rows: again(rows.issued),),
    "a_key_is_stored_as_a_hash": (key(fingerprint=b"\x07" * 31),),
    "an_activated_key_knows_its_act": (
        key(state="activated"),
        lambda rows: change(rows.used, state="issued"),
        lambda rows: change(rows.used, state="blocked"),
        lambda rows: change(rows.used, activated_by=None),
        key(state="lost"),
    ),
    "licenses_activationkey_activated_by_id_key": (the_act_of_another_key,),
    # licenses: the ledger
    "a_holder_is_what_its_kind_says": (
        a_holder(kind="issuer", device=True),
        a_holder(kind="retired", project=True),
        a_holder(kind="key"),
        a_holder(kind="company"),
        a_holder(kind="project", device=True),
        a_holder(kind="device", activation_key=True),
        a_holder(kind="device", device=True, project=True),
        a_holder(kind="safe"),
        a_holder(kind="project"),
        lambda rows: change(rows.balance, former_project=rows.project),
    ),
    "only_a_project_has_a_former_holder": (lambda rows: change(rows.issuer, former_project=rows.project),),
    "an_import_is_of_another_company": (
        lambda rows: change(rows.company_import, source=rows.company_import.target),
    ),
    "an_import_ends_once_and_says_how": (
        lambda rows: change(rows.company_import, ended_at=NOW),
        lambda rows: change(rows.company_import, ended_at=NOW, end="done"),
        lambda rows: change(rows.company_import, ended_at=NOW, end="refused", done_by=rows.act),
        lambda rows: change(rows.company_import, end="withdrawn"),
    ),
    "one_open_import_of_a_company": (lambda rows: again(rows.company_import),),
    "a_company_is_imported_once": (two_imports,),
    "licenses_companyimport_done_by_id_key": (two_imports_by_one_act,),
    "there_is_one_issuer_and_one_retired": (lambda rows: again(rows.issuer),),
    "a_holder_has_an_id_in_the_log": (lambda rows: change(rows.balance, log_id=b"short"),),
    "licenses_holder_activation_key_id_key": (
        lambda _: again(Holder.objects.filter(kind="key").earliest("pk")),
    ),
    "licenses_holder_company_id_key": (
        lambda _: again(Holder.objects.filter(kind="company").earliest("pk")),
    ),
    "licenses_holder_project_id_key": (lambda rows: again(rows.balance),),
    "licenses_holder_device_id_key": (lambda _: again(Holder.objects.filter(kind="device").earliest("pk")),),
    "one_holding_for_holder_and_product": (lambda rows: again(rows.holding),),
    "nobody_holds_less_than_nothing": (lambda rows: change(rows.holding, balance=-1),),
    "a_transfer_moves_something": (
        lambda rows: again(rows.transfer, quantity=0),
        lambda rows: again(rows.transfer, quantity=-1),
    ),
    "a_transfer_goes_somewhere": (lambda rows: again(rows.transfer, destination_id=rows.transfer.source_id),),
    "a_grant_is_of_something": (a_grant(quantity=0), a_grant(quantity=-1)),
    "a_grant_ends_once_and_says_how": (
        a_grant(ended_at=NOW),
        lambda rows: again(rows.grant, ended_by=rows.act),
        a_grant(state="returned"),
        a_grant(state="moved", ended_at=NOW),
        lambda rows: again(rows.grant, state="revoked", ended_by=rows.act),
        a_grant(state="expired"),
        lambda rows: again(rows.grant, state="lost", ended_at=NOW, ended_by=rows.act),
    ),
    "only_bought_grants_have_no_end": (
        a_grant(expires_at=END),
        a_grant(license_class="test"),
    ),
    "a_bridge_bridges_a_grant": (
        a_grant(license_class="bridge", expires_at=END),
        a_grant(license_class="given", expires_at=END),
    ),
    "one_live_bridge_for_a_grant": (two_bridges,),
    "a_month_of_a_product_is_summed_once": (two_sums,),
    "months_are_summed_up_to_a_month_once": (two_markers,),
    # licenses: the catalogue, and test licenses
    "a_successor_is_another_product": (lambda rows: change(rows.product, successor=rows.product),),
    "a_test_set_gives_gateways_a_number_and_asks_for_others": (
        lambda rows: change(rows.product, test_quantity=1),
        lambda rows: change(rows.product, in_test_set=True, test_quantity=1),
        lambda rows: change(rows.product, in_test_set=True, kind="warranty"),
        lambda rows: change(rows.product, in_test_set=True, kind="gateway"),
        lambda rows: change(rows.product, in_test_set=True, kind="gateway", test_quantity=0),
    ),
    "one_test_license_for_a_hardware_id_for_ever": (
        lambda rows: one_tested(rows, hardware_id=rows.waiting.hardware_id),
        lambda rows: one_tested(rows, hardware_id=rows.running.hardware_id),
    ),
    "a_tested_hardware_id_is_canonical": (lambda rows: one_tested(rows, hardware_id="00-90-33-01-0a-ff"),),
    "a_test_license_has_a_version": (lambda rows: one_tested(rows, version=0),),
    "a_slave_has_no_quantity_and_others_do": (
        lambda rows: one_tested(rows, quantity=1),
        lambda rows: one_tested(rows, slave=False),
        lambda rows: one_tested(rows, slave=False, quantity=0),
    ),
    "a_test_license_starts_once_with_its_end": (
        lambda rows: one_tested(rows, started_at=NOW),
        lambda rows: one_tested(rows, ends_at=END),
        lambda rows: one_tested(rows, started_at=NOW, ends_at=END, started_by=rows.act),
        lambda rows: one_tested(rows, started_at=NOW, ends_at=END, started_in=rows.project),
        lambda rows: one_tested(
            rows, started_at=NOW, ends_at=NOW, started_by=rows.act, started_in=rows.project
        ),
    ),
    "a_test_license_is_void_once_and_says_how": (
        lambda rows: one_tested(rows, void="withdrawn"),
        lambda rows: one_tested(rows, void="withdrawn", voided_at=NOW),
        lambda rows: one_tested(rows, voided_at=NOW),
        lambda rows: one_tested(rows, voided_by=rows.act),
        lambda rows: one_tested(rows, void="revoked", voided_at=NOW, voided_by=rows.act),
        lambda rows: one_tested(rows, void="lost", voided_at=NOW, voided_by=rows.act),
        lambda rows: change(rows.running, void="withdrawn", voided_at=NOW, voided_by=rows.act),
    ),
    "licenses_testlicense_made_by_id_key": (
        lambda rows: one_tested(rows, made_by_id=rows.waiting.made_by_id),
    ),
    "licenses_testlicense_started_by_id_key": (
        lambda rows: one_tested(
            rows,
            started_at=NOW,
            ends_at=END,
            started_by_id=rows.running.started_by_id,
            started_in=rows.project,
        ),
    ),
    "licenses_testlicense_voided_by_id_key": (two_withdrawn_by_one_act,),
    # licenses: documents, key sets, the log
    "a_seq_is_given_once": (document(seq=1),),
    "seq_starts_at_one": (document(seq=0), document(seq=-1)),
    "a_document_has_a_hash": (document(payload_sha256=b"\x07" * 31),),
    "licenses_licensedocument_payload_sha256_key": (
        lambda rows: again(rows.unsigned, seq=99, payload_sha256=rows.signed.payload_sha256),
    ),
    "a_signature_names_its_key_set": (
        lambda rows: change(rows.unsigned, signed=b"{}"),
        lambda rows: change(rows.unsigned, signed_under=1),
    ),
    "only_signed_documents_are_handed_out": (lambda rows: change(rows.unsigned, handed_out_at=NOW),),
    "key_sets_count_from_one": (
        lambda rows: type(rows.key_set).objects.create(version=0, signed=b"", made_at=NOW),
    ),
    "licenses_logleaf_index_key": (lambda rows: [again(rows.leaf, index=7), again(rows.leaf, index=7)],),
    "a_line_has_a_salt_of_its_own": (lambda rows: again(rows.line, transfer=None, salt=b"short"),),
    "a_line_tells_of_a_transfer_or_a_grant": (lambda rows: again(rows.line, transfer=None, grant=None),),
    "licenses_logline_transfer_id_key": (lambda rows: again(rows.line),),
    # what devices say
    "a_device_speaks_first_in_a_project_once": (lambda rows: again(rows.first_word),),
    "a_payload_is_counted_once": (lambda rows: again(rows.counter),),
    "a_counted_payload_is_a_hash": (lambda rows: again(rows.counter, payload_sha256=b"short"),),
    "a_key_is_blocked_once": (lambda rows: again(rows.blocked_key),),
    "a_blocked_key_is_a_hash": (lambda rows: again(rows.blocked_key, spki_sha256=b"short"),),
    "one_new_key_of_a_device_waits": (lambda rows: again(rows.new_key),),
    "a_new_key_is_a_hash": (lambda rows: change(rows.new_key, spki_sha256=b"short"),),
    "a_new_key_is_accepted_by_two": (
        lambda rows: change(rows.new_key, state="accepted"),
        lambda rows: change(rows.new_key, state="accepted", decided_at=NOW, decided_by=rows.new_key.asked_by),
        lambda rows: change(rows.new_key, decided_at=NOW, decided_by=rows.stranger),
        lambda rows: change(rows.new_key, state="dropped"),
    ),
    "a_seq_floor_raises_something": (lambda _: a_seq_floor(0), lambda _: a_seq_floor(-1)),
    "one_alert_for_one_cause": (lambda rows: again(rows.alert),),
    "one_alert_for_one_cause_of_a_company": (lambda rows: again(rows.alert_of_company),),
    "an_alert_is_about_a_device_or_a_company": (
        lambda rows: again(rows.alert, kind="keys-tried"),
        lambda rows: again(rows.alert, device=None, subject="8"),
        lambda rows: again(rows.alert_of_company, device=rows.alert.device, subject="8"),
        lambda rows: again(rows.alert_of_company, company=None),
    ),
    "a_reason_template_has_a_name_of_its_own": (lambda rows: again(rows.template),),
    "a_reason_template_says_something": (
        lambda rows: again(rows.template, name=""),
        lambda rows: again(rows.template, name="Other", text=""),
    ),
    "one_digest_of_alerts_a_day": (lambda rows: again(rows.digest),),
    "an_alert_has_a_known_kind": (lambda rows: again(rows.alert, kind="weather"),),
    "a_device_names_a_return_once": (
        lambda rows: again(rows.returned, act=rows.act, payload_sha256=b"\x07" * 32),
    ),
    "licenses_return_act_id_key": (
        lambda rows: again(rows.returned, jti="other", payload_sha256=b"\x07" * 32),
    ),
    "licenses_return_payload_sha256_key": (lambda rows: again(rows.returned, act=rows.act, jti="other"),),
    "a_return_has_a_hash": (
        lambda rows: again(rows.returned, act=rows.act, jti="other", payload_sha256=b"short"),
    ),
    "a_receipt_names_its_key_set": (
        lambda rows: change(rows.returned, signed=None),
        lambda rows: change(rows.returned, signed_under=None),
    ),
    "a_claim_code_is_one_claim": (lambda rows: again(rows.claim_code, used_by=None),),
    "a_claim_code_is_a_hash": (lambda rows: again(rows.claim_code, used_by=None, code_sha256=b"short"),),
    "licenses_claimcode_used_by_id_key": (lambda rows: again(rows.claim_code, code_sha256=b"\x07" * 32),),
    **MOVES,
}

# Tables that Django brings for its own permissions, which nothing here uses.
NOT_OURS = ("accounts_user_groups", "accounts_user_user_permissions")


class TestConstraints:
    @pytest.mark.parametrize(
        ("name", "violate"),
        [
            pytest.param(name, violate, id=f"{name}-{number}")
            for name, violations in VIOLATIONS.items()
            for number, violate in enumerate(violations, start=1)
        ],
    )
    def test_it_refuses(self, rows: Rows, name: str, violate: Violation) -> None:
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            violate(rows)

        # SQLite names a unique constraint by its columns.
        plain_unique = connection.vendor == "sqlite" and "UNIQUE constraint failed" in str(refused.value)
        assert name in str(refused.value) or plain_unique

    def test_a_bridge_may_follow_one_that_ended(self, rows: Rows) -> None:
        a_bridge(rows, state="revoked", ended_at=NOW, ended_by=rows.act)

        a_bridge(rows)

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL's catalog")
    def test_every_constraint_of_our_tables_is_violated_above(self, db: None) -> None:
        tables = [model._meta.db_table for model in apps.get_models() if model._meta.app_label in APPS]
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT conname FROM pg_constraint
                WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('c', 'x')
                UNION
                SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                WHERE indrelid::regclass::text = ANY(%s) AND indisunique AND NOT indisprimary
                """,
                [tables, tables],
            )
            names = {row[0] for row in cursor.fetchall()}

        assert not set(tables) & set(NOT_OURS)
        assert names == set(VIOLATIONS)
