"""Every setting of the program: its type, default, bounds and meaning, once.

`config/impasto.toml` and docs/settings.md are generated from these models; run
`python docs/make_settings_docs.py` after a change. Loading has two phases: `load_settings` reads
the core's sections, which say which plugins there are; when these are loaded,
`Settings.validate_plugin_section` checks each `[plugins.<name>]` against its plugin's own model.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from impasto.contracts.options import (
    BrushSize,
    ColorCoherence,
    Enlargement,
    PixelCap,
    Side,
    Simplify,
    Steps,
    StyleWeight,
)
from impasto.errors import SettingsError
from impasto.logs import hide
from impasto.settings.description import LIVE, Origins, explain
from impasto.settings.values import expanded, meant

_PROXIES: Final = ("http", "https", "socks5", "socks5h", "socks4")


class Section(BaseModel):
    """Base of the models of all sections, those of plugins too: values do not change, an unknown
    name is an error, and the text below a field is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _fit_for_telegram(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret.get_secret_value()):
        raise ValueError("a webhook's secret has up to 256 of A-Z, a-z, 0-9, _ and -")
    return secret


def _trimmed(secret: SecretStr) -> SecretStr:
    return SecretStr(secret.get_secret_value().strip())


def _is_address(text: str, schemes: Collection[str]) -> bool:
    """Whether it is the address of a host, and its port a number, if it has one."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _address(address: str) -> str:
    """Raises ValueError for what is no address of a server on the web."""
    if not _is_address(address, ("http", "https")) or re.search(r"\s", address):
        raise ValueError(
            "an address is written as https://api.telegram.org or http://10.0.0.1:8081"
        )
    return address


def _proxy(proxy: SecretStr) -> SecretStr:
    """Raises ValueError for what is no proxy's address; its message has no password."""
    url = proxy.get_secret_value().strip()
    if url and not _is_address(url, _PROXIES):
        schemes = ", ".join(_PROXIES)
        raise ValueError(f"a proxy is written as http://HOST:PORT; schemes: {schemes}")
    return SecretStr(url)


def _folders(folders: str) -> str:
    """Raises ValueError for what is neither a folder in full nor THERE=HERE."""
    there, _, here = folders.partition("=")
    is_full = PurePosixPath(there).is_absolute() or PureWindowsPath(there).is_absolute()
    if folders and not (is_full and Path(expanded(here or there)).is_absolute()):
        raise ValueError("a folder is written in full, as in /var/lib/bots, or two as THERE=HERE")
    return folders


NetworkName = Annotated[str, AfterValidator(expanded)]
"""Of a network, or the path of its file."""


class TelegramSettings(Section):
    token: Annotated[SecretStr, AfterValidator(_trimmed)] = SecretStr("")
    """The bot's token from @BotFather; better in IMPASTO_TELEGRAM__TOKEN than in a file."""
    api_base: Annotated[str, AfterValidator(_address)] = "https://api.telegram.org"
    """Address of the Bot API server."""
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] = SecretStr("")
    """Proxy for all calls to Telegram, such as http://proxy.example.org:3128, with NAME:PASSWORD@
    before the host if it needs them; socks5:// needs the extra `socks`. If empty, the
    usual variables HTTPS_PROXY and NO_PROXY decide."""
    local_files: Annotated[str, AfterValidator(_folders)] = ""
    """Where your own Bot API server (one with --local) keeps its files, such as
    /var/lib/telegram-bot-api: pictures are read from there, and may be larger than 20 MB. If the
    server knows that folder by another name: THERE=HERE. Empty for any other server."""
    webhook_base: Annotated[str, Field(pattern=r"^(https?://[^/\s]+\S*)?$")] = ""
    """Public address of this bot, such as https://bot.example.org: Telegram sends updates there
    (webhook). If empty, the bot asks for them (polling)."""
    webhook_secret: Annotated[SecretStr, AfterValidator(_fit_for_telegram)] = SecretStr("")
    """Secret that Telegram sends with each update to prove who it is; derived from the token if
    empty."""
    edit_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    """Shortest time between two edits of the message about a picture, in seconds."""
    messages_per_second: Annotated[float, Field(ge=0, le=1000)] = 30.0
    """Most messages and edits a second, in all chats together; 0 means no limit."""
    chat_messages_per_second: Annotated[float, Field(ge=0, le=30)] = 1.0
    """Most messages and edits a second in one private chat, and a quarter of that in groups; short
    bursts may be faster. 0 means no limit."""
    admins: Annotated[list[int], LIVE] = Field(default_factory=list)
    """Telegram's numeric ids of the bot's owners, for whom there is no limit on pictures."""
    allow: Annotated[list[int], LIVE] = Field(default_factory=list)
    """Ids of the only people the bot works for, besides its owners; if empty, it works for
    everybody."""
    ban: Annotated[list[int], LIVE] = Field(default_factory=list)
    """Ids of people whom the bot does not answer."""

    @property
    def folders(self) -> tuple[str, Path] | None:
        """`local_files`: the folder as the server names it, and as it is on this machine."""
        there, _, here = self.local_files.partition("=")
        return (there, Path(expanded(here or there))) if there else None


