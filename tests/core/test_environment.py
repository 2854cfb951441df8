"""Settings from the environment: each mistake is one clear line, all of them at once."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from portal.environment import Environment, SettingsMistake


def mistakes(environment: Environment) -> list[str]:
    with pytest.raises(SettingsMistake) as caught:
        environment.check()
    return str(caught.value).splitlines()


class TestReading:
    def test_a_missing_setting_is_named_with_its_meaning(self) -> None:
        environment = Environment({})
        environment.required("PORTAL_ID", demo="x", means="the portal's identity")

        assert mistakes(environment) == ["settings: PORTAL_ID is missing: the portal's identity"]

    def test_the_demo_fills_it_in(self) -> None:
        environment = Environment({"DEMO": "1"})

        assert environment.required("PORTAL_ID", demo="x", means="") == "x"
        environment.check()

    def test_what_is_given_counts_in_the_demo_too(self) -> None:
        assert Environment({"DEMO": "1", "A": "b"}).required("A", demo="x", means="") == "b"

    def test_a_demo_s_identity_starts_no_other_portal(self) -> None:
        identity = {"PORTAL_ID": "https://license-portal.demo.invalid/not-for-production"}
        environment = Environment(identity)
        environment.identity("PORTAL_ID", demo="", means="")

        assert mistakes(environment) == [
            "settings: PORTAL_ID is the identity of a demo: choose one of your own"
        ]
        in_the_demo = Environment(identity | {"DEMO": "1"})
        in_the_demo.identity("PORTAL_ID", demo="", means="")
        in_the_demo.check()

    def test_words_are_parted_by_blanks_and_commas(self) -> None:
        environment = Environment({"A": "one, two  three"})

        assert environment.words("A", demo=[], means="") == ["one", "two", "three"]

    @pytest.mark.parametrize("text", ["-1", "1.5", "x", "٣", "0x10"])
    def test_a_number_is_a_whole_number(self, text: str) -> None:
        environment = Environment({"A": text})

        assert environment.number("A", 7) == 7
        assert mistakes(environment) == [f"settings: A must be a whole number, not {text!r}"]

    def test_a_number_may_be_left_out(self) -> None:
        assert Environment({}).number("A", 7) == 7
        assert Environment({"A": "60"}).number("A", 7) == 60

    @pytest.mark.parametrize(("text", "is_set"), [("1", True), ("0", False), ("", True)])
    def test_a_flag_is_one_or_zero_or_its_default(self, text: str, is_set: bool) -> None:
        assert Environment({"A": text}).flag("A", default=True) == is_set

    def test_another_flag_is_a_mistake(self) -> None:
        environment = Environment({"A": "yes"})
        environment.flag("A", default=False)

        assert mistakes(environment) == ["settings: A must be 1 or 0, not 'yes'"]

    def test_all_mistakes_are_told_at_once(self) -> None:
        environment = Environment({"A": "yes", "B": "x"})
        environment.flag("A", default=False)
        environment.number("B", 1)

        assert len(mistakes(environment)) == 2


class TestSecrets:
    def test_one_is_required(self, tmp_path: Path) -> None:
        environment = Environment({})
        environment.secret("KEY", folder=tmp_path, means="opens")

        assert mistakes(environment) == ["settings: KEY (or KEY_FILE) is missing: opens"]

    def test_a_short_one_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        environment = Environment({"KEY": "hunter2"})
        environment.secret("KEY", folder=tmp_path, means="opens")

        assert mistakes(environment) == ["settings: KEY is too short: at least 32 characters"]

    def test_a_file_may_hold_it(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("k" * 40 + "\n")

        assert Environment({"KEY_FILE": str(file)}).secret("KEY", folder=tmp_path, means="") == "k" * 40

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        environment = Environment({"KEY_FILE": str(tmp_path / "nothing")})
        environment.secret("KEY", folder=tmp_path, means="")

        assert mistakes(environment) == ["settings: KEY_FILE cannot be read: No such file or directory"]

    def test_the_demo_makes_one_and_keeps_it_to_itself(self, tmp_path: Path) -> None:
        first = Environment({"DEMO": "1"}).secret("THE_KEY", folder=tmp_path, means="")
        second = Environment({"DEMO": "1"}).secret("THE_KEY", folder=tmp_path, means="")

        assert first == second
        assert len(first) >= 32
        assert (tmp_path / "secrets" / "the-key").stat().st_mode & 0o777 == 0o600

    def test_delivery_keys_are_fernet_keys(self, tmp_path: Path) -> None:
        good = Fernet.generate_key().decode()

        assert Environment({"K": f"{good} {good}"}).fernet_keys("K", folder=tmp_path, means="") == [
            good,
            good,
        ]
        environment = Environment({"K": f"{good} {'x' * 32}"})
        environment.fernet_keys("K", folder=tmp_path, means="")
        assert mistakes(environment) == [
            "settings: K must hold Fernet keys: 32 bytes each, as URL-safe base64"
        ]


class TestPasswordsAndWords:
    def test_a_password_of_somebody_elses_may_be_short_or_missing(self, tmp_path: Path) -> None:
        file = tmp_path / "mail-password"
        file.write_text("short\n")
        environment = Environment({"A": "given", "B_FILE": str(file)})

        assert [environment.password(name) for name in ("A", "B", "C")] == ["given", "short", ""]
        environment.check()

    def test_a_password_file_that_is_not_there_is_a_mistake(self, tmp_path: Path) -> None:
        environment = Environment({"A_FILE": str(tmp_path / "none")})
        environment.password("A")

        assert mistakes(environment) == ["settings: A_FILE cannot be read: No such file or directory"]

    def test_one_of_a_few_words_or_its_default(self) -> None:
        environment = Environment({"A": "tls", "B": "ssl"})

        assert environment.one_of("A", "none", "none", "tls") == "tls"
        assert environment.one_of("C", "none", "none", "tls") == "none"
        assert environment.one_of("B", "none", "none", "tls") == "none"
        assert mistakes(environment) == ["settings: B must be one of none, tls, not 'ssl'"]
