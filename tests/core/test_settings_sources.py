"""Settings as hosts write them: variables, `.env`, files of secrets, and what other programs leave
among them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from impasto.errors import SettingsError
from impasto.settings import Settings, load_settings
from impasto.settings.description import settings_in
from impasto.settings.variables import environment_without_settings, variable_of
from tests.core.test_settings import TOKEN, answer_to, empty_surroundings, refusal

__all__ = ["empty_surroundings"]  # a fixture for all tests here

Patch = pytest.MonkeyPatch
INFOS = list(settings_in(Settings))
DEFAULTS = Settings().model_dump()


def refusal_of_file(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    return str(caught.value)


class TestNothingIsNotAValue:
    @pytest.mark.parametrize("empty", ["", " "])
    def test_an_empty_variable_is_not_set(self, empty: str, monkeypatch: Patch) -> None:
        for info in INFOS:
            monkeypatch.setenv(variable_of(info.name), empty)
        for name in ("IMPASTO_CONFIG", "IMPASTO_PAINTING", "PORT", "IMPASTO_PLUGINS__SAQ__X"):
            monkeypatch.setenv(name, empty)
        settings = load_settings()
        assert settings.model_dump() == DEFAULTS
        assert settings.origin("plugins.folder") == "default"

    def test_nor_is_it_in_dotenv(self, tmp_path: Path) -> None:
        lines = [f"{variable_of(info.name)}=\n" for info in INFOS]
        (tmp_path / ".env").write_text("".join(lines) + "IMPASTO_STATE_DIR\n")
        assert load_settings().model_dump() == DEFAULTS

    def test_an_empty_variable_leaves_what_weaker_sources_say(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        (tmp_path / ".env").write_text("IMPASTO_PAINTING__STEPS=7\n")
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "")
        assert load_settings().painting.steps == 7

    def test_an_empty_path_is_not_the_working_directory(self, tmp_path: Path) -> None:
        config = tmp_path / "mine.toml"
        config.write_text('state_dir = ""\n[plugins]\nfolder = ""\nfiles = [""]\n')
        assert load_settings(config).model_dump() == DEFAULTS


class TestLists:
    @pytest.mark.parametrize("written", ["1,2", "1, 2", " [1, 2] ", '["1", "2"]', "1,2,"])
    def test_of_numbers(self, written: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_TELEGRAM__ADMINS", written)
        assert load_settings().telegram.admins == [1, 2]

    def test_of_one(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_TELEGRAM__ADMINS", "1")
        monkeypatch.setenv("IMPASTO_PLUGINS__DENY", "metrics")
        settings = load_settings()
        assert settings.telegram.admins == [1]
        assert settings.plugins.deny == ["metrics"]

    @pytest.mark.parametrize("written", ["a,b", '["a","b"]', "[a, b]"])
    def test_of_names_and_paths(self, written: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_PLUGINS__ALLOW", written)
        monkeypatch.setenv("IMPASTO_PLUGINS__FILES", written)
        settings = load_settings()
        assert settings.plugins.allow == ["a", "b"]
        assert settings.plugins.files == [Path("a"), Path("b")]

    def test_in_a_plugins_section(self, monkeypatch: Patch) -> None:
        class Mine(BaseModel):
            hues: list[int] = []
            names: dict[str, str] = {}
            word: str = ""

        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__HUES", "1,2")
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__NAMES", '{"a": "b"}')
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__WORD", "1,2")
        settings = load_settings()
        settings.validate_plugin_section("mine", Mine)
        assert settings.plugin("mine") == Mine(hues=[1, 2], names={"a": "b"}, word="1,2")

    @pytest.mark.parametrize("written", ["x", "[1, x]", "1;2", "[[[", "{"])
    def test_a_wrong_one_is_told_by_its_variable(self, written: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_TELEGRAM__ADMINS", written)
        said = refusal()
        assert said.startswith("telegram.admins")
        assert "(variable IMPASTO_TELEGRAM__ADMINS)" in said
        assert "Source" not in said

    def test_a_section_is_told_how_to_be_written(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_LOG", "debug")
        said = refusal()
        assert "IMPASTO_LOG is a section" in said
        assert "IMPASTO_LOG__NAME=VALUE" in said

    def test_a_plugins_section_may_be_json(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE", json.dumps({"hue": 3}))
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__TONE", "4")
        assert load_settings().plugins.sections == {"mine": {"hue": 3, "tone": "4"}}


class TestPlaces:
    """Whoever wrote a wrong value is told where it stands."""

    @pytest.mark.parametrize(
        ("lines", "place"),
        [
            ("[painting]\nsteps = 0\n", "line 2"),
            ("# a comment\n\n[ painting ]\n'steps'= 0\n", "line 4"),
            ("painting.steps = 0\n", "line 1"),
            ("\npainting = {steps = 0}\n", "line 2"),
            ("[paintings]\nx = 1\n", "line 1"),
            ("[painting]\nstepps = 1\n", "line 2"),
            ("[telegram]\n\nadmins = [1, 'x']\n", "line 3"),
            ("[plugins]\nsafe_mod = true\n", "line 2"),
        ],
    )
    def test_in_a_file(self, lines: str, place: str, tmp_path: Path) -> None:
        config = tmp_path / "mine.toml"
        config.write_text(lines)
        assert f"({config}, {place}): " in refusal_of_file(config)

    def test_in_dotenv(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("# mine\nX=1\nexport IMPASTO_PAINTING__STEPS=0\n")
        assert "painting.steps = '0' (.env, line 3): " in refusal()

    def test_in_the_variables(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING__STEPPS", "3")
        monkeypatch.setenv("PORT", "x")
        said = refusal()
        assert "painting.stepps = '3' (variable IMPASTO_PAINTING__STEPPS): unknown" in said
        assert "server.port = 'x' (variable PORT): " in said

    def test_in_a_plugins_section(self, tmp_path: Path) -> None:
        class Mine(BaseModel):
            hue: int = 0

        config = tmp_path / "mine.toml"
        config.write_text("[plugins.mine]\nhue = 'x'\n")
        settings = load_settings(config)
        with pytest.raises(SettingsError) as caught:
            settings.validate_plugin_section("mine", Mine)
        assert f"plugins.mine.hue = 'x' ({config}, line 2): " in str(caught.value)

    def test_a_file_that_is_no_toml_is_named_with_its_line(self, tmp_path: Path) -> None:
        config = tmp_path / "mine.toml"
        config.write_text("[painting]\nsteps = = 3\n")
        said = refusal_of_file(config)
        assert str(config) in said
        assert "line 2" in said

    def test_files_that_are_not_utf8_are_named(self, tmp_path: Path) -> None:
        for file in (tmp_path / "mine.toml", tmp_path / ".env"):
            file.write_bytes("a = 1\n".encode("utf-16"))
            said = refusal_of_file(file) if file.suffix else refusal()
            assert file.name in said
            assert "UTF-8" in said


class TestFiles:
    def test_a_byte_order_mark_is_skipped(self, tmp_path: Path) -> None:
        config = tmp_path / "mine.toml"
        config.write_bytes(b"\xef\xbb\xbf[painting]\nsteps = 7\n")
        (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfIMPASTO_PAINTING__THREADS=3\n")
        painting = load_settings(config).painting
        assert (painting.steps, painting.threads) == (7, 3)

    def test_a_folder_in_place_of_one_is_told(self, tmp_path: Path) -> None:
        (tmp_path / ".env").mkdir()
        assert ".env: it is a folder" in refusal()
        (tmp_path / ".env").rmdir()
        assert f"{tmp_path}: it is a folder" in refusal_of_file(tmp_path)

    def test_a_colon_is_told_with_its_line(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(f"A=1\nIMPASTO_TELEGRAM__TOKEN: {TOKEN}\n")
        said = refusal()
        assert ".env, line 2: write IMPASTO_TELEGRAM__TOKEN=VALUE" in said
        assert "EXAMPLE-TOKEN" not in said

    def test_a_line_of_others_that_is_none_is_told_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / ".env").write_text("OTHER: 1\nIMPASTO_PAINTING__STEPS=7\n")
        with caplog.at_level(logging.WARNING):
            assert load_settings().painting.steps == 7
        assert len(caplog.records) == 1
        assert "line 1" in caplog.text

    def test_the_home_folder_is_put_for_a_tilde(self, tmp_path: Path, monkeypatch: Patch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        (tmp_path / "mine.toml").write_text("[painting]\nnetwork = '~/n.safetensors'\n")
        monkeypatch.setenv("IMPASTO_CONFIG", "~/mine.toml")
        monkeypatch.setenv("IMPASTO_STATE_DIR", "~/state")
        monkeypatch.setenv("IMPASTO_PLUGINS__FOLDER", "~")
        monkeypatch.setenv("IMPASTO_PLUGINS__FILES", "~/a.py,b.py")
        settings = load_settings()
        assert settings.painting.network == str(tmp_path / "n.safetensors")
        assert settings.state_dir == tmp_path / "state"
        assert settings.plugins.folder == tmp_path
        assert settings.plugins.files == [tmp_path / "a.py", Path("b.py")]

    def test_a_home_folder_of_nobody_is_told(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_STATE_DIR", "~nobody-of-this-name/state")
        assert "(variable IMPASTO_STATE_DIR): there is no such home folder" in refusal()


class Secretive(BaseModel):
    redis_url: SecretStr = SecretStr("")
    key_file: str = ""
    key: str = ""


SECRETS = [info.name for info in INFOS if info.is_secret]


class TestSecretsInFiles:
    """As Docker and systemd hand them to a program."""

    @pytest.mark.parametrize("name", SECRETS)
    @pytest.mark.parametrize("content", [b"%b", b"%b\n", b"\xef\xbb\xbf%b\r\n"])
    def test_each_secret_of_the_core_is_read(
        self, name: str, content: bytes, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        secret = {"telegram.proxy": "http://me:word@proxy:3128"}.get(name, "secret-of-mine")
        file = tmp_path / "secret"
        file.write_bytes(content % secret.encode())
        monkeypatch.setenv(f"{variable_of(name)}_FILE", str(file))
        settings = load_settings()
        section, _, field = name.partition(".")
        assert getattr(getattr(settings, section), field).get_secret_value() == secret
        assert settings.origin(name) == f"variable {variable_of(name)}_FILE"

    def test_those_of_plugins_too_and_a_setting_of_such_a_name_stays_one(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        file = tmp_path / "secret"
        file.write_text("redis://:word@example.org\n")
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__REDIS_URL_FILE", str(file))
        monkeypatch.setenv("IMPASTO_PLUGINS__MINE__KEY_FILE", "of its own")
        settings = load_settings()
        settings.validate_plugin_section("mine", Secretive)
        section = settings.plugin("mine")
        assert section.redis_url.get_secret_value() == "redis://:word@example.org"
        assert (section.key_file, section.key) == ("of its own", "")

    def test_the_stronger_source_wins_in_either_form(
        self, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        file = tmp_path / "secret"
        file.write_text("1:in-the-file")
        (tmp_path / ".env").write_text(f"IMPASTO_TELEGRAM__TOKEN={TOKEN}\n")
        monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN_FILE", str(file))
        assert load_settings().telegram.token.get_secret_value() == "1:in-the-file"
        (tmp_path / ".env").write_text(f"IMPASTO_TELEGRAM__TOKEN_FILE={file}\n")
        monkeypatch.delenv("IMPASTO_TELEGRAM__TOKEN_FILE")
        monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", TOKEN)
        assert load_settings().telegram.token.get_secret_value() == TOKEN

    def test_both_forms_in_one_source_are_told(self, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN", TOKEN)
        monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN_FILE", "x")
        assert "leave out telegram.token_file or telegram.token" in refusal()

    @pytest.mark.parametrize(
        ("content", "why"), [(None, "No such file"), (b"\n", "empty"), (b"\xff", "UTF-8")]
    )
    def test_a_file_that_cannot_be_used_is_named_with_its_variable(
        self, content: bytes | None, why: str, tmp_path: Path, monkeypatch: Patch
    ) -> None:
        file = tmp_path / "nowhere"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setenv("IMPASTO_TELEGRAM__TOKEN_FILE", str(file))
        said = refusal()
        assert f"telegram.token_file = {str(file)!r}" in said
        assert "(variable IMPASTO_TELEGRAM__TOKEN_FILE): " in said
        assert why in said


class TestNamesOfVariables:
    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("IMPASTO_TOKEN", "IMPASTO_TELEGRAM__TOKEN"),
            ("IMPASTO_BOT_TOKEN", "IMPASTO_TELEGRAM__TOKEN"),
            ("IMPASTO_TELEGRAM_BOT_TOKEN", "IMPASTO_TELEGRAM__TOKEN"),
            ("IMPASTO_TOKEN_FILE", "IMPASTO_TELEGRAM__TOKEN_FILE"),
            ("IMPASTO_TELEGRAM_TOKEN_FILE", "IMPASTO_TELEGRAM__TOKEN_FILE"),
            ("IMPASTO_ADMINS", "IMPASTO_TELEGRAM__ADMINS"),
            ("IMPASTO_STEPS", "IMPASTO_PAINTING__STEPS"),
            ("IMPASTO_PORT", "IMPASTO_SERVER__PORT"),
            ("IMPASTO_STATEDIR", "IMPASTO_STATE_DIR"),
            ("IMPASTO_LOG_LEVEL", "IMPASTO_LOG__LEVEL"),
            ("impasto_token", "IMPASTO_TELEGRAM__TOKEN"),
            ("IMPASTO_PLUGINS_SAQ_REDIS_URL", "IMPASTO_PLUGINS__PLUGIN__SETTING"),
            ("IMPASTO_SAQ__REDIS_URL", "IMPASTO_PLUGINS__SAQ__REDIS_URL"),
            ("IMPASTO_TELEGRAM__BOT_TOKEN", "telegram.token"),
        ],
    )
    def test_a_wrong_one_is_answered_with_the_right_one(
        self, wrong: str, right: str, monkeypatch: Patch
    ) -> None:
        monkeypatch.setenv(wrong, "12")
        said = refusal()
        assert wrong.upper() in said
        assert said.endswith((right, f"{right}, with two underscores each", f"{right}?"))

    def test_every_setting_is_found_without_its_second_underscore(self, monkeypatch: Patch) -> None:
        for info in INFOS:
            if "." in info.name:
                with monkeypatch.context() as patch:
                    patch.setenv(variable_of(info.name).replace("__", "_"), "12")
                    assert refusal().endswith(f"write {variable_of(info.name)}")

    @pytest.mark.parametrize("service", ["", *(f"_{name.upper()}" for name in DEFAULTS)])
    def test_links_of_services_are_none_of_ours(self, service: str, monkeypatch: Patch) -> None:
        start = f"IMPASTO{service}"
        links = {
            "_SERVICE_HOST": "10.0.0.1",
            "_SERVICE_PORT": "8080",
            "_SERVICE_PORT_HTTP": "8080",
            "_PORT": "tcp://10.0.0.1:8080",
            "_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "_PORT_8080_TCP_PROTO": "tcp",
            "_PORT_8080_TCP_PORT": "8080",
            "_PORT_8080_TCP_ADDR": "10.0.0.1",
            "_NAME": "/bot/impasto",
            "_ENV_PATH": "/usr/bin",
        }
        for name, value in links.items():
            monkeypatch.setenv(start + name, value)
        assert load_settings().model_dump() == DEFAULTS

    def test_every_section_may_be_given_as_a_whole(self, monkeypatch: Patch) -> None:
        for name, value in DEFAULTS.items():
            if isinstance(value, dict):
                monkeypatch.setenv(f"IMPASTO_{name.upper()}", "{}")
        assert load_settings().model_dump() == DEFAULTS

    def test_other_variables_of_the_program_are_let_be(self, monkeypatch: Patch) -> None:
        for name in ("DEBUG", "TRACE_HOOKS", "LEAN_AIOGRAM", "RUN"):
            monkeypatch.setenv(f"IMPASTO_{name}", "1")
        assert load_settings().model_dump() == DEFAULTS


class TestAddresses:
    @pytest.mark.parametrize(
        "address", ["localhost:8081", "bot.example.org", "ftp://x", "https://", "https://x:y", "/"]
    )
    def test_one_without_a_scheme_is_refused(self, address: str, monkeypatch: Patch) -> None:
        monkeypatch.setenv("IMPASTO_TELEGRAM__API_BASE", address)
        said = refusal()
        assert said.startswith(f"telegram.api_base = {address!r} (variable ")
        assert "is written as https://" in said

    @pytest.mark.parametrize(
        "address", ["http://localhost:8081", "https://[::1]:8081/", "http://10.0.0.1/bots"]
    )
    def test_others_are_taken(self, address: str) -> None:
        assert load_settings(telegram={"api_base": address}).telegram.api_base == address


def test_white_space_around_a_token_is_no_part_of_it() -> None:
    settings = load_settings(telegram={"token": f" {TOKEN}\n"})
    assert settings.telegram.token.get_secret_value() == TOKEN


def test_settings_from_the_same_sources_are_equal(monkeypatch: Patch) -> None:
    assert Settings() == Settings()
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "50")
    assert load_settings() == load_settings()


def test_other_processes_are_not_handed_secrets(monkeypatch: Patch) -> None:
    monkeypatch.setenv("IMPASTO_TELEGRAM", json.dumps({"token": TOKEN}))
    monkeypatch.setenv("impasto_telegram__token", TOKEN)
    monkeypatch.setenv("IMPASTO_TRACE_HOOKS", "1")
    variables = environment_without_settings()
    assert TOKEN not in "".join(variables.values())
    assert variables["IMPASTO_TRACE_HOOKS"] == "1"


PIECES = st.sampled_from(
    ["IMPASTO_", "TELEGRAM", "__", "ADMINS", "PLUGINS", "TOKEN_FILE", "=", ":", "[", "{", "'", '"',
     "#", "export ", "\n", "\r", "$", "${A}", ",", "1", "~", "/", "\ufeff", "\udcff", "\\", " "]
)  # fmt: skip


@given(content=st.binary(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_stands_in_dotenv_is_read_or_refused_in_words(
    content: bytes | str, tmp_path: Path
) -> None:
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    (tmp_path / ".env").write_bytes(content)
    assert answer_to() != ""


TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


@given(
    name=st.sampled_from([variable_of(info.name) for info in INFOS]),
    value=TEXTS | st.lists(PIECES, max_size=8).map("".join),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_variable_says_is_taken_or_refused_by_its_name(name: str, value: str) -> None:
    with Patch.context() as patch:
        patch.setattr("os.environ", {name: value, "HOME": "/nowhere"})
        said = answer_to()
    assert said is None or name in said
