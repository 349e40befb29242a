"""Settings: where values come from, what is refused, and that file and models say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from impasto import data_folders
from impasto.errors import SettingsError
from impasto.plugins import settings_for_painting
from impasto.settings import Settings, load_settings
from impasto.settings.description import settings_in

TOKEN = "123456:EXAMPLE-TOKEN"


@pytest.fixture(autouse=True)
def empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No `.env` and no variables of the machine that runs the tests."""
    import os

    for name in os.environ:
        if name.upper().startswith("IMPASTO_") or name == "PORT":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    return str(caught.value)


def test_without_any_source_settings_are_the_defaults() -> None:
    assert load_settings().model_dump() == Settings().model_dump()


def test_each_source_wins_over_those_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(
        "[painting]\nsteps = 11\nthreads = 11\npreview_seconds = 11\n[queue]\nattempts = 9\n"
    )
    (tmp_path / ".env").write_text(
        "IMPASTO_PAINTING__STEPS=22\nIMPASTO_PAINTING__THREADS=22\nIMPASTO_QUEUE__KEEP_HOURS=22\n"
    )
    monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "33")
    monkeypatch.setenv("IMPASTO_QUEUE__KEEP_HOURS", "33")

    settings = load_settings(config, queue={"keep_hours": 44})

    assert settings.queue.keep_hours == 44, "an override wins over a variable"
    assert settings.painting.steps == 33, "a variable wins over .env"
    assert settings.painting.threads == 22, ".env wins over the file"
    assert settings.painting.preview_seconds == 11, "the file wins over the defaults"
    assert settings.queue.attempts == 9
    assert settings.painting.optimizer == Settings().painting.optimizer, "the rest stays"


def test_the_file_can_be_named_by_a_variable_and_the_option_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, chosen = tmp_path / "named.toml", tmp_path / "chosen.toml"
    named.write_text("[painting]\nsteps = 1")
    chosen.write_text("[painting]\nsteps = 2")
    monkeypatch.setenv("IMPASTO_CONFIG", str(named))
    assert load_settings().painting.steps == 1
    assert load_settings(chosen).painting.steps == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no settings file .*nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("content", [b"[painting", b"\xff\xfe\x00", b"steps = = 3"])
def test_a_file_that_is_no_toml_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "broken.toml"
    config.write_bytes(content)
    with pytest.raises(SettingsError, match="settings cannot be read"):
        load_settings(config)


def test_variables_of_other_programs_in_dotenv_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://x\nTOKEN=y\nIMPASTO_PORT=tcp://z\n")
    assert load_settings().model_dump() == Settings().model_dump()


def test_a_variable_with_one_underscore_is_told_and_not_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"IMPASTO_TELEGRAM_TOKEN={TOKEN}\n")
    message = refusal()
    assert "IMPASTO_TELEGRAM_TOKEN is not a setting; write IMPASTO_TELEGRAM__TOKEN" in message
    (tmp_path / ".env").unlink()
    monkeypatch.setenv("IMPASTO_PAINTING_MAX_PIXELS_CPU", "4096")
    assert "write IMPASTO_PAINTING__MAX_PIXELS_CPU" in refusal()


