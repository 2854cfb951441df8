"""The message catalogs, without gettext: `python -m tools.messages [--check]`.

English sentences in code and templates are the keys. For each other language, django.po under portal/locale
holds what translators wrote, and django.mo beside it is what Django reads. Run it after changing a sentence,
translate what it lists in django.po, and run it again. The same sources always give the same bytes: no dates,
no line numbers.
"""

import argparse
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, generate_po, read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
# Apart from English, which needs no catalog: its sentences are the keys.
LANGUAGES = ("de",)
# The appliance is a program of its own, with strings of its own.
PACKAGES = ("portal", "accounts", "devices", "licenses", "orders", "support")
FOLDER = Path("portal/locale")
SOURCES = ("*.py", "*.html", "*.txt")
NO_SOURCES = {"migrations", "__pycache__", "static", "locale"}
# What Django calls its functions, and which of their arguments are messages ("c": the context).
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
NOTES = ("Translators:",)
# What Django and its REST framework say to people by themselves, translated again: the German of the latter
# says "du". The portal's catalog is read after theirs, so it prevails.
FRAMEWORKS: tuple[str | tuple[str, str], ...] = (
    "This field is required.",
    "Enter a valid email address.",
    "Enter a valid URL.",
    "Enter a whole number.",
    (
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    "Ensure this value is greater than or equal to {min_value}.",
    "Ensure this value is less than or equal to {max_value}.",
    "Ensure this field has at least {min_length} characters.",
    "Ensure this field has no more than {max_length} characters.",
)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0+-]*\d*(?:\.\d+)?[a-zA-Z%]|\{\w*\}")
TAG = re.compile(r"</?[a-z][^>]*>")


