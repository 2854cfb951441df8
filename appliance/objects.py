"""The objects of the PBX: users and config templates with their marks (mission rule 33).

An `Objects` is never changed; each edit returns another one, with every name and reference checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from appliance import claims
from appliance.kinds import FEATURES, Feature
from appliance.refusals import Refusal

MOST_USERS: Final = 2000
MOST_TEMPLATES: Final = 100
LONGEST_NAME: Final = 60
LONGEST_NUMBER: Final = 12
Marks = frozenset[Feature]


@dataclass(frozen=True)
class Template:
    """A config template: the marks of every user that has it."""

    id: int
    name: str
    marks: Marks = frozenset()


@dataclass(frozen=True)
class User:
    """A user object. `id` says how early it was made; `template` is the id of its config template."""

    id: int
    name: str
    number: str = ""
    marks: Marks = frozenset()
    template: int | None = None


_Named = TypeVar("_Named", User, Template)


@dataclass(frozen=True)
class Objects:
    """All users and templates, in the order in which they were made. No id is ever given out again."""

    users: tuple[User, ...] = ()
    templates: tuple[Template, ...] = ()
    next_id: int = field(default=1)

    def user(self, object_id: int) -> User:
        """Return a user.

        :raises Refusal: `object-unknown`.
        """
        return _found(self.users, object_id)

    def template(self, object_id: int) -> Template:
        """Return a config template.

        :raises Refusal: `object-unknown`.
        """
        return _found(self.templates, object_id)

    def template_of(self, user: User) -> Template | None:
        """Return the config template of a user."""
        return None if user.template is None else self.template(user.template)

    def wanted(self, user: User) -> Marks:
        """Return the features a user is marked with, by itself or by its template."""
        template = self.template_of(user)
        return user.marks | template.marks if template else user.marks

    def users_of(self, template: Template) -> tuple[User, ...]:
        """Return the users that have a template."""
        return tuple(user for user in self.users if user.template == template.id)

    def with_new_user(self, name: str, *, number: str = "", template: int | None = None) -> "Objects":
        """Add a user without marks of its own.

        :raises Refusal: `object-name`, `object-name-taken`, `object-number`, `object-unknown`,
            `too-many-objects`.
        """
        if len(self.users) >= MOST_USERS:
            raise Refusal("too-many-objects", f"{MOST_USERS} users")
        added = replace(self, users=(*self.users, User(self.next_id, "")), next_id=self.next_id + 1)
        return added.with_user(User(self.next_id, name, number, frozenset(), template))

    def with_user(self, user: User) -> "Objects":
        """Put `user` in the place of the one with its id.

        :raises Refusal: as with_new_user.
        """
        self.user(user.id)
        if user.template is not None:
            self.template(user.template)
        named = replace(user, name=_name(user, self.users), number=_number(user.number))
        return replace(self, users=tuple(named if one.id == user.id else one for one in self.users))

    def without_user(self, object_id: int) -> "Objects":
        """Take a user away.

        :raises Refusal: `object-unknown`.
        """
        gone = self.user(object_id)
        return replace(self, users=tuple(user for user in self.users if user != gone))

    def with_new_template(self, name: str) -> "Objects":
        """Add a config template without marks.

        :raises Refusal: `object-name`, `object-name-taken`, `too-many-objects`.
        """
        if len(self.templates) >= MOST_TEMPLATES:
            raise Refusal("too-many-objects", f"{MOST_TEMPLATES} config templates")
        templates = (*self.templates, Template(self.next_id, ""))
        added = replace(self, templates=templates, next_id=self.next_id + 1)
        return added.with_template(Template(self.next_id, name))

    def with_template(self, template: Template) -> "Objects":
        """Put `template` in the place of the one with its id.

        :raises Refusal: `object-name`, `object-name-taken`, `object-unknown`.
        """
        self.template(template.id)
        named = replace(template, name=_name(template, self.templates))
        return replace(self, templates=tuple(named if one.id == named.id else one for one in self.templates))

    def without_template(self, object_id: int) -> "Objects":
        """Take a config template away that no user has.

        :raises Refusal: `object-unknown`, `template-in-use`.
        """
        gone = self.template(object_id)
        if users := self.users_of(gone):
            raise Refusal("template-in-use", f"{len(users)} users, {users[0].name} among them")
        return replace(self, templates=tuple(one for one in self.templates if one != gone))


def read_marks(names: Iterable[str]) -> Marks:
    """Return the marks that a form or a file names.

    :raises Refusal: `unknown-mark`.
    """
    try:
        return frozenset(Feature(name) for name in names)
    except ValueError as error:
        raise Refusal("unknown-mark", str(error)) from error


def objects_to_json(objects: Objects) -> dict[str, Any]:
    """Return the objects as JSON; templates are named by their ids."""
    return {
        "format": 1,
        "next_id": objects.next_id,
        "templates": [
            {"id": one.id, "name": one.name, "marks": _names(one.marks)} for one in objects.templates
        ],
        "users": [
            {
                "id": one.id,
                "name": one.name,
                "number": one.number,
                "marks": _names(one.marks),
                "template": one.template,
            }
            for one in objects.users
        ],
    }


def objects_from_json(value: dict[str, Any] | None) -> Objects:
    """Read the objects, and check them as if a person had typed them in.

    :raises Refusal: `malformed` and whatever the edits of Objects raise.
    """
    if value is None:
        return Objects()
    if claims.integer(value, "format") != 1:
        raise Refusal("unknown-version", f"format {value['format']}")
    users, templates = claims.objects(value, "users"), claims.objects(value, "templates")
    ids = [claims.integer(entry, "id", least=1) for entry in (*users, *templates)]
    next_id = claims.integer(value, "next_id", least=1)
    if len(set(ids)) != len(ids) or max(ids, default=0) >= next_id:
        raise Refusal("malformed", "the ids of the objects")
    if len(users) > MOST_USERS or len(templates) > MOST_TEMPLATES:
        raise Refusal("too-many-objects", f"{len(users)} users, {len(templates)} config templates")
    read = Objects(
        users=tuple(_read_user(entry) for entry in users),
        templates=tuple(
            Template(entry["id"], claims.text(entry, "name"), _marks(entry)) for entry in templates
        ),
        next_id=next_id,
    )
    for template in read.templates:
        read.with_template(template)
    known, taken = {template.id for template in read.templates}, set()
    for user in read.users:
        if user.template is not None and user.template not in known:
            raise Refusal("object-unknown", f"config template {user.template}")
        if _name(user, ()).casefold() in taken:
            raise Refusal("object-name-taken", user.name)
        taken.add(user.name.casefold())
        _number(user.number)
    return read


def _read_user(entry: dict[str, Any]) -> User:
    template = None if entry.get("template") is None else claims.integer(entry, "template")
    number = entry.get("number", "")
    return User(entry["id"], claims.text(entry, "name"), str(number), _marks(entry), template)


def _marks(entry: dict[str, Any]) -> Marks:
    marks = entry.get("marks", [])
    if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
        raise Refusal("malformed", "marks are a list of products")
    return read_marks(marks)


def _names(marks: Marks) -> list[str]:
    return [feature.value for feature in FEATURES if feature in marks]


def _found(objects: tuple[_Named, ...], object_id: int) -> _Named:
    for one in objects:
        if one.id == object_id:
            return one
    raise Refusal("object-unknown", str(object_id))


def _name(named: _Named, others: tuple[_Named, ...]) -> str:
    name = " ".join(named.name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refusal("object-name", f"1 to {LONGEST_NAME} characters")
    if any(one.id != named.id and one.name.casefold() == name.casefold() for one in others):
        raise Refusal("object-name-taken", name)
    return name


def _number(number: str) -> str:
    typed = number.strip()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_NUMBER):
        raise Refusal("object-number", f"up to {LONGEST_NUMBER} digits")
    return typed
