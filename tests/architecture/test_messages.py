"""The German catalog says everything there is to say, and the tool that keeps it so sees what is missing."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import django
import pytest
import rest_framework
from babel.messages.mofile import read_mo
from django.conf import settings
from django.test import Client
from django.utils import translation
from rest_framework.serializers import EmailField, ValidationError

from portal.core.errors import DomainError, every_refusal
from portal.core.words import unit_in_words
from tools import messages

APPS = ("portal.core", "accounts", "devices", "licenses", "orders", "support")
MODULE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy

TITLE = _("There is nothing here.")
WHOLE = _("The name %(name)s is taken.")
MONTH = pgettext_lazy("month", "May")
MARKED = _("Up to <b>%(many)s</b>.")


def say(count: int) -> str:
    # Translators: as on the balance page.
    return ngettext("%(count)s license", "%(count)s licenses", count)
"""
PAGE = """{% load i18n %}
  <h1 title="{% translate 'Half of 100%' %}">{% translate "Sign in" context "button" %}</h1>
{% if user %}
    {% blocktranslate with name=user.name trimmed %}
      Hello
      {{ name }}
    {% endblocktranslate %}
  {% endif %}
{{ _("Welcome")|upper }} {% button _("Send") %}
{% blocktranslate count n=rows|length %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
"""
GERMAN = {
    "There is nothing here.": "Hier gibt es nichts.",
    "The name %(name)s is taken.": "Der Name %(name)s ist vergeben.",
    "Enter a number.": "Geben Sie eine Zahl ein.",
    "May": "Mai",
    "Up to <b>%(many)s</b>.": "Bis zu <b>%(many)s</b>.",
    "%(count)s license": "%(count)s Lizenz",
    "%(count)s licenses": "%(count)s Lizenzen",
    "Half of 100%%": "Hälfte von 100 %%",
    "Sign in": "Anmelden",
    "Hello %(name)s": "Guten Tag %(name)s",
    "Welcome": "Willkommen",
    "Send": "Senden",
    "%(n)s row": "%(n)s Zeile",
    "%(n)s rows": "%(n)s Zeilen",
}


