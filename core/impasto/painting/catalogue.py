"""What painting plugins offer, checked and picked by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch

from impasto.contracts import Device, NetworkSource, Optimizer, PaintOptions
from impasto.errors import ImpastoError, NotAvailable, PluginError, SettingsError
from impasto.hookspecs import PAINTING_GROUP
from impasto.memory import MEGABYTE
from impasto.painting.caches import StyleCache
from impasto.painting.network import Network, load_network
from impasto.painting.plugin_calls import PictureSteps, blamed
from impasto.painting.strips.plan import least_bytes
from impasto.painting.threads import usable_cpus, use_threads
from impasto.plugins import PluginHost
from impasto.settings import AUTO, EMBEDDED_NETWORK, Settings
from impasto.sizes import PHOTO_SIZE, limited, result_size

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What one request is painted with, besides what the settings alone say."""

    network: Network
    fine_network: Network | None
    """The network that the picture is finished on, if it is to be fine."""
    optimizer: Optimizer
    device: Device
    steps: int
    """Limit of the steps on `network`."""
    style_weight: float
    color_coherence: float
    """Strength, as `CoherentColors` takes it."""
    options: PaintOptions
    """The request's options; what it left open is filled in."""


class Catalogue:
    """Pre- and postprocessors, optimizers, devices and networks of one plugin host."""

    def __init__(self, host: PluginHost) -> None:
        self.host = host
        self.settings = settings = host.settings
        self.steps = PictureSteps(host)
        optimizers = host.collect("impasto_optimizers", Optimizer, settings=settings)
        devices = host.collect("impasto_devices", Device, settings=settings)
        networks = host.collect("impasto_networks", NetworkSource, settings=settings)
        self.optimizers = {optimizer.name: optimizer for optimizer in optimizers}
        self.devices = {device.name: blamed(host, device) for device in devices}
        self.networks = {network.name: blamed(host, network) for network in networks}
        self.styles = StyleCache()
        self._loaded: dict[tuple[str, torch.device, torch.dtype], Network] = {}

    def pick(self, options: PaintOptions) -> Tools:
        """Everything a request asks for, the settings' choice where it asks for nothing.

        Raises:
            NotAvailable: something was asked for that no plugin offers or that does not work here.
            WeightsError: a network's file is missing or damaged.
        """
        defaults = self.settings.painting
        device = self.device(options.device or defaults.device)
        network = options.network or defaults.network
        fine_network = self._fine_network(options, device) if network == AUTO else None
        optimizer = options.optimizer or defaults.optimizer
        steps = options.steps or defaults.steps
        style_weight = options.style_weight or defaults.style_weight
        color_coherence = options.color_coherence
        if color_coherence is None:
            color_coherence = defaults.color_coherence
        completed = {
            "network": network,
            "fine": fine_network is not None,
            "optimizer": optimizer,
            "device": device.name,
            "steps": steps,
            "style_weight": style_weight,
            "brush_size": options.brush_size or defaults.brush_size,
            "color_coherence": color_coherence,
            "simplify": defaults.simplify if options.simplify is None else options.simplify,
        }
        return Tools(
            network=self.network(network, device),
            fine_network=fine_network,
            optimizer=self.optimizer(optimizer),
            device=device,
            steps=steps,
            style_weight=style_weight,
            color_coherence=color_coherence,
            options=self._sized(options, device).model_copy(update=completed),
        )

    def _sized(self, options: PaintOptions, device: Device) -> PaintOptions:
        on_cpu = device.torch_device().type == "cpu"
        return limited(options, self.settings.painting, device.max_pixels(), on_cpu=on_cpu)

    def optimizer(self, name: str) -> Optimizer:
        if name not in self.optimizers:
            known, left_out = list(self.optimizers), self.host.left_out()
            raise NotAvailable("optimizer", name, known, left_out=left_out)
        return self.optimizers[name]

    def device(self, name: str) -> Device:
        """A device by name, or for `auto` the first that works here."""
        if name == AUTO:
            for device in self.devices.values():
                if self._why_not(device) is None:
                    return device
            why, left_out = "no device works here", self.host.left_out()
            raise NotAvailable("device", name, list(self.devices), why, left_out)
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
        key = (name_or_file, device.torch_device(), device.feature_dtype())
        if key not in self._loaded:
            self._loaded[key] = self._load_network(name_or_file).to(key[1], key[2])
        return self._loaded[key]

    def why_not_fine(self) -> str | None:
        """Why a picture at the settings' pixel cap cannot be fine; None where it can. Loads the
        network that finishes it."""
        painting = self.settings.painting
        name = painting.fine_network
        if painting.network != AUTO:
            return f"painting.network {painting.network!r} paints everything"
        try:
            device = self.device(painting.device)
            network = self.network(name, device)
        except ImpastoError as error:
            return str(error)
        available = device.memory()
        if available is None:
            return None
        width, height = result_size(PHOTO_SIZE, self._sized(PaintOptions(), device))
        missing = least_bytes(network, (height, width), device.strip_bytes()) - available
        if missing <= 0:
            return None
        return (
            f"{name} takes at least {math.ceil(missing / MEGABYTE)} MB more than painting may have "
            f"at {width} x {height} pixels; allow more memory or lower the pixel cap"
        )

    def _fine_network(self, options: PaintOptions, device: Device) -> Network | None:
        """The network that `auto` finishes a fine picture on. Where it is not available, a request
        that asks for a fine picture fails; where only the settings do, the picture is painted as
        usual."""
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

    def _why_not(self, item: Device | NetworkSource) -> str | None:
        """Why a device or network cannot be used here; one that fails when asked cannot be."""
        try:
            return item.why_not()
        except PluginError as error:
            log.warning("plugin_failed_when_asked", plugin=error.plugin, problem=error.problem)
            return str(error)

    def _load_network(self, name_or_file: str) -> Network:
        source = self.networks.get(name_or_file)
        if source is not None:
            why_not = self._why_not(source)
            if why_not is not None:
                raise NotAvailable("network", name_or_file, list(self.networks), why_not)
            network = source.load()
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


def load_catalogue(settings: Settings, *, strict: bool = False) -> Catalogue:
    """Loads the painting plugins and sets the number of CPU threads.

    Raises:
        SettingsError: there is nothing to paint with, or a folder of plugins is not there.
        PluginsFailed: `strict` and a plugin failed.
    """
    use_threads(settings.painting.threads or usable_cpus())
    host = PluginHost(PAINTING_GROUP, settings, strict=strict).load()
    catalogue = Catalogue(host)
    if strict:
        host.check_strict()
    needed = {
        "impasto_optimizers": catalogue.optimizers,
        "impasto_devices": catalogue.devices,
        "impasto_networks": catalogue.networks,
    }
    for hook, offers in needed.items():
        if not offers:
            raise SettingsError(
                f"no plugin offers {hook}; see `impasto plugins`; {host.left_out()}".rstrip("; ")
            )
    return catalogue
