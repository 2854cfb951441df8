"""Who is licensed: users by mark or template, exact products, the firmware's version, a stable order."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.allocation import allocate, licenses_of, unlicensed_features
from appliance.counters import Counter, gateway_counters, pbx_counters
from appliance.kinds import FEATURES, GATEWAY, PBX, Feature
from appliance.licensing import Capacity
from appliance.objects import MOST_USERS, Objects, User, objects_from_json, objects_to_json, read_marks
from appliance.refusals import Refusal
from tests.appliance.conftest import Bench
from tests.appliance.issuing import NOW, item

DAY = 24 * 60 * 60


def staff(count: int, *marks: Feature) -> Objects:
    """So many users, all marked by one template."""
    objects = Objects().with_new_template("Staff")
    [template] = objects.templates
    objects = objects.with_template(replace(template, marks=frozenset(marks)))
    for number in range(count):
        objects = objects.with_new_user(f"User {number}", template=template.id)
    return objects


class TestAllocation:
    def test_seven_licenses_for_ten_users_license_the_first_seven(self) -> None:
        objects = staff(10, Feature.FAX)
        fax = allocate(objects, Capacity({"Fax": 7}))[Feature.FAX]
        ids = [user.id for user in objects.users]
        assert (fax.licensed, fax.unlicensed, fax.wanted) == (tuple(ids[:7]), tuple(ids[7:]), 10)

    def test_who_they_are_does_not_depend_on_the_order_of_the_list(self) -> None:
        objects = staff(10, Feature.FAX)
        turned = replace(objects, users=tuple(reversed(objects.users)))
        capacity = Capacity({"Fax": 7})
        assert allocate(turned, capacity) == allocate(objects, capacity)

    def test_a_new_user_takes_no_license_away(self) -> None:
        objects, capacity = staff(7, Feature.FAX), Capacity({"Fax": 7})
        before = allocate(objects, capacity)[Feature.FAX].licensed
        more = objects.with_new_user("Newcomer", template=objects.templates[0].id)
        assert allocate(more, capacity)[Feature.FAX].licensed == before

    def test_a_user_that_leaves_makes_room_for_the_next(self) -> None:
        objects, capacity = staff(8, Feature.FAX), Capacity({"Fax": 7})
        fewer = objects.without_user(objects.users[0].id)
        assert allocate(fewer, capacity)[Feature.FAX].unlicensed == ()

    def test_a_mark_of_the_user_and_one_of_the_template_count_once(self) -> None:
        objects = staff(1, Feature.FAX)
        objects = objects.with_user(replace(objects.users[0], marks=frozenset({Feature.FAX, Feature.UC})))
        allocations = allocate(objects, Capacity({"Fax": 1}))
        assert allocations[Feature.FAX].wanted == 1
        lines = {line.feature: line for line in licenses_of(objects.users[0], objects, allocations)}
        assert (lines[Feature.FAX].own_mark, lines[Feature.FAX].template_mark) == (True, True)
        assert lines[Feature.FAX].licensed
        assert lines[Feature.UC].unlicensed
        assert not lines[Feature.VIDEO].wanted
        assert not lines[Feature.VIDEO].unlicensed

    def test_no_prefix_of_a_name_counts(self) -> None:
        objects = staff(1, Feature.UC)
        allocations = allocate(objects, Capacity({"U": 9, "UC2": 9, "uc": 9}))
        assert unlicensed_features(objects.users, allocations) == {objects.users[0].id: (Feature.UC,)}

    def test_without_a_limit_everybody_has_everything(self) -> None:
        objects = staff(10, *FEATURES)
        assert unlicensed_features(objects.users, allocate(objects, Capacity(unlimited=True))) == {}


class TestCounters:
    def test_they_show_what_is_turned_away(self) -> None:
        capacity = Capacity({"Channels": 8, "Port": 4, "Fax": 3})
        counters = {one.product: one for one in gateway_counters({"Channels": 11}, capacity)}
        assert (counters["Channels"].used, counters["Channels"].short) == (8, 3)
        assert counters.keys() == GATEWAY.keys()
        objects = staff(5, Feature.FAX)
        pbx = {one.product: one for one in pbx_counters({"Port": 2}, allocate(objects, capacity), capacity)}
        assert (pbx["Port"].used, pbx["Port"].short) == (2, 0)
        assert (pbx["Fax"].installed, pbx["Fax"].used, pbx["Fax"].short) == (3, 3, 2)
        assert pbx.keys() == {*PBX, *FEATURES}

    def test_without_a_limit_all_that_is_wanted_is_used(self) -> None:
        assert (Counter("Port", "Ports", None, 90).used, Counter("Port", "Ports", None, 90).short) == (90, 0)

    @pytest.mark.parametrize(("product", "count"), [("Ports", 1), ("Fax", 1), ("Port", -1), ("Port", 10**9)])
    def test_nothing_but_a_counted_product_can_be_in_use(
        self, bench: Bench, product: str, count: int
    ) -> None:
        with pytest.raises(Refusal) as refused:
            bench.device().want({product: count})
        assert refused.value.code in {"not-counted", "too-many-calls"}


class TestOnTheDevice:
    def test_marks_work_at_once_and_licenses_at_the_reset(self, bench: Bench) -> None:
        bench.device().change_objects(lambda _: staff(3, Feature.FAX))
        bench.device().install(bench.issuer.bundle(bench.hardware_id, items=[item("Fax", quantity=2)]))
        assert len(bench.device().work().allocations[Feature.FAX].licensed) == 0
        bench.device().reset()
        work = bench.device().work()
        assert len(work.allocations[Feature.FAX].licensed) == 2
        bench.device().change_objects(lambda objects: objects.without_user(work.objects.users[0].id))
        assert bench.device().work().allocations[Feature.FAX].unlicensed == ()

    def test_items_of_one_product_add_up_and_those_of_another_version_do_not(self, bench: Bench) -> None:
        items = [item("Fax", quantity=2), item("Fax", quantity=3), item("Fax", quantity=50, version=13)]
        bench.device().install(bench.issuer.bundle(bench.hardware_id, items=items))
        bench.device().reset()
        [fax] = [one for one in bench.device().work().pbx if one.product == "Fax"]
        assert fax.installed == 5

    @pytest.mark.parametrize("product", ["Channels", "Port", "Fax", "Never heard of"])
    def test_a_test_license_works_to_the_second_of_its_end(self, bench: Bench, product: str) -> None:
        lent = {**item(product), "class": "test", "ret": False, "exp": NOW + DAY}
        bench.device().install(bench.issuer.bundle(bench.hardware_id, items=[lent]))
        bench.device().reset()
        bench.hands.run(DAY - 1)
        assert bench.device().status().licenses[0].state == "in-effect"
        bench.hands.run(1)
        work = bench.device().work()
        assert (work.status.licenses[0].state, work.status.licenses[0].waiting) == ("installed", "ended")
        assert all(counter.installed == 0 for counter in (*work.gateway, *work.pbx))

    def test_objects_outlast_a_restart_and_travel_in_the_backup(self, bench: Bench) -> None:
        made = bench.device().change_objects(lambda _: staff(3, Feature.FAX))
        backup = bench.device().exported_configuration()
        bench.device().change_objects(lambda _: Objects())
        bench.device().restore(backup)
        assert bench.device().objects() == made

    def test_objects_that_cannot_be_read_are_told(self, bench: Bench) -> None:
        (bench.home / "objects.json").write_text('{"format":2}')
        with pytest.raises(Refusal) as refused:
            bench.device().work()
        assert refused.value.code == "damaged-state"


EDITS: list[tuple[Callable[[Objects], Objects], str]] = [
    (lambda o: o.with_new_user("  "), "object-name"),
    (lambda o: o.with_new_user("x" * 61), "object-name"),
    (lambda o: o.with_new_user("a\x07b"), "object-name"),
    (lambda o: o.with_new_user("user 0"), "object-name-taken"),
    (lambda o: o.with_new_user("New", number="12a"), "object-number"),
    (lambda o: o.with_new_user("New", number="1" * 13), "object-number"),
    (lambda o: o.with_new_user("New", template=99), "object-unknown"),
    (lambda o: o.with_user(User(99, "New")), "object-unknown"),
    (lambda o: o.without_user(99), "object-unknown"),
    (lambda o: o.with_new_template("staff"), "object-name-taken"),
    (lambda o: o.without_template(o.templates[0].id), "template-in-use"),
    (lambda o: replace(o, users=o.users * MOST_USERS).with_new_user("New"), "too-many-objects"),
    (lambda o: replace(o, templates=o.templates * 100).with_new_template("New"), "too-many-objects"),
]


class TestObjects:
    @pytest.mark.parametrize(
        ("edit", "code"), EDITS, ids=[f"{n}-{code}" for n, (_, code) in enumerate(EDITS)]
    )
    def test_what_cannot_be_is_refused(self, edit: Callable[[Objects], Objects], code: str) -> None:
        with pytest.raises(Refusal) as refused:
            edit(staff(1, Feature.FAX))
        assert refused.value.code == code

    def test_names_are_tidied_and_ids_never_given_out_again(self) -> None:
        objects = Objects().with_new_user("  Ada   Example ", number=" 12 ")
        assert (objects.users[0].name, objects.users[0].number) == ("Ada Example", "12")
        again = objects.without_user(1).with_new_user("Ada Example")
        assert again.users[0].id == 2

    def test_a_template_without_users_can_go(self) -> None:
        objects = staff(1)
        [template] = objects.templates
        free = objects.with_user(replace(objects.users[0], template=None))
        assert free.without_template(template.id).templates == ()

    def test_they_come_through_json_unchanged(self) -> None:
        objects = staff(3, Feature.FAX, Feature.APPLICATION_SHARING).with_new_user("Ada", number="7")
        assert objects_from_json(objects_to_json(objects)) == objects
        assert objects_from_json(None) == Objects()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"format": 2},
            {"next_id": 2},
            {"users": [{"id": 2, "name": "A"}, {"id": 2, "name": "B"}]},
            {"users": [{"id": 2, "name": "A"}, {"id": 3, "name": "a"}]},
            {"users": [{"id": 2, "name": "A", "template": 9}]},
            {"users": [{"id": 2, "name": "A", "number": "x"}]},
            {"users": [{"id": 2, "name": "A", "marks": ["Faxes"]}]},
            {"users": [{"id": 2, "name": "A", "marks": "Fax"}]},
            {"templates": [{"id": 1, "name": ""}]},
            {"users": [{"id": 2 + n, "name": f"U{n}"} for n in range(MOST_USERS + 1)], "next_id": 9999},
        ],
    )
    def test_a_file_is_checked_like_what_people_type(self, wrong: dict[str, object]) -> None:
        with pytest.raises(Refusal):
            objects_from_json({**objects_to_json(staff(2, Feature.FAX)), **wrong})

    def test_marks_are_the_exact_names(self) -> None:
        assert read_marks(["Fax", "UC"]) == {Feature.FAX, Feature.UC}
        with pytest.raises(Refusal) as refused:
            read_marks(["fax"])
        assert refused.value.code == "unknown-mark"
