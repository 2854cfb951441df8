import functools
import itertools
from collections.abc import Callable

import pytest
from django.utils import translation
from django.utils.translation import gettext

from accounts import person_blocking
from accounts.models import Company, ReasonTemplate, User
from accounts.permissions import Role
from appliance.factory.authority import make_authority, pem
from devices import alerts, blocking
from devices.models import Alert, Device, TrustAnchor
from licenses import fulfilment, key_blocking, key_replacement
from licenses.issuing import OrderLine, WantedOrder
from licenses.models import ActivationKey, Move
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import findings, fits, follow, sign_in
from tests.factories import NOW, PASSWORD, caller
from tests.operations import moving

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"
JTI = "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """A company in which there is something of everything."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    factories.make_user(name="Dora", email="dora@example.com", password=PASSWORD)
    company = factories.activated(factories.make_company(founder=alice), {"UC": 5, "ApplicationSharing": 3})
    project = factories.activated(factories.first_project(company), {"Port": 10, "Channels": 4})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.assigned(device, 3)
    factories.give_back(device, factories.assigned(device, 1), "A" * 22, key=JTI)
    factories.make_project(company=company, name="City hospital")
    factories.make_token("operate", company=company, maker=alice, name="ERP")
    return company


def placed_for(account: str, clerk: User) -> ActivationKey:
    """The key of a new order of a customer account."""
    wanted = WantedOrder(
        number="SO/1", account=account, lines=(OrderLine(code="UC", version=14, quantity=2),)
    )
    return fulfilment.place_order(order=wanted, caller=caller(clerk), now=NOW).keys[0].activation_key


Say = Callable[[str], str]


@pytest.fixture
def say(language: str) -> Say:
    """What the page says in its language for a text of the source."""

    def translated(text: str) -> str:
        with translation.override(language):
            return gettext(text)

    return translated


@pytest.fixture
def window(open_window: OpenWindow, width: int, dark: bool, language: str) -> OpenWindow:
    """Opens a window of the combination, in which somebody is signed in."""
    return functools.partial(open_window, width=width, dark=dark, language=language)


PHONE, DESK = (360, False, "en"), (1280, True, "de")


def combinations(every_day: tuple[int, bool, str]) -> pytest.MarkDecorator:
    """Width, theme and language: one combination of a test every day, all eight in `make long`."""
    return pytest.mark.parametrize(
        ("width", "dark", "language"),
        [
            pytest.param(
                *combination,
                id=f"{width}-{'dark' if dark else 'light'}-{language}",
                marks=[] if combination == every_day else [pytest.mark.long],
            )
            for combination in itertools.product((360, 1280), (False, True), ("en", "de"))
            for width, dark, language in [combination]
        ],
    )


