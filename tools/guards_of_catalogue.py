"""The guards of the catalogue, of certificates, and of the customer list."""

from tools.guard import OPERATIONS, RACES, Guard

CATALOGUE = (
    Guard(
        name="catalogue: a change waits for another of the product",
        file="licenses/catalogue_changes.py",
        edits=(("Product.objects.select_for_update(no_key=True).get", "Product.objects.get"),),
        tests=(f"{RACES}/test_catalogue.py",),
    ),
    Guard(
        name="catalogue: what was sold keeps its kind",
        file="licenses/catalogue_changes.py",
        edits=(("if changes.keys() & set(FIXED_ONCE_SOLD) and was_sold(locked):", "if False:"),),
        tests=(f"{OPERATIONS}/test_catalogue.py",),
    ),
    Guard(
        name="catalogue: asked for in the operation",
        file="licenses/catalogue_changes.py",
        edits=(("    staff.require(Permission.CATALOGUE, user_id=caller.user_id)\n", ""),),
        tests=(f"{OPERATIONS}/test_catalogue.py",),
    ),
    Guard(
        name="certificates: not of a key that was used",
        file="orders/certificates.py",
        edits=(("state=ActivationKey.State.ISSUED, ", ""),),
        tests=(f"{OPERATIONS}/test_certificates.py",),
    ),
    Guard(
        name="customers: a link to an old address ends",
        file="accounts/customer_lists.py",
        edits=(("        _end_links_to_old_addresses(chunk, now=now)\n", ""),),
        tests=(f"{OPERATIONS}/test_customer_lists.py",),
    ),
    Guard(
        name="outcomes: months written in between each other are told apart",
        file="orders/outcomes.py",
        edits=((", act__at__gte=_start_of(summed.until))", ")"),),
        tests=(f"{OPERATIONS}/test_outcomes.py",),
    ),
)
