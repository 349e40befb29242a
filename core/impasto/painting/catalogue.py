"""What painting plugins offer, checked and picked by name."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog
import torch
from PIL import Image

from impasto.contracts import (
    Device,
    NetworkSource,
    Optimizer,
    PaintOptions,
    PictureContext,
    Postprocessor,
    Preprocessor,
    Role,
)
from impasto.errors import ImpastoError, NotAvailable, PluginError, SettingsError
from impasto.hookspecs import PAINTING_GROUP
from impasto.painting.caches import StyleCache, fingerprint
from impasto.painting.multiscale import shrink
from impasto.painting.network import Network, load_network
from impasto.painting.objective import Grams
from impasto.painting.pictures import MIN_SIDE, to_tensor
from impasto.painting.pyramid import plan_levels
from impasto.painting.strips.network import strip_grams
from impasto.painting.threads import usable_cpus
from impasto.plugins import PluginHost
from impasto.settings import AUTO, EMBEDDED_NETWORK, Settings

T = TypeVar("T")

log = structlog.get_logger(__name__)

WeightedPicture = tuple[Image.Image, float]


@dataclass(frozen=True, slots=True)
class Tools:
    """What one request is painted with."""

    network: Network
    fine: Network | None
    """What the picture is finished on, if it is to be fine."""
    optimizer: Optimizer
    device: Device
    steps: int
    """Most of them on `network`."""
    fine_steps: int
    """Most of them on `fine`."""
    style_weight: float
    coarse_weight: float
    """Of a level's coarser sizes, as `pyramid.size_weights` takes it."""
    least_gain: float
    """As `pyramid.StoppingRule` takes it."""
    options: PaintOptions
    """The request's options; what it left open is filled in."""