class TestPages:
    @combinations(every_day=DESK)
    def test_axe_finds_nothing_on_any_page(self, window: OpenWindow, say: Say, company: Company) -> None:
        page = window().page
        page.goto("/")
        found = {"sign-in": findings(page)}
        sign_in(page, User.objects.get(forename="Alice"))
        [default, other] = company.projects.order_by("pk")
        for address in (
            "/",
            "/activate",
            "/search?q=main",
            "/search?q=nothing",
            "/companies/new",
            f"/companies/{company.pk}",
            f"/companies/{company.pk}/keys",
            f"/companies/{company.pk}/history",
            f"/companies/{company.pk}/balance",
            f"/projects/{default.pk}/balance",
            f"/devices/{HARDWARE_ID}/history?kind=people",
            "/activate/several",
            f"/companies/{company.pk}/projects/new",
            f"/companies/{company.pk}/api-tokens",
            f"/projects/{default.pk}/api-tokens",
            f"/companies/{company.pk}/transfer",
            f"/projects/{default.pk}",
            f"/projects/{other.pk}",
            f"/projects/{default.pk}?find=main&sort=-contact",
            f"/projects/{default.pk}/devices/many",
            f"/projects/{default.pk}/assign?device={HARDWARE_ID}",
            f"/devices/{HARDWARE_ID}",
            f"/devices/{HARDWARE_ID}/returns/{JTI}",
            f"/projects/{default.pk}/claim",
            "/components",
            "/nowhere",
            "/problems/insufficient-licenses",
        ):
            page.goto(address)
            found[address] = findings(page)
            assert fits(page), address
        assert {address: report for address, report in found.items() if report} == {}

    @combinations(every_day=PHONE)
    def test_axe_finds_nothing_where_something_was_refused_or_is_asked(
        self, window: OpenWindow, say: Say, company: Company
    ) -> None:
        page = window().page
        page.goto("/")
        page.get_by_label(say("E-mail address")).fill("alice@example.com")
        page.get_by_label(say("Password")).fill("wrong")
        follow(page.get_by_role("button", name=say("Sign in")))
        found = {"sign-in": findings(page)}
        sign_in(page, User.objects.get(forename="Alice"))
        page.goto("/activate")
        page.get_by_label(say("Activation key")).fill(factories.make_key())
        follow(page.get_by_role("button", name=say("Look what it holds")))
        found["confirm"] = findings(page)
        follow(page.get_by_role("button", name=say("Activate the key")))
        found["activated"] = findings(page)
        [project, _other] = company.projects.order_by("pk")
        page.goto(f"/companies/{company.pk}/transfer?from=company:{company.pk}")
        page.get_by_label(say("To"), exact=True).select_option(f"project:{project.pk}")
        page.get_by_label(say("Quantity")).fill("1")
        follow(page.get_by_role("button", name=say("Look at the numbers")))
        found["transfer"] = findings(page)
        page.goto(f"/projects/{project.pk}/devices/many")
        page.get_by_label(say("Devices")).fill("009033770001;A branch\nnonsense")
        follow(page.get_by_role("button", name=say("Check the list")))
        found["add many"] = findings(page)
        page.goto(f"/projects/{project.pk}/assign?device={HARDWARE_ID}")
        page.get_by_label(say("Quantity for each device")).fill("1")
        follow(page.get_by_role("button", name=say("Look at the numbers")))
        found["assign many"] = findings(page)
        page.goto("/activate/several")
        page.get_by_label(say("Activation keys")).fill(f"{factories.make_key()}\nnonsense")
        follow(page.get_by_role("button", name=say("Look what they hold")))
        found["several keys"] = findings(page)
        follow(page.locator("main .actions button").first)
        found["several activated"] = findings(page)
        page.goto(f"/devices/{HARDWARE_ID}")
        page.get_by_label(say("Quantity")).fill("1000")
        follow(page.get_by_role("button", name=say("Assign")))
        found["assign"] = findings(page)
        page.get_by_text(say("Carry files by phone")).click()
        page.get_by_label(say("or its text")).fill("nonsense")
        follow(page.get_by_role("button", name=say("Hand in the file")))
        found["hand in"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}

    @combinations(every_day=DESK)
    def test_axe_finds_nothing_where_a_device_is_taken_or_blocked(
        self, window: OpenWindow, say: Say, company: Company
    ) -> None:
        dora = factories.make_company(founder=User.objects.get(forename="Dora"), name="Dora Systems")
        Device.objects.update(blocked_at=NOW, pinned_spki=b"\x07" * 32, pinned_at=NOW)
        page = window(user=User.objects.get(forename="Alice")).page
        page.goto("/")
        page.goto(f"/devices/{HARDWARE_ID}")
        found = {"blocked": findings(page)}
        assert fits(page)
        page.get_by_role("button", name=say("Sign out")).click()
        sign_in(page, User.objects.get(forename="Dora"))
        page.goto(f"/projects/{factories.first_project(dora).pk}")
        page.get_by_label(say("Hardware ID")).fill(HARDWARE_ID)
        follow(page.get_by_role("button", name=say("Add the device")))
        found["taken"] = findings(page)
        page.get_by_role("link", name=say("Claim this device")).click()
        follow(page.get_by_role("button", name=say("Make the code")))
        found["code"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}

    @combinations(every_day=PHONE)
    def test_axe_finds_nothing_on_the_staff_pages(
        self, window: OpenWindow, say: Say, company: Company, anchor: TrustAnchor
    ) -> None:
        factories.make_user(
            name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True, roles=list(Role)
        )
        page = window(user=User.objects.get(forename="Sam")).page
        page.goto("/")
        found = {}
        product, key = factories.get_product(), factories.find_key(factories.make_key())
        factories.make_customer(number="C-10042", postal_code="71063")
        for address in ("", "alerts", "trust-anchors", "blocks"):  # also where there is nothing yet
            page.goto(f"/staff/{address}")
            found[f"{address} before"] = findings(page)
        device = Device.objects.get()
        of_companies = (Alert.Kind.CAP_REACHED, Alert.Kind.KEYS_TRIED)
        for kind in (kind for kind in Alert.Kind if kind not in of_companies):
            alerts.alert(kind, device=device, subject="1", now=NOW, ctr=1, seq=9_000_000, ahead=8_999_999)
        for kind in of_companies:
            alerts.alert_about_company(
                kind, company=company, now=NOW, broken=HARDWARE_ID, counted=5, cap=5, tries=5
            )
        [first, second, *_] = Alert.objects.order_by("pk")
        of_company = Alert.objects.get(kind=Alert.Kind.CAP_REACHED)
        alerts.settle_alert(settled=first, caller=caller(reason="asked them"), now=NOW)
        blocking.block_device(device=device, caller=caller(reason="stolen from the van"), now=NOW)
        blocking.block_key(key_hash="ab" * 32, caller=caller(reason="copied"), now=NOW)
        template = ReasonTemplate.objects.create(name="Seen", language="en", text="Seen it.", made_at=NOW)
        facts = {"certificate": "cd" * 32, "valid_from": NOW.isoformat(), "valid_until": NOW.isoformat()}
        alerts.alert(Alert.Kind.OTHER_KEY, device=device, subject="cd" * 32, now=NOW, **facts)
        Device.objects.update(pinned_spki=b"\x07" * 32, pinned_at=NOW)
        elsewhere = factories.make_company(founder=User.objects.get(forename="Dora"), name="Dora Systems")
        lost, lisa = factories.find_key(factories.make_key()), factories.make_user(name="Lisa")
        sam = User.objects.get(forename="Sam")
        key_blocking.block_activation_key(key=lost, caller=caller(sam, reason="lost"), now=NOW)
        person_blocking.block_person(user=lisa, caller=caller(sam, reason="stolen"), now=NOW)
        for address in (
            "",
            "reasons",
            f"reasons/{template.pk}",
            "audit",
            "audit?kind=device&what=look&since=2026-11-24",
            f"devices/{HARDWARE_ID}/certificates/{'cd' * 32}",
            f"devices/{HARDWARE_ID}/hand-over?q=dora",
            f"devices/{HARDWARE_ID}/hand-over/{factories.first_project(elsewhere).pk}",
            "alerts",
            f"alerts/{first.pk}",
            f"alerts/{second.pk}",
            f"alerts/{of_company.pk}",
            "trust-anchors",
            "trust-anchors/add",
            f"trust-anchors/{bytes(anchor.sha256).hex()}/remove",
            "blocks",
            "blocks/device",
            "blocks/key",
            f"blocks/device/{HARDWARE_ID}",
            f"blocks/key/{'ab' * 32}",
            "products",
            f"products/{product.pk}",
            "products/new",
            "customers",
            "outcomes",
            f"orders/{key.order_id}/certificate",
        ):
            page.goto(f"/staff/{address}")
            found[address] = findings(page)
            assert fits(page), address
        page.goto("/staff/trust-anchors/add")
        page.get_by_label(say("Manufacturer")).fill("Other Networks")
        page.get_by_label(say("Or the certificate pasted")).fill(
            pem(make_authority("Other Networks", now=NOW).root).decode()
        )
        page.get_by_label(say("Hardware IDs it may speak for")).fill("00-90")
        follow(page.get_by_role("button", name=say("Look at it")))
        found["refused"] = findings(page)
        page.get_by_label(say("Hardware IDs it may speak for")).fill("00-90-34")
        follow(page.get_by_role("button", name=say("Look at it")))
        found["anchor asked"] = findings(page)
        follow(page.get_by_role("button", name=say("Trust it")))
        found["anchor added"] = findings(page)
        page.goto(f"/staff/blocks/device?device={HARDWARE_ID}")
        page.get_by_label(say("Reason")).fill("stolen from the van")
        follow(page.get_by_role("button", name=say("Look at the device")))
        found["block asked"] = findings(page)
        assert TrustAnchor.objects.count() == 2
        assert {name: report for name, report in found.items() if report} == {}

    @combinations(every_day=DESK)
    def test_axe_finds_nothing_on_the_pages_of_orders_people_and_what_was_done(
        self, window: OpenWindow, say: Say, company: Company
    ) -> None:
        sam = factories.make_user(
            name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True, roles=list(Role)
        )
        alice = User.objects.get(forename="Alice")
        account = factories.make_customer(number="C-10042", postal_code="71063")
        account.company, account.linked_at = company, NOW
        account.save()
        page = window(user=sam).page
        page.goto("/")
        found = {}

        def look(address: str) -> None:
            page.goto(address)
            found[address] = findings(page)
            assert fits(page), address

        look("/staff/tokens")  # before there is one
        [first, *_rest] = [factories.find_key(factories.make_key()) for _number in range(60)]
        taken = ActivationKey.objects.filter(state="activated")[0]
        mine = placed_for("C-10042", sam)
        key_replacement.ask_for_replacement(
            activation_key=mine, company=company, user=alice, caller=caller(alice, reason="lost"), now=NOW
        )
        factories.make_vendor_token(sam)
        device = Device.objects.get()
        moving.asked(device, factories.make_device(project=device.project))
        move = Move.objects.get()
        for address in (
            "orders",
            "orders/enter",
            "orders/upload",
            f"orders/{first.order_id}",
            f"orders/{taken.order_id}",
            f"orders/{mine.order_id}",
            f"orders/{mine.order_id}/cancel",
            f"orders/{mine.order_id}/keys/{mine.pk}/replace",
            "tokens",
            f"corrections/{taken.order.number}",
            f"keys/{taken.pk}",
            f"keys/{first.pk}/block",
            f"people/{alice.pk}/block",
            "moves",
            f"moves/{move.pk}",
            f"devices/{HARDWARE_ID}",
            "?q=no+such+thing",
        ):
            look(f"/staff/{address}")
        page.goto(f"/staff/orders/{first.order_id}")
        follow(page.get_by_role("button", name=say("Show the keys")))
        found["keys shown"] = findings(page)
        assert fits(page)
        for name, lines in (("wrong", "=A;Port;14;1\nB;Port;14;none\n"), ("right", "A;Port;14;1\n")):
            page.goto("/staff/orders/upload")
            content = f"order;code;version;quantity\n{lines}".encode()
            page.get_by_label(say("File"), exact=True).set_input_files(
                {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": content}
            )
            page.get_by_role("button", name=say("Check the list")).click()
            page.get_by_role("table" if name == "wrong" else "button").last.wait_for()
            found[f"list {name}"] = findings(page)
            assert fits(page), name
        look("/staff/orders/upload")  # with a list
        sign_in(page, alice)
        look(f"/companies/{company.pk}/orders")
        look(f"/companies/{company.pk}/orders/{mine.order_id}/keys/{mine.pk}/lost")
        look(f"/devices/{HARDWARE_ID}/moves/{move.pk}/evidence")
        assert {name: report for name, report in found.items() if report} == {}

    @combinations(every_day=PHONE)
    def test_axe_finds_nothing_where_there_is_nothing_yet(
        self, window: OpenWindow, say: Say, company: Company
    ) -> None:
        page = window(user=User.objects.get(forename="Dora")).page
        page.goto("/")
        found = {"home": findings(page)}
        page.goto("/activate")
        found["activate"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}