@pytest.mark.parametrize(
    ("section", "setting", "value", "allowed"),
    [
        ("painting", "steps", 0, "greater than or equal to 1"),
        ("painting", "steps", 5001, "less than or equal to 5000"),
        ("painting", "max_pixels_cpu", 1000, "greater than or equal to 1024"),
        ("painting", "style_weight", 0, "greater than 0"),
        ("painting", "preview_seconds", -1, "greater than or equal to 0.1"),
        ("painting", "threads", "many", "valid integer"),
        ("painting", "memory_mb", "much", "= 'much': auto or a whole number of MB from 0 to 1,000"),
        ("painting", "memory_mb", -1, "= -1: auto or a whole number of MB"),
        ("painting", "memory_mb", 1_000_001, "= 1000001: auto or a whole number of MB"),
        ("queue", "attempts", 11, "less than or equal to 10"),
        ("queue", "silence_seconds", 1, "greater than or equal to 5"),
        ("telegram", "edit_seconds", 61, "less than or equal to 60"),
        ("log", "level", "loud", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_refusal_names_setting_value_and_what_is_allowed(
    section: str, setting: str, value: object, allowed: str
) -> None:
    message = refusal(**{section: {setting: value}})
    assert f"{section}.{setting}" in message
    assert repr(value) in message
    assert allowed in message


def test_every_wrong_setting_is_told_at_once() -> None:
    message = refusal(painting={"steps": 0, "threads": -1}, queue={"attempts": 0})
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize(("written", "meant"), [("auto", "auto"), ("300", 300), ("0", 0)])
def test_an_amount_of_memory_may_be_left_to_the_program(
    written: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_PAINTING__MEMORY_MB", written)
    assert load_settings().painting.memory_mb == meant


def test_an_unknown_setting_is_refused() -> None:
    assert refusal(painting={"stepps": 3}) == (
        "painting.stepps = 3: unknown setting; did you mean painting.steps?"
    )


def test_the_token_is_never_shown() -> None:
    settings = load_settings(telegram={"token": TOKEN})
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "EXAMPLE-TOKEN" not in text
    assert "EXAMPLE-TOKEN" not in repr(settings_for_painting(settings))
    assert settings.telegram.token.get_secret_value() == TOKEN


@pytest.mark.parametrize(
    "overrides",
    [
        {"telegram": {"token": [TOKEN]}},
        {"telegram": {"tokn": TOKEN}},
        {"telegram": TOKEN},
        {"log": {"level": f"https://api.telegram.org/bot{TOKEN}/getMe"}},
    ],
)
def test_a_refusal_never_shows_a_token(overrides: dict[str, Any]) -> None:
    assert "EXAMPLE-TOKEN" not in refusal(**overrides)


@given(st.text(max_size=40))
def test_whatever_stands_for_a_number_is_taken_or_refused_in_words(text: str) -> None:
    try:
        steps, refused = load_settings(painting={"steps": text}).painting.steps, ""
    except SettingsError as error:
        steps, refused = 1, str(error)
    assert 1 <= steps <= 5000
    assert not refused or refused.startswith("painting.steps = ")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(), SCALARS, max_size=3)
SECTIONS = {
    name: value for name, value in Settings().model_dump().items() if isinstance(value, dict)
}
NAMES = st.sampled_from([*SECTIONS, *(name for section in SECTIONS.values() for name in section)])


def answer_to(*arguments: Any, **overrides: Any) -> str | None:
    """What is said of these settings; None when they are taken."""
    try:
        load_settings(*arguments, **overrides)
    except SettingsError as error:
        return str(error)
    return None


@given(st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES)))
@settings(max_examples=40, deadline=None)
def test_whatever_stands_in_a_file_is_taken_or_refused_in_words(values: dict[str, Any]) -> None:
    assert answer_to(**values) != ""


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=40, deadline=None)
def test_whatever_the_file_is_it_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.mktemp("settings") / "impasto.toml"
    file.write_bytes(data)
    assert answer_to(file) != ""


class SepiaSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hue: int = Field(default=3, ge=0)
    password: SecretStr = SecretStr("")


def test_a_plugins_section_is_checked_against_its_own_model() -> None:
    settings = load_settings(plugins={"sepia": {"hue": 7}})
    settings.validate_plugin_section("sepia", SepiaSettings)
    assert settings.plugin("sepia") == SepiaSettings(hue=7)


def test_a_plugin_without_a_section_gets_its_defaults() -> None:
    settings = load_settings()
    settings.validate_plugin_section("sepia", SepiaSettings)
    assert settings.plugin("sepia") == SepiaSettings()