class Catalogue:
    """Pre- and postprocessors, optimizers, devices and networks of one plugin host."""

    def __init__(self, host: PluginHost) -> None:
        self.host = host
        self.settings = host.settings
        collect = functools.partial(host.collect, settings=host.settings)
        self.preprocessors = collect("impasto_preprocessors", Preprocessor)
        self.postprocessors = collect("impasto_postprocessors", Postprocessor)
        self.optimizers = {o.name: o for o in collect("impasto_optimizers", Optimizer)}
        self.devices = {d.name: d for d in collect("impasto_devices", Device)}
        self.networks = {n.name: n for n in collect("impasto_networks", NetworkSource)}
        self._style_cache = StyleCache()
        self._loaded: dict[tuple[str, torch.device, torch.dtype], Network] = {}

    @property
    def offers(self) -> dict[str, list[str]]:
        """Names of what there is, by hook."""
        return {
            "impasto_preprocessors": [p.name for p in self.preprocessors],
            "impasto_postprocessors": [p.name for p in self.postprocessors],
            "impasto_optimizers": list(self.optimizers),
            "impasto_devices": list(self.devices),
            "impasto_networks": list(self.networks),
        }

    def pick(self, options: PaintOptions) -> Tools:
        """Everything a request asks for, the settings' choice where it asks for nothing.

        Raises:
            NotAvailable: something was asked for that no plugin offers or that does not work here.
            WeightsError: a network's file is missing or damaged.
        """
        defaults = self.settings.painting
        device = self.device(options.device or defaults.device)
        network = options.network or defaults.network
        fine = self._fine(options, device) if network == AUTO else None
        optimizer = options.optimizer or defaults.optimizer
        steps = options.steps or defaults.steps
        style_weight = options.style_weight or defaults.style_weight
        completed = {
            "network": network,
            "fine": fine is not None,
            "optimizer": optimizer,
            "device": device.name,
            "steps": steps,
            "max_pixels": options.max_pixels or device.max_pixels(),
            "style_weight": style_weight,
            "brush_size": options.brush_size or defaults.brush_size,
        }
        return Tools(
            network=self.network(network, device),
            fine=fine,
            optimizer=self.optimizer(optimizer),
            device=device,
            steps=steps,
            fine_steps=defaults.fine_steps,
            style_weight=style_weight,
            coarse_weight=defaults.coarse_weight,
            least_gain=defaults.least_gain,
            options=options.model_copy(update=completed),
        )

    def optimizer(self, name: str) -> Optimizer:
        if name not in self.optimizers:
            known = ", ".join(self.optimizers) or "none"
            why = [f"no plugin offers it; there is {known}", self.host.left_out()]
            raise NotAvailable("optimizer", name, [], "; ".join(filter(None, why)))
        return self.optimizers[name]

    def device(self, name: str) -> Device:
        """A device by name, or for `auto` the first that works here."""
        if name == AUTO:
            for device in self.devices.values():
                if self._why_not(device) is None:
                    return device
            why = "; ".join(filter(None, ["no device works here", self.host.left_out()]))
            raise NotAvailable("device", name, list(self.devices), why)
        if name not in self.devices:
            raise NotAvailable("device", name, [*self.devices, AUTO])
        why_not = self._why_not(self.devices[name])
        if why_not is not None:
            raise NotAvailable("device", name, list(self.devices), why_not)
        return self.devices[name]

    def network(self, name_or_file: str, device: Device) -> Network:
        """A network on a device in its feature precision; loaded once and kept. `auto` is the
        embedded one."""
        if name_or_file == AUTO:
            name_or_file = EMBEDDED_NETWORK
        where = self._asked(device, lambda: (device.torch_device(), device.feature_dtype()))
        key = (name_or_file, *where)
        if key not in self._loaded:
            self._loaded[key] = self._load_network(name_or_file).to(key[1], key[2])
        return self._loaded[key]

    def style_grams(
        self, network: Network, device: Device, style: Image.Image, halvings: int
    ) -> Grams:
        """Gram matrices of a prepared style picture, shrunk by half so many times; computed once
        and kept for as long as there is room."""
        size = tuple(max(MIN_SIDE, round(side / 2**halvings)) for side in style.size)

        def compute() -> Grams:
            image = image_of(style, (size[1], size[0]), device)
            return strip_grams(network, image, device.strip_bytes())

        # Networks stay loaded, so none can take over the identity of another.
        return self._style_cache.get((id(network), fingerprint(style), size), compute)

    def warm(self, style: Image.Image, options: PaintOptions) -> None:
        """Has the Gram matrices of a style picture ready for photos at or above the pixel cap.

        Raises:
            PictureError, NotAvailable, WeightsError, PluginError: as when it is painted with.
        """
        tools = self.pick(options)
        assert tools.options.max_pixels is not None  # noqa: S101  (`pick` fills it in)
        side = math.isqrt(tools.options.max_pixels)
        content = Image.new("RGB", (side, side))
        prepared = self.prepare(style, "style", tools.options, content)
        for network in filter(None, (tools.network, tools.fine)):
            for halvings in range(len(plan_levels((side, side), tools.steps))):
                self.style_grams(network, tools.device, prepared, halvings)

    def prepare(
        self,
        picture: Image.Image,
        role: Role,
        options: PaintOptions,
        content: Image.Image | None = None,
        styles: Sequence[WeightedPicture] = (),
    ) -> Image.Image:
        """A picture after all preprocessors of its role.

        Raises:
            PluginError: a preprocessor failed or returned no RGB picture.
            PictureError: a preprocessor refused the picture.
        """
        context = PictureContext(role=role, options=options, content=content, styles=styles)
        for step in self.preprocessors:
            if role in step.roles:
                picture = self._run(step, picture, context)
        return picture

    def finish(
        self,
        picture: Image.Image,
        options: PaintOptions,
        content: Image.Image,
        styles: Sequence[WeightedPicture],
    ) -> Image.Image:
        """A painted picture after all postprocessors. Raises PluginError when one of them fails."""
        context = PictureContext(role="content", options=options, content=content, styles=styles)
        for step in self.postprocessors:
            finished = self._run(step, picture, context)
            if finished.size != picture.size:
                raise PluginError(
                    self.host.owner_of(step),
                    f"{step.name} changed the size from {picture.size} to {finished.size}",
                )
            picture = finished
        return picture

    def _fine(self, options: PaintOptions, device: Device) -> Network | None:
        """What `auto` finishes a picture on: it must be there where the request asks for it, and is
        done without where only the settings do."""
        painting = self.settings.painting
        is_wanted = painting.fine if options.fine is None else options.fine
        if not is_wanted:
            return None
        try:
            return self.network(painting.fine_network, device)
        except ImpastoError as error:
            if options.fine:
                raise
            log.warning("picture_not_fine", why=str(error))
            return None

    def _run(
        self, step: Preprocessor | Postprocessor, picture: Image.Image, context: PictureContext
    ) -> Image.Image:
        owner = self.host.owner_of(step)
        try:
            result = step(picture, context)
        except ImpastoError:
            raise
        except Exception as error:
            raise PluginError(owner, f"{step.name}: {type(error).__name__}: {error}") from error
        if not isinstance(result, Image.Image) or result.mode != "RGB":
            raise PluginError(owner, f"{step.name} must return an RGB picture, not {result!r}")
        return result

    def _why_not(self, item: Device | NetworkSource) -> str | None:
        """Why a device or network cannot be used here; one that cannot even say so cannot."""
        try:
            return self._asked(item, item.why_not)
        except PluginError as error:
            log.warning("plugin_failed_when_asked", plugin=error.plugin, problem=error.problem)
            return str(error)

    def _asked(self, item: Device | NetworkSource, question: Callable[[], T]) -> T:
        """What a plugin's object answers. Raises PluginError when it fails."""
        try:
            return question()
        except (ImpastoError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            problem = f"{item.name}: {type(error).__name__}: {error}"
            raise PluginError(self.host.owner_of(item), problem) from error

    def _load_network(self, name_or_file: str) -> Network:
        source = self.networks.get(name_or_file)
        if source is not None:
            why_not = self._why_not(source)
            if why_not is not None:
                raise NotAvailable("network", name_or_file, list(self.networks), why_not)
            network = self._asked(source, source.load)
            if not isinstance(network, Network):
                raise PluginError(
                    self.host.owner_of(source),
                    f"the network {source.name!r} must load a Network, not {network!r}",
                )
            return network
        path = Path(name_or_file).expanduser()
        if path.suffix == ".safetensors" and path.is_file():
            return load_network(path)
        raise NotAvailable("network", name_or_file, [*self.networks, "or a .safetensors file"])


def image_of(picture: Image.Image, size: tuple[int, int], device: Device) -> torch.Tensor:
    """A picture as 1x3xHxW float32 in [0, 1], shrunk to (height, width), on a device."""
    return shrink(to_tensor(picture).to(device.torch_device()), size)


def load_catalogue(settings: Settings, *, strict: bool = False) -> Catalogue:
    """Loads the painting plugins and sets the number of CPU threads.

    Raises:
        SettingsError: a plugin's settings section is wrong, or there is nothing to paint with.
        PluginsFailed: `strict` and a plugin failed.
    """
    torch.set_num_threads(settings.painting.threads or usable_cpus())
    host = PluginHost(PAINTING_GROUP, settings, strict=strict).load()
    catalogue = Catalogue(host)
    if strict:
        host.check_strict()
    for kind, found in catalogue.offers.items():
        if not found and kind in {"impasto_optimizers", "impasto_devices", "impasto_networks"}:
            raise SettingsError(
                f"no plugin offers {kind}; see `impasto plugins`; {host.left_out()}".rstrip("; ")
            )
    return catalogue
