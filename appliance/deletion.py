"""Deleting (mission rule 30): what is chosen goes out of effect at the next reset; no portal hears of it."""

from collections.abc import Sequence
from dataclasses import replace

from appliance.installation import Change, Outcome, forgetting
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.state import State


def plan_deletion(state: State, chosen: Sequence[str]) -> Change:
    """Note what is to be left out; installing the same or a later document calls it off or brings it back.

    :param chosen: ids of entries of the installed document, or ALL for the document.
    :raises Refusal: `nothing-installed`, `nothing-chosen`, `not-installed`.
    """
    installed = state.installed
    if installed is None:
        raise Refusal("nothing-installed")
    if not chosen:
        raise Refusal("nothing-chosen")
    before = state.configuration.deleted
    if tuple(chosen) == ALL or before == ALL:
        deleted: tuple[str, ...] = ALL
    else:
        listed = {item.id for item in installed.items} | set(before)
        missing = [name for name in chosen if name not in listed]
        if missing:
            raise Refusal("not-installed", missing[0][:40])
        deleted = tuple(dict.fromkeys((*before, *chosen)))
    configuration = replace(state.configuration, deleted=deleted)
    changed = replace(state, configuration=configuration)
    # A reset that was due may have nothing to bring any more.
    return Change((changed, forgetting(changed)), Outcome.DELETED)
