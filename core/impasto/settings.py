"""Every knob of the program: its unit, its bounds, and where values come from.

`IMPASTO_*` environment variables (`__` for nesting) win over `.env`, that over the file named by
`--config` or `IMPASTO_CONFIG`, that over the packaged `config/impasto.toml`. Loading has two
phases: `load_settings` reads the core's sections, which say what plugins there are; when these are
loaded, `Settings.validate_plugin_section` checks each `[plugins.<name>]` against its plugin's own
model.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)

from impasto import resources
from impasto.errors import SettingsError
from impasto.scrubbing import scrub

RESERVED_PLUGIN_NAMES = frozenset({"folder", "files", "allow", "deny", "safe_mode", "slow_seconds"})
"""Keys of `[plugins]` itself; no plugin can have a section of that name."""

_PREFIX = "IMPASTO_"
_SECRET = re.compile(r"token|secret|password|key|dsn|url", re.IGNORECASE)
"""Names of settings whose values no message shows; those of plugins too."""


class Section(BaseModel):
    """Base of the models of all sections, those of plugins too: values do not change, an unknown
    name is an error, and the text below a field is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TelegramSettings(Section):
    token: SecretStr = SecretStr("")
    """The bot's token from @BotFather. Never printed."""
    api_base: str = "https://api.telegram.org"
    """Address of the Bot API server."""
    edit_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    """Least time between two edits of one job's message, in seconds."""


class PaintingSettings(Section):
    network: str = "embedded"
    """Feature network: a name from `impasto weights list`, or a safetensors file."""
    optimizer: str = "lbfgs"
    """Optimizer plugin by name: lbfgs or adam."""
    device: str = "auto"
    """Device plugin by name (cpu, cuda), or auto: the best that works here."""
    steps: Annotated[int, Field(ge=1, le=5000)] = 80
    """Most optimizer steps for one picture, over all pyramid levels."""
    max_pixels_cpu: Annotated[int, Field(ge=1024, le=50_000_000)] = 230_400
    """Pixel cap of a result painted on a CPU; 230,400 is 480 x 480."""
    max_pixels_gpu: Annotated[int, Field(ge=1024, le=50_000_000)] = 2_073_600
    """Pixel cap of a result painted on a GPU; 2,073,600 is 1920 x 1080."""
    memory_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 320
    """Most memory of the bot's painting process on a CPU, in MB: larger pictures are scaled down to
    what fits. More makes painting faster, up to a point; 0 is no limit."""
    style_weight: Annotated[float, Field(gt=0, le=1e12)] = 1e6
    """Weight of the style loss against the content loss, whose weight is 1."""
    brush_size: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    """How large a style's marks come out: 1 as if style picture and photo had the same area."""
    preview_seconds: Annotated[float, Field(ge=0.1, le=600)] = 2.0
    """Least time between two previews, in seconds; each pyramid level also ends with one."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads for painting; 0 takes as many as this process may use."""


class QueueSettings(Section):
    kind: str = "local"
    """Queue plugin by name."""
    storage: str = "sqlite"
    """Storage plugin by name: where journal and dialogue state live."""
    jobs_per_person: Annotated[int, Field(ge=1, le=1000)] = 3
    """How many unfinished pictures one person may have."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """How often a job is tried when the painting process dies under it."""
    silence_seconds: Annotated[float, Field(ge=5, le=3600)] = 120.0
    """A painting process that says nothing for this long is replaced."""
    keep_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    """How long pictures of finished jobs are kept, in hours."""


class PluginsSettings(BaseModel):
    """`[plugins]`; every further table in it is the section of the plugin of that name."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    folder: Path | None = None
    """Folder of one-file plugins: every `*.py` in it whose name begins with no underscore."""
    files: list[Path] = Field(default_factory=list)
    """Single one-file plugins, or folders of packages, besides those of the folder."""
    allow: list[str] = Field(default_factory=list)
    """If not empty, only the plugins named here are loaded."""
    deny: list[str] = Field(default_factory=list)
    """Plugins that are not loaded."""
    safe_mode: bool = False
    """Load the built-in plugins alone, whatever is installed, allowed or denied."""
    slow_seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    """A plugin that keeps the bot waiting for longer than this is named, in seconds."""

    @property
    def sections(self) -> dict[str, Any]:
        """Raw sections by plugin name."""
        return dict(self.model_extra or {})


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""
    format: Literal["auto", "pretty", "json"] = "auto"
    """auto is pretty on a terminal and JSON elsewhere."""


