"""What the page says a return will change: counts by product, before it and with its receipt."""

from dataclasses import replace

from appliance.status import Effect, License, Waiting, effect_of_leaving

PORT = License(
    id="port",
    product="Port",
    version=14,
    quantity=6,
    license_class="bought",
    returnable=True,
    expires_at=None,
    state="in-effect",
    waiting=None,
    leaves_at_reset=False,
)
MORE = replace(PORT, id="more", quantity=4)


class TestEffects:
    def test_what_stays_of_a_product_is_counted_beside_what_goes(self) -> None:
        assert effect_of_leaving([PORT, MORE], {"port"}) == [Effect("Port", 14, 10, 4)]

    def test_what_is_installed_comes_into_effect_with_the_reset_of_the_return(self) -> None:
        fax = replace(PORT, id="fax", product="Fax", state="installed", waiting=Waiting.RESET_REQUIRED)
        assert effect_of_leaving([PORT, fax], {"port"}) == [Effect("Fax", 14, 0, 6), Effect("Port", 14, 6, 0)]

    def test_what_leaves_at_the_reset_leaves_whatever_is_given_back(self) -> None:
        assert effect_of_leaving([replace(PORT, leaves_at_reset=True)], set()) == [Effect("Port", 14, 6, 0)]

    def test_what_has_ended_or_is_for_another_version_counts_for_nothing(self) -> None:
        ended = replace(PORT, waiting=Waiting.ENDED)
        other = replace(PORT, version=13, waiting=Waiting.OTHER_VERSION)
        assert effect_of_leaving([ended, other], set()) == [
            Effect("Port", 13, 0, 0),
            Effect("Port", 14, 0, 0),
        ]

    def test_a_device_without_licenses_has_none(self) -> None:
        assert effect_of_leaving([], set()) == []