class MessagesRefusal(Exception):
    """A source or a catalog cannot be read; the message is one line that says which and why."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One message at one place. `id` is the sentence, or the pair of singular and plural."""

    id: str | tuple[str, ...]
    context: str | None
    file: str
    line: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The catalog of one language: its two files as they should be, and what is wrong with what they say."""

    language: str
    count: int
    files: Mapping[Path, bytes]
    faults: tuple[str, ...]


class _Messages(Catalog):
    """A catalog whose header is the same at every run and with every release of Babel."""

    def _fixed_headers(self) -> list[tuple[str, str]]:
        return [
            ("Project-Id-Version", "License Portal"),
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]

    mime_headers = property(_fixed_headers)


def find_messages(root: Path) -> Iterator[Found]:
    """All messages of the portal's code and templates, by file and line, and those of the frameworks.

    :raises MessagesRefusal: a file is no Python, or translates a block that holds other tags.
    """
    for package in PACKAGES:
        files = (file for pattern in SOURCES for file in (root / package).rglob(pattern))
        for file in sorted(files):
            name = file.relative_to(root)
            if NO_SOURCES.isdisjoint(name.parts):
                yield from _messages_in(file.read_bytes(), name.as_posix())
    for number, sentence in enumerate(FRAMEWORKS):
        yield Found(id=sentence, context=None, file="tools/messages.py", line=number, notes=())


def _messages_in(source: bytes, name: str) -> Iterator[Found]:
    try:
        if not name.endswith(".py"):
            source = _template_as_python(source.decode(), name)
        for line, message, notes, context in extract("python", BytesIO(source), KEYWORDS, NOTES):
            id_ = message if isinstance(message, str) else tuple(message)
            yield Found(id=id_, context=context, file=name, line=line, notes=tuple(notes))
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError) as error:
        raise MessagesRefusal(f"{name} cannot be read: {error}") from error


def _template_as_python(source: str, name: str) -> bytes:
    # Django blanks the text of a page and leaves calls of gettext, for a scanner that does not mind
    # indentation. Babel's is Python's own, which does.
    lines = templatize(source, origin=name).split("\n")
    return "\n".join(line.strip() for line in lines).encode()


def catalog_of(found: list[Found], known: Catalog, language: str) -> Catalog:
    """The messages found, with the translations, notes and doubts (fuzzy) of those that are known.

    A message that is no longer in the sources is dropped, and a changed one is a new one: a guess at its
    translation would be wrong as often as right, and the old one stands in the history.
    """
    catalog = _Messages(locale=language, header_comment="", fuzzy=False)
    for one in found:
        before = known.get(one.id, one.context)
        if before is None or isinstance(before.id, str) != isinstance(one.id, str):
            before = Message(one.id)
        catalog.add(
            one.id,
            before.string,
            locations=[(one.file, one.line)],
            flags=["fuzzy"] if before.fuzzy else [],
            auto_comments=one.notes,
            user_comments=before.user_comments,
            context=one.context,
        )
    return catalog


def faults_of(catalog: Catalog) -> Iterator[str]:
    """One line for each message that is untranslated, doubtful (fuzzy) or has other placeholders or tags."""
    for message in catalog:
        if not message.id:
            continue
        texts = [message.string] if isinstance(message.string, str) else list(message.string or [""])
        if not all(texts):
            yield f"untranslated: {_named(message)}"
        elif message.fuzzy:
            yield f"fuzzy: {_named(message)}"
        elif not _same_parts(message, texts):
            yield f"placeholders or tags differ: {_named(message)}"


def _named(message: Message) -> str:
    sentence = message.id if isinstance(message.id, str) else message.id[0]
    files = sorted({file for file, _ in message.locations})
    return f"“{sentence}” ({', '.join(files)})"


def _same_parts(message: Message, texts: list[str]) -> bool:
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    # The second of the English forms stands for all further ones of another language.
    sources += sources[-1:] * (len(texts) - len(sources))
    return all(_parts(text) == _parts(source) for text, source in zip(texts, sources, strict=True))


def _parts(text: str) -> tuple[set[str], list[str]]:
    """What is no words: placeholders like %(name)s, as often as the language needs them, and HTML tags."""
    placeholders = set(PLACEHOLDER.findall(text)) - {"%%"}
    if "%" in PLACEHOLDER.sub("", text):
        placeholders.add("%")  # on its own, it breaks the filling in of the others
    return placeholders, sorted(TAG.findall(text))


def outcomes(root: Path) -> Iterator[Outcome]:
    """What the catalogs under `root` should be, language by language. Writes nothing.

    :raises MessagesRefusal: a source or a catalog cannot be read.
    """
    found = list(find_messages(root))
    for language in LANGUAGES:
        po = root / FOLDER / language / "LC_MESSAGES" / "django.po"
        catalog = catalog_of(found, _read(po, language), language)
        lines = generate_po(catalog, include_lineno=False, sort_by="location", width=0)
        mo = BytesIO()
        write_mo(mo, catalog)
        # The header comment is empty, and so is the first line.
        text = "".join(lines).strip("\n") + "\n"
        yield Outcome(
            language=language,
            count=len(catalog),
            files={po: text.encode(), po.with_suffix(".mo"): mo.getvalue()},
            faults=tuple(faults_of(catalog)),
        )


def _read(po: Path, language: str) -> Catalog:
    if not po.exists():
        return Catalog(locale=language)
    try:
        return read_po(BytesIO(po.read_bytes()), locale=language, charset="utf-8", abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, UnknownLocaleError) as error:
        raise MessagesRefusal(f"{po} cannot be read: {error}") from error


def check(root: Path) -> list[str]:
    """What is wrong with the catalogs under `root`, a line each; empty if nothing is. Changes nothing.

    :raises MessagesRefusal: a source or a catalog cannot be read.
    """
    lines: list[str] = []
    for outcome in outcomes(root):
        for file, content in outcome.files.items():
            if not file.exists() or file.read_bytes() != content:
                lines.append(f"{file.relative_to(root)} is out of date: run `make messages`")
        lines += [f"{outcome.language}: {fault}" for fault in outcome.faults]
    return lines


def update(root: Path) -> list[str]:
    """Write the catalogs under `root`; returns what is left for a translator, a line each.

    :raises MessagesRefusal: a source or a catalog cannot be read.
    """
    lines: list[str] = []
    for outcome in outcomes(root):
        for file, content in outcome.files.items():
            if not file.exists() or file.read_bytes() != content:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                print(f"written: {file.relative_to(root)}")
        print(f"{outcome.language}: {outcome.count} messages, {len(outcome.faults)} left to translate")
        lines += [f"{outcome.language}: {fault}" for fault in outcome.faults]
    return lines


def main() -> int:
    """Bring the catalogs up to date (0), or with --check say what is wrong with them (1 if anything is)."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages", description="Message catalogs.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if anything is wrong")
    arguments = parser.parse_args()
    try:
        lines = check(ROOT) if arguments.check else update(ROOT)
    except MessagesRefusal as refusal:
        print(refusal)
        return 1
    for line in lines:
        print(line)
    return 1 if arguments.check and lines else 0


if __name__ == "__main__":
    sys.exit(main())