class Settings(BaseModel):
    """All settings. Values are read once, at the start, and do not change.

    Make one with `load_settings`; `Settings()` has the defaults, and `model_validate` takes plain
    values, as the painting child gets them.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    state_dir: Path = Path("state")
    """Folder for everything that is written: journal, pictures of jobs, fetched weights."""
    telegram: TelegramSettings = TelegramSettings()
    painting: PaintingSettings = PaintingSettings()
    queue: QueueSettings = QueueSettings()
    plugins: PluginsSettings = PluginsSettings()
    log: LogSettings = LogSettings()

    _plugin_sections: dict[str, BaseModel] = PrivateAttr(default_factory=dict)

    @property
    def own_styles(self) -> Path:
        """Folder of this installation's own preset styles, with a `styles.toml` of their own."""
        return self.state_dir / "styles"

    def plugin(self, name: str) -> Any:
        """The validated section of a plugin that has an `impasto_settings` hook."""
        return self._plugin_sections[name]

    def validate_plugin_section(self, name: str, model: type[BaseModel]) -> None:
        """Second phase: checks `[plugins.<name>]` against its plugin's model.

        Raises:
            SettingsError: the section does not fit.
        """
        try:
            section = model.model_validate(self.plugins.sections.get(name, {}))
        except ValidationError as error:
            raise SettingsError(_explain(error, f"plugins.{name}.")) from None
        self._plugin_sections[name] = section

    def without_secrets(self) -> dict[str, Any]:
        """Plain values for the painting child, which has no business with the token."""
        return self.model_dump(mode="json", exclude={"telegram"})


class _OwnDotEnv(DotEnvSettingsSource):
    """`.env` without other programs' variables, which pydantic-settings reports as unknown."""

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {name: value for name, value in super().__call__().items() if name in fields}


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Core settings from all their sources; `overrides` (by section) win over every other.

    Raises:
        SettingsError: a value is wrong or unknown, or `config` is no readable TOML file.
    """
    if config is None and "IMPASTO_CONFIG" in os.environ:
        config = Path(os.environ["IMPASTO_CONFIG"])
    files = [resources.default_config()]
    if config is not None:
        if not config.is_file():
            raise SettingsError(f"there is no settings file {config}")
        files.append(config)

    class Loader(BaseSettings, Settings):
        """Reads the sources; a class of its own because pydantic-settings ties sources to one."""

        model_config = SettingsConfigDict(
            env_prefix=_PREFIX,
            env_nested_delimiter="__",
            env_file=".env",
            env_file_encoding="utf-8",
            hide_input_in_errors=True,
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            for source in (env_settings, dotenv_settings):
                if isinstance(source, EnvSettingsSource):
                    _check_underscores(source.env_vars)
            tables = [TomlConfigSettingsSource(settings_cls, file) for file in reversed(files)]
            return (init_settings, env_settings, _OwnDotEnv(settings_cls), *tables)

    try:
        return Loader(**overrides)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    except (SettingsSourceError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None


def _check_underscores(names: Iterable[str]) -> None:
    """`IMPASTO_TELEGRAM_TOKEN` would be ignored silently, as variables of others are.

    Raises:
        SettingsError: a variable lacks the second underscore between section and setting.
    """
    fields = ((name, field.annotation) for name, field in Settings.model_fields.items())
    known = {
        f"{section}_{name}": f"{_PREFIX}{section}__{name}".upper()
        for section, model in fields
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields
    }
    for name in names:
        meant = known.get(name.lower().removeprefix(_PREFIX.lower()))
        if meant is not None and name.lower().startswith(_PREFIX.lower()):
            raise SettingsError(f"{name.upper()} is not a setting; write {meant}")


def hidden(name: str) -> bool:
    """Whether a setting of this name may hold a secret, so that its value is never shown."""
    return _SECRET.search(name) is not None


def _explain(error: ValidationError, prefix: str = "") -> str:
    """One line per wrong setting: its name, the value (unless secret) and what is allowed."""
    lines = []
    for item in error.errors(include_url=False):
        name = prefix + ".".join(str(part) for part in item["loc"])
        value = "" if hidden(name) else f" = {item.get('input')!r}"
        problem = "unknown setting" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(scrub(f"{name}{value}: {problem}"))
    return "\n".join(lines)