def _without_brackets(host: str) -> str:
    """`[::1]` is how an address of IPv6 is written before a port."""
    return host.removeprefix("[").removesuffix("]")


class ServerSettings(Section):
    host: Annotated[str, AfterValidator(_without_brackets)] = "127.0.0.1"
    """Address on which webhook, health checks and pages of plugins (metrics) are served. By default
    only programs on this machine reach them; `0.0.0.0`, or `::` for IPv6 as well, lets others in,
    as a container needs."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port on which they are served. 0 means that of the variable PORT; without that, 8080 with a
    webhook, and none with polling."""


AUTO: Final = "auto"
"""In place of a network's or device's name: the built-in one, or the best here."""
EMBEDDED_NETWORK: Final = "embedded"


def _auto_or_megabytes(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One sentence where pydantic has one for each type of the union."""
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("auto or a whole number of MB from 0 to 1,000,000 is allowed") from None


class PaintingSettings(Section):
    network: NetworkName = AUTO
    """Feature network that paints everything: a name from `impasto weights list`, or a safetensors
    file. auto is the embedded one, and `fine_network` after it for fine pictures."""
    fine: Annotated[bool, LIVE] = False
    """Whether every picture is finished with `fine_network`, if that is installed. If false, only
    those for which people choose it."""
    fine_network: NetworkName = "vgg19"
    """Network that finishes fine pictures: a name from `impasto weights list`, or a safetensors
    file. It takes more memory than the embedded one, and more time for each step."""
    fine_steps: Annotated[Steps, LIVE] = 15
    """Most optimizer steps with `fine_network`, at full size, after all others."""
    optimizer: str = "lbfgs"
    """Name of the optimizer: lbfgs (a good picture in fewer steps), adam, or one of a plugin."""
    device: str = AUTO
    """Name of the device (cpu, cuda, or one of a plugin), or auto: the best that works here."""
    steps: Annotated[Steps, LIVE] = 50
    """Most optimizer steps for one picture, at all its sizes together."""
    long_side_cpu: Annotated[Side, LIVE] = 1080
    """Longer side of a result painted on a CPU, in pixels."""
    long_side_gpu: Annotated[Side, LIVE] = 1920
    """Longer side of a result painted on a GPU, in pixels."""
    max_pixels_cpu: Annotated[PixelCap, LIVE] = 1_166_400
    """Pixel cap of a result painted on a CPU; 1,166,400 is 1080 x 1080."""
    max_pixels_gpu: Annotated[PixelCap, LIVE] = 2_073_600
    """Pixel cap of a result painted on a GPU; 2,073,600 is 1920 x 1080."""
    enlarge: Annotated[Enlargement, LIVE] = 2.0
    """How many times wider and higher a small photo may be painted than it is: strokes are sharp at
    any size. 1 means never larger."""
    large_factor: Annotated[float, Field(ge=1, le=100), LIVE] = 4.0
    """A large picture may have this many times the pixel cap."""
    patience_seconds: Annotated[float, Field(ge=0, le=3600), LIVE] = 30.0
    """How long painting may take, in seconds. A picture that would take longer, judging by the last
    ones, is painted smaller, but not below 480 x 360 pixels, and the usual size is offered with it.
    Fine and large pictures take as long as they take. 0 means no limit."""
    memory_mb: Annotated[
        Literal["auto"] | Annotated[int, Field(ge=0, le=1_000_000)],
        WrapValidator(_auto_or_megabytes),
        LIVE,
    ] = "auto"
    """Most memory of the bot's painting process on a CPU, in MB, without program code, which the
    system can drop and read again. Pictures that need more are painted smaller; up to a point, more
    memory makes painting faster. auto takes what is free on the machine or in its container when
    the picture is begun, but no more than 2,048 or half of it, whichever is more; 0 means no
    limit."""
    style_weight: Annotated[StyleWeight, LIVE] = 20_000
    """Weight of the style, where that of the photo is 1. With a hundred times more, the shapes of
    the photo begin to dissolve."""
    coarse_weight: Annotated[float, Field(ge=0, le=10), LIVE] = 1.0
    """How much large strokes count while details are painted: the weight of the smaller sizes of
    the picture in the steps at full size. At 0 large strokes fade, and most steps are made at full
    size."""
    color_coherence: Annotated[ColorCoherence, LIVE] = 0.5
    """How firmly each part of a picture keeps its color of the photo, in the shades of the style's
    palette. At 0 a patch of red may land on a face; at 10 the result is tame."""
    simplify: Annotated[Simplify, LIVE] = 1.0
    """How large the patches of color are that the photo's slight detail, such as grain and strands
    of hair, gives way to before it is painted. At 0 all detail stays; at 1 patches are about as
    large as a stroke; the larger they are, the more stands out from them, and that stays, as eyes,
    letters and edges do at any value. For a style in a few flat inks, such as a linocut or a comic,
    they are twice as large and have its tones alone."""
    least_gain: Annotated[float, Field(ge=0, le=1), LIVE] = 0.05
    """Painting goes on to the next size when 10 steps have improved the picture by less than this
    share. At 0 all steps are made."""
    brush_size: Annotated[BrushSize, LIVE] = 1.0
    """How large the strokes of a style come out; at 1 as large as if style picture and photo had
    the same area."""
    preview_seconds: Annotated[float, Field(ge=0.1, le=600), LIVE] = 2.0
    """Shortest time between two previews, in seconds; there is one at the end of each size, too."""
    try_styles: Annotated[Literal["never", "private", "always"], LIVE] = "private"
    """Where the gallery shows people their own photo in each style, small, soon after they sent it:
    only in private chats, always (in groups, too) or never. Painted only while nobody waits, by an
    idle painting process."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads for painting; 0 means as many as this process may use."""


class QueueSettings(Section):
    kind: str = "local"
    """Name of the queue, by which workers learn of jobs: local, saq, or one of a plugin."""
    storage: str = "sqlite"
    """Name of the storage of journal and conversations: sqlite, redis, or one of a plugin."""
    jobs_per_person: Annotated[int, Field(ge=1, le=1000), LIVE] = 3
    """How many unfinished pictures one person may have."""
    pictures_per_hour: Annotated[int, Field(ge=0, le=10_000), LIVE] = 30
    """How many pictures one person may ask for within an hour; 0 means no limit."""
    most_waiting: Annotated[int, Field(ge=0, le=1_000_000), LIVE] = 200
    """How many pictures may wait in all; whoever asks for one more is told when to come back.
    0 means no limit."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    """How many times a picture is tried if the painting process dies."""
    silence_seconds: Annotated[float, Field(ge=5, le=3600)] = 120.0
    """A painting process that reports nothing for this long is replaced."""
    worker_memory_mb: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """A painting process that takes more memory than this, in MB, is replaced, and its picture is
    tried once more with half the pixels (Linux only). Set it well above painting.memory_mb; 0 means
    no limit."""
    keep_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    """How long finished pictures are kept on the disk, in hours."""
    remember_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How long the buttons under finished pictures work, in days."""


class PluginsSettings(BaseModel):
    """`[plugins]`; every further table in it is the section of the plugin of that name."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    folder: Path | None = None
    """Folder of one-file plugins: every `*.py` in it whose name does not begin with `_`."""
    files: list[Path] = Field(default_factory=list)
    """One-file plugins, or folders of packages, besides those in `folder`."""
    allow: list[str] = Field(default_factory=list)
    """If not empty, only the plugins named here are loaded."""
    deny: list[str] = Field(default_factory=list)
    """Plugins that are not loaded."""
    safe_mode: bool = False
    """Load only the built-in plugins, whatever is installed, allowed or denied."""
    slow_seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    """A plugin that keeps the bot waiting for longer than this, in seconds, is named in the log."""
    start_seconds: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """A plugin whose import or start hook takes longer than this, in seconds, is left out (not on
    Windows; never a built-in one). 0 means no limit."""

    @property
    def sections(self) -> dict[str, Any]:
        """Raw sections by plugin name."""
        return dict(self.model_extra or {})


RESERVED_PLUGIN_NAMES = frozenset(PluginsSettings.model_fields)
"""Keys of `[plugins]` itself; no plugin can have a section of that name."""


class LogSettings(Section):
    level: Annotated[Literal["debug", "info", "warning", "error"], LIVE] = "info"
    """Lowest severity that is logged."""
    format: Literal["auto", "pretty", "json"] = "auto"
    """auto means pretty on a terminal and JSON elsewhere."""


class Settings(BaseModel):
    """All settings, as one value. A running bot that reloads gets another one.

    Make one with `load_settings`; `Settings()` has the defaults, and `model_validate` takes plain
    values, as the painting process gets them.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    state_dir: Path = Path("state")
    """Folder for everything that is written: journal, pictures of jobs, fetched weights."""
    telegram: TelegramSettings = TelegramSettings()
    server: ServerSettings = ServerSettings()
    painting: PaintingSettings = PaintingSettings()
    queue: QueueSettings = QueueSettings()
    plugins: PluginsSettings = PluginsSettings()
    log: LogSettings = LogSettings()

    _plugin_sections: dict[str, BaseModel] = PrivateAttr(default_factory=dict)
    _origins: Origins = PrivateAttr(default_factory=Origins)

    @property
    def own_styles(self) -> Path:
        """Folder of this installation's own preset styles, with a `styles.toml` of their own."""
        return self.state_dir / "styles"

    def origin(self, name: str) -> str:
        """Where the value of a setting came from, by its full name, as in `painting.steps`."""
        return self._origins.origin(name)

    def place(self, name: str) -> str:
        """Where a setting is written, in parentheses: a variable, or a file's line. Empty for what
        nobody has written."""
        return self._origins.place(name)

    def plugin(self, name: str) -> Any:
        """The validated section of a plugin that has an `impasto_settings` hook."""
        return self._plugin_sections[name]

    def validate_plugin_section(self, name: str, model: type[BaseModel]) -> None:
        """Second phase: checks `[plugins.<name>]` against its plugin's model.

        Raises:
            SettingsError: the section does not fit.
        """
        prefix = f"plugins.{name}."
        written = self.plugins.sections.get(name, {})
        try:
            section = model.model_validate(meant(model, written, self._origins, prefix))
        except ValidationError as error:
            raise SettingsError(explain(error, model, self._origins, prefix)) from None
        for value in dict(section).values():
            if isinstance(value, SecretStr):
                hide(value.get_secret_value())
        self._plugin_sections[name] = section