def test_a_wrong_value_in_a_plugins_section_is_named_in_full() -> None:
    settings = load_settings(plugins={"sepia": {"hue": -1, "tone": 1, "password": 5}})
    with pytest.raises(SettingsError) as caught:
        settings.validate_plugin_section("sepia", SepiaSettings)
    lines = sorted(str(caught.value).splitlines())
    assert lines[0].startswith("plugins.sepia.hue = -1: ")
    assert lines[1].startswith("plugins.sepia.password: "), "its value is not shown"
    assert lines[2] == "plugins.sepia.tone = 1: unknown setting"


def test_a_plugins_section_can_come_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_PLUGINS__SEPIA__HUE", "9")
    settings = load_settings()
    settings.validate_plugin_section("sepia", SepiaSettings)
    assert settings.plugin("sepia").hue == 9


def test_the_painting_process_understands_what_it_is_sent() -> None:
    settings = load_settings(
        telegram={"token": TOKEN}, painting={"steps": 7}, plugins={"deny": ["x"], "cuda": {"z": 1}}
    )
    received = Settings.model_validate(settings_for_painting(settings))
    assert received.painting == settings.painting
    assert received.plugins == settings.plugins
    assert received.telegram.token.get_secret_value() == ""


def test_the_painting_process_is_not_sent_what_plugins_of_the_bot_keep_secret(
    tmp_path: Path,
) -> None:
    painter = tmp_path / "painter.py"
    painter.write_text("def impasto_devices(settings): ...")
    sections = {
        "saq": {"redis_url": "redis://:secret@example.org"},
        "nobodys": {"password": "secret"},
        "painter": {"key": "of its own"},
    }
    settings = load_settings(plugins={"files": [str(painter)], **sections})
    sent = settings_for_painting(settings)
    assert "secret" not in repr(sent)
    assert Settings.model_validate(sent).plugins.sections == {"painter": {"key": "of its own"}}


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Every setting by its full name, with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= leaves(field.annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = field.get_default(call_default_factory=True)
    return found


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= (
            flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return found


CONFIG = data_folders.default_config().read_text(encoding="utf-8")


def test_the_config_file_has_every_setting_at_its_default_and_no_other() -> None:
    expected = leaves(Settings)
    written = flat(tomllib.loads(CONFIG))
    # TOML has no "nothing": the one setting without a value is there as a comment.
    assert "# folder = " in CONFIG
    assert expected.pop("plugins.folder") is None
    assert written.keys() == expected.keys()
    for name, value in written.items():
        default = expected[name]
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        assert value == (str(default) if isinstance(default, Path) else default), name


def test_the_config_file_explains_every_setting_right_above_it() -> None:
    lines = CONFIG.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"(# )?[a-z_]+ = ", line):
            assert lines[number - 1].startswith("# "), f"{line!r} lacks a comment"


def test_every_setting_is_documented_in_the_models() -> None:
    def undocumented(model: type[BaseModel]) -> list[str]:
        names: list[str] = []
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                names += undocumented(field.annotation)
            elif not field.description:
                names.append(f"{model.__name__}.{name}")
        return names

    assert undocumented(Settings) == []


class TestOrigins:
    """Where each value came from is known."""

    def test_each_source_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config = tmp_path / "mine.toml"
        config.write_text("[painting]\nthreads = 1\nsteps = 1\n[plugins.sepia]\nhue = 3\n")
        (tmp_path / ".env").write_text("IMPASTO_QUEUE__ATTEMPTS=3\n")
        monkeypatch.setenv("IMPASTO_PAINTING__STEPS", "2")
        monkeypatch.setenv("PORT", "8123")
        settings = load_settings(config, log={"level": "debug"})
        assert settings.origin("painting.threads") == str(config)
        assert settings.origin("painting.steps") == "variable IMPASTO_PAINTING__STEPS"
        assert settings.origin("queue.attempts") == ".env IMPASTO_QUEUE__ATTEMPTS"
        assert settings.origin("server.port") == "variable PORT"
        assert settings.origin("log.level") == "command"
        assert settings.origin("plugins.sepia.hue") == str(config)
        assert settings.origin("painting.optimizer") == "default"

    def test_a_section_given_as_json_is_told_by_its_settings(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_PAINTING", '{"steps": 4}')
        assert load_settings().origin("painting.steps") == "variable IMPASTO_PAINTING__STEPS"


class TestPort:
    """Hosts say in PORT which port is ours."""

    def test_it_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "5000")
        assert load_settings().server.port == 5000

    def test_our_own_variable_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "5000")
        monkeypatch.setenv("IMPASTO_SERVER__PORT", "6000")
        assert load_settings().server.port == 6000

    def test_a_strange_one_is_refused_in_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "tcp://10.0.0.1:5000")
        assert "server.port = 'tcp://10.0.0.1:5000'" in refusal()