def refusals() -> list[type[DomainError]]:
    """Every refusal of the portal, whichever module it is in."""
    for app in APPS:
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            importlib.import_module(module.name)
    found = (refusal for refusal in every_refusal() if refusal.__module__.startswith(APPS))
    return sorted(found, key=lambda refusal: refusal.code)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A portal of one module and one page, all of it translated."""
    for package in messages.PACKAGES:
        (tmp_path / package).mkdir()
    (tmp_path / "licenses" / "rules.py").write_text(MODULE)
    (tmp_path / "portal" / "templates").mkdir()
    (tmp_path / "portal" / "templates" / "page.html").write_text(PAGE)
    monkeypatch.setattr(messages, "FRAMEWORKS", ("Enter a number.",))
    messages.update(tmp_path)
    translate(tmp_path, GERMAN)
    messages.update(tmp_path)
    return tmp_path


def po_of(tree: Path) -> Path:
    return tree / "portal" / "locale" / "de" / "LC_MESSAGES" / "django.po"


def translate(tree: Path, german: dict[str, str]) -> None:
    """Write translations below their sentences, as a translator would."""
    lines = po_of(tree).read_text().splitlines()
    singular = plural = ""
    for number, line in enumerate(lines):
        if found := re.fullmatch(r'msgid "(.+)"', line):
            singular = found[1]
        elif found := re.fullmatch(r'msgid_plural "(.+)"', line):
            plural = found[1]
        elif found := re.fullmatch(r'(msgstr(?:\[(\d)\])?) ".*"', line):
            sentence = plural if found[2] == "1" else singular
            lines[number] = f'{found[1]} "{german[sentence]}"' if sentence in german else line
    po_of(tree).write_text("\n".join(lines) + "\n")


def files_of(tree: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in tree.rglob("*") if file.is_file()}


class TestCatalogs:
    def test_they_are_up_to_date_and_complete(self) -> None:
        answer = subprocess.run(
            [sys.executable, "-m", "tools.messages", "--check"],
            cwd=messages.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert answer.returncode == 0, answer.stdout + answer.stderr

    def test_there_is_one_for_every_language_but_the_one_the_code_is_written_in(self) -> None:
        assert {code for code, _ in settings.LANGUAGES} - {"en"} == set(messages.LANGUAGES)

    @pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code)
    def test_they_say_each_refusal_in_german(self, refusal: type[DomainError]) -> None:
        with translation.override("en"):
            english = [str(text) for text in (refusal.title, refusal.why, refusal.way_out)]
        with translation.override("de"):
            german = [str(text) for text in (refusal.title, refusal.why, refusal.way_out)]

        assert all(english)
        assert german[0] != english[0]
        assert german[1] != english[1]
        assert german[2] != english[2]

    @pytest.mark.parametrize(("count", "words"), [(1, "Vermittlungsplatz"), (2, "Vermittlungsplätze")])
    def test_they_count_in_german(self, count: int, words: str) -> None:
        with translation.override("de"):
            assert unit_in_words("operator", count=count) == words

    @pytest.mark.parametrize("sentence", messages.FRAMEWORKS)
    def test_they_say_again_only_what_the_frameworks_say(self, sentence: str | tuple[str, str]) -> None:
        folders = [Path(django.__file__).parent / "conf", Path(rest_framework.__file__).parent]
        catalogs = [folder / "locale" / "de" / "LC_MESSAGES" / "django.mo" for folder in folders]

        assert any(read_mo(BytesIO(catalog.read_bytes())).get(sentence) for catalog in catalogs)

    def test_they_are_polite_where_a_framework_is_not(self) -> None:
        with translation.override("de"), pytest.raises(ValidationError) as refused:
            EmailField().run_validation("nobody")

        assert refused.value.detail == ["Geben Sie eine gültige E-Mail-Adresse ein."]


@pytest.mark.django_db
class TestPages:
    @pytest.fixture(autouse=True)
    def _speaks_as_before(self) -> Iterator[None]:
        """A request leaves its language behind in the thread; the next test would speak it."""
        with translation.override("en"):
            yield

    @pytest.mark.parametrize(
        ("language", "word"), [("de-AT,de;q=0.9,en;q=0.5", "Anmelden"), ("en", "Sign in")]
    )
    def test_they_speak_the_language_that_the_browser_asks_for(
        self, client: Client, language: str, word: str
    ) -> None:
        response = client.get("/sign-in", headers={"accept-language": language})

        page = response.content.decode()
        assert response.status_code == 200
        assert f'<html lang="{language[:2]}"' in page
        assert word in page

    def test_their_refusals_are_in_german_too(self, client: Client) -> None:
        response = client.get("/nothing-here", headers={"accept-language": "de"})

        assert response.status_code == 404
        assert "Hier gibt es nichts" in response.content.decode()

    def test_problem_documents_are_in_the_language_that_the_program_asks_for(self, client: Client) -> None:
        response = client.get("/api/v1/nothing-here", headers={"accept-language": "de"})

        assert response.status_code == 404
        assert "Hier gibt es nichts" in response.json()["title"]


class TestUpdate:
    def test_it_finds_the_sentences_of_code_and_pages(self, tree: Path) -> None:
        found = [(message.id, message.context, message.notes) for message in messages.find_messages(tree)]

        assert found == [
            ("Half of 100%%", None, ()),
            ("Sign in", "button", ()),
            ("Hello %(name)s", None, ()),
            ("Welcome", None, ()),
            ("Send", None, ()),
            (("%(n)s row", "%(n)s rows"), None, ()),
            ("There is nothing here.", None, ()),
            ("The name %(name)s is taken.", None, ()),
            ("May", "month", ()),
            ("Up to <b>%(many)s</b>.", None, ()),
            (
                ("%(count)s license", "%(count)s licenses"),
                None,
                ("Translators: as on the balance page.",),
            ),
            ("Enter a number.", None, ()),
        ]

    def test_it_leaves_the_appliance_and_migrations_out(self, tree: Path) -> None:
        for folder in (tree / "appliance", tree / "licenses" / "migrations"):
            folder.mkdir()
            (folder / "module.py").write_text('_("Not the portal speaking")\n')

        assert messages.check(tree) == []

    def test_it_writes_files_without_line_numbers_that_move_and_dates_that_pass(self, tree: Path) -> None:
        before = files_of(tree / "portal" / "locale")
        module = tree / "licenses" / "rules.py"
        module.write_text("\n\n\n" + module.read_text())

        messages.update(tree)

        assert files_of(tree / "portal" / "locale") == before
        assert b"Date" not in before[po_of(tree)]

    def test_it_keeps_what_is_translated_and_lists_what_is_new(self, tree: Path) -> None:
        module = tree / "licenses" / "rules.py"
        module.write_text(module.read_text() + 'MORE = _("One more sentence.")\n')

        left = messages.update(tree)

        assert left == ["de: untranslated: “One more sentence.” (licenses/rules.py)"]
        assert "Der Name %(name)s ist vergeben." in po_of(tree).read_text()

    def test_it_drops_a_sentence_that_is_gone_without_a_trace(self, tree: Path) -> None:
        (tree / "portal" / "templates" / "page.html").write_text("Nothing to translate")

        messages.update(tree)

        assert "Welcome" not in po_of(tree).read_text()
        assert b"Willkommen" not in po_of(tree).with_suffix(".mo").read_bytes()

    def test_it_keeps_the_notes_of_translators(self, tree: Path) -> None:
        po = po_of(tree)
        po.write_text(po.read_text().replace("#: licenses", "# not the permission\n#: licenses", 1))

        messages.update(tree)

        assert po.read_text().count("# not the permission\n") == 1

    @pytest.mark.parametrize(
        ("file", "text", "line"),
        [
            ("licenses/rules.py", 'TITLE = _("open', r"licenses/rules\.py cannot be read: .+"),
            ("portal/templates/page.html", b"\xff", r"portal/templates/page\.html cannot be read: .+"),
            (
                "portal/templates/page.html",
                "{% blocktranslate %}{% if x %}{% endblocktranslate %}",
                r"portal/templates/page\.html cannot be read: .*must not include other block tags.*",
            ),
            (
                "portal/locale/de/LC_MESSAGES/django.po",
                "oops\n",
                r".+django\.po cannot be .+",
            ),
        ],
    )
    def test_it_refuses_what_it_cannot_read_in_one_line(
        self, tree: Path, file: str, text: str | bytes, line: str
    ) -> None:
        (tree / file).write_bytes(text if isinstance(text, bytes) else text.encode())

        with pytest.raises(messages.MessagesRefusal) as refused:
            messages.update(tree)

        assert re.fullmatch(line, str(refused.value))

    def test_it_knows_every_name_under_which_a_module_asks_for_a_translation(self) -> None:
        unknown = [
            f"{file.relative_to(messages.ROOT)} says {alias.asname}"
            for package in messages.PACKAGES
            for file in (messages.ROOT / package).rglob("*.py")
            for node in ast.walk(ast.parse(file.read_bytes()))
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
            for alias in node.names
            if alias.asname is not None
            and (alias.asname != "_" or alias.name not in {"gettext", "gettext_lazy"})
        ]

        assert unknown == []


class TestCheck:
    @pytest.fixture
    def command(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The command line, pointed at the small portal."""
        monkeypatch.setattr(messages, "ROOT", tree)
        monkeypatch.setattr(sys, "argv", ["messages", "--check"])
        return tree

    def test_it_is_content_with_what_is_translated(
        self, command: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert messages.main() == 0
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("before", "after", "fault"),
        [
            ('"Willkommen"', '""', "untranslated: “Welcome” (portal/templates/page.html)"),
            ('msgstr[1] "%(n)s Zeilen"', 'msgstr[1] ""', "untranslated: “%(n)s row”"),
            ('msgid "Welcome"', '#, fuzzy\nmsgid "Welcome"', "fuzzy: “Welcome”"),
            ("Der Name %(name)s", "Der Name", "placeholders or tags differ: “The name %(name)s is taken.”"),
            ("Der Name %(name)s", "Der Name %(nam)s", "placeholders or tags differ: “The name"),
            ("Der Name %(name)s", "Der %(art)s %(name)s", "placeholders or tags differ: “The name"),
            ("Der Name %(name)s", "Der Name %(name)", "placeholders or tags differ: “The name"),
            ("Hälfte von 100 %%", "Hälfte von 100 %", "placeholders or tags differ: “Half of 100%%”"),
            ("Bis zu <b>%(many)s</b>", "Bis zu <b>%(many)s<b>", "placeholders or tags differ: “Up to"),
            ("%(count)s Lizenzen", "Lizenzen", "placeholders or tags differ: “%(count)s license”"),
            ('%(count)s Lizenz"', 'Eine Lizenz"', "placeholders or tags differ: “%(count)s license”"),
        ],
    )
    def test_it_tells_a_fault_of_a_translation(
        self, command: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, fault: str
    ) -> None:
        po = po_of(command)
        assert before in po.read_text()
        po.write_text(po.read_text().replace(before, after))
        messages.update(command)
        capsys.readouterr()

        assert messages.main() == 1
        out = capsys.readouterr().out
        assert out.startswith(f"de: {fault}")
        assert out.count("\n") == 1

    def test_it_tells_that_sources_have_changed_and_changes_nothing(
        self, command: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = command / "portal" / "templates" / "page.html"
        page.write_text(page.read_text().replace("Welcome", "Sign in"))
        before = files_of(command)

        assert messages.main() == 1
        assert "django.po is out of date: run `make messages`" in capsys.readouterr().out
        assert files_of(command) == before

    @pytest.mark.parametrize("damage", [Path.unlink, lambda mo: mo.write_bytes(b"")])
    def test_it_tells_that_the_compiled_file_is_not_that_of_its_source(
        self, command: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], object]
    ) -> None:
        damage(po_of(command).with_suffix(".mo"))

        assert messages.main() == 1
        out = capsys.readouterr().out
        assert out == "portal/locale/de/LC_MESSAGES/django.mo is out of date: run `make messages`\n"

    def test_it_tells_that_a_source_cannot_be_read(
        self, command: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (command / "accounts" / "models.py").write_text("def (")
        (command / "accounts" / "queries.py").write_bytes(b"NAME = '\xff'")

        assert messages.main() == 1
        assert re.fullmatch(r"accounts/\w+\.py cannot be read: .+\n", capsys.readouterr().out)
