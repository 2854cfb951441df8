"""Who has which feature (mission rule 33): as many users as licenses are in effect, in a stable order.

The order is that in which the user objects were made. A new user never takes a license from an earlier one,
and the same users, marks and licenses always give the same answer, whatever happened in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.kinds import FEATURES, Feature
from appliance.licensing import Capacity
from appliance.objects import Objects, User


@dataclass(frozen=True)
class Allocation:
    """The ids of the users that want a feature, those with a license and those beyond, in their order."""

    feature: Feature
    licensed: tuple[int, ...]
    unlicensed: tuple[int, ...]

    @property
    def wanted(self) -> int:
        """How many users want the feature."""
        return len(self.licensed) + len(self.unlicensed)


@dataclass(frozen=True)
class UserLicense:
    """One line of a user's License tab: is it marked there, is it marked in the template, is it licensed?"""

    feature: Feature
    own_mark: bool
    template_mark: bool
    licensed: bool

    @property
    def wanted(self) -> bool:
        """Whether the user has the feature if there is a license for it."""
        return self.own_mark or self.template_mark

    @property
    def unlicensed(self) -> bool:
        """Whether the user is marked and goes without."""
        return self.wanted and not self.licensed


def allocate(objects: Objects, capacity: Capacity) -> dict[Feature, Allocation]:
    """Say for each feature which users have it."""
    wanted = [(user.id, objects.wanted(user)) for user in sorted(objects.users, key=lambda user: user.id)]
    allocations = {}
    for feature in FEATURES:
        ids = tuple(user_id for user_id, marks in wanted if feature in marks)
        count = capacity.granted(feature, len(ids))
        allocations[feature] = Allocation(feature, ids[:count], ids[count:])
    return allocations


def licenses_of(
    user: User, objects: Objects, allocations: dict[Feature, Allocation]
) -> tuple[UserLicense, ...]:
    """Return a user's License tab."""
    template = objects.template_of(user)
    return tuple(
        UserLicense(
            feature=feature,
            own_mark=feature in user.marks,
            template_mark=template is not None and feature in template.marks,
            licensed=user.id in allocations[feature].licensed,
        )
        for feature in FEATURES
    )


def unlicensed_features(
    users: Iterable[User], allocations: dict[Feature, Allocation]
) -> dict[int, tuple[Feature, ...]]:
    """Return for each of `users` that goes without something what that is."""
    missing = {feature: frozenset(allocations[feature].unlicensed) for feature in FEATURES}
    found = {user.id: tuple(one for one in FEATURES if user.id in missing[one]) for user in users}
    return {user_id: features for user_id, features in found.items() if features}