class TestNearestName:
    """A wrong name is answered with the right one."""

    @pytest.mark.parametrize(
        ("overrides", "meant"),
        [
            ({"painting": {"stpes": 3}}, "painting.steps"),
            ({"queue": {"steps": 3}}, "painting.steps"),
            ({"painting": {"max_pixel_cpu": 3}}, "painting.max_pixels_cpu"),
            ({"paintings": {"steps": 3}}, "painting"),
            ({"log": {"level": "debgu"}}, "debug"),
            ({"plugins": {"safe_mod": True}}, "plugins.safe_mode"),
        ],
    )
    def test_is_offered(self, overrides: dict[str, Any], meant: str) -> None:
        assert refusal(**overrides).endswith(f"did you mean {meant}?")

    def test_nothing_is_offered_where_nothing_is_near(self) -> None:
        assert "did you mean" not in refusal(painting={"zzzz": 3})

    def test_a_variable_of_no_section_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMPASTO_PAINTNG__STEPS", "3")
        assert "IMPASTO_PAINTNG__STEPS is not a setting; did you mean painting.steps?" in refusal()

    def test_in_a_plugins_section(self) -> None:
        settings = load_settings(plugins={"sepia": {"hueu": 7}})
        with pytest.raises(SettingsError, match=r"did you mean plugins\.sepia\.hue\?"):
            settings.validate_plugin_section("sepia", SepiaSettings)


@pytest.mark.parametrize("secret", ["white space", "ü", "x" * 257])
def test_a_webhooks_secret_is_one_that_telegram_takes(secret: str) -> None:
    said = refusal(telegram={"webhook_secret": secret})
    assert "A-Z, a-z, 0-9" in said
    assert secret not in said


INFOS = {info.name: info for info in settings_in(Settings)}


class TestKnobs:
    """What is known about a setting beside its value."""

    def test_bounds_and_units_are_told(self) -> None:
        steps, keep = INFOS["painting.steps"], INFOS["queue.keep_hours"]
        assert steps.allowed == "from 1 to 5,000"
        assert (keep.allowed, keep.unit) == ("from 0 to 720", "hours")
        assert INFOS["painting.style_weight"].allowed.startswith("above 0 to ")
        assert INFOS["log.format"].allowed == "auto, pretty, json"
        assert INFOS["painting.memory_mb"].allowed == "auto or from 0 to 1,000,000"

    def test_those_that_a_running_bot_takes_over_are_marked(self) -> None:
        live = {name for name, info in INFOS.items() if info.is_live}
        assert {"painting.steps", "painting.max_pixels_cpu", "queue.jobs_per_person"} <= live
        assert not {"telegram.token", "state_dir", "queue.storage"} & live

    def test_secrets_are_known(self) -> None:
        secret = {name for name, info in INFOS.items() if info.is_secret}
        assert secret == {"telegram.token", "telegram.proxy", "telegram.webhook_secret"}
