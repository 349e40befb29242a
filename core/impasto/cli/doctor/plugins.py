"""What the bot's plugins offer, and what they find themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from impasto.contracts import Finding, StylePreset

if TYPE_CHECKING:
    from impasto.contracts import JobQueue, Storage
    from impasto.plugins import PluginHost
    from impasto.settings import QueueSettings


def check(host: PluginHost) -> Iterator[Finding]:
    from impasto.contracts import JobQueue, Presenter, Storage

    settings = host.settings
    presets = host.collect("impasto_styles", StylePreset, settings=settings)
    queues = {q.name: q for q in host.collect("impasto_queues", JobQueue, settings=settings)}
    storages = {s.name: s for s in host.collect("impasto_storages", Storage, settings=settings)}
    kind, storage = settings.queue.kind, settings.queue.storage
    yield _named(host, "queue.kind", kind, queues)
    yield _named(host, "queue.storage", storage, storages)
    if kind in queues and storage in storages:
        yield from together(queues[kind], storages[storage], settings.queue)
    presenters = host.collect("impasto_presenters", Presenter, settings=settings, presets=presets)
    if not presenters:
        yield Finding(
            name="dialog",
            verdict="problem",
            says="no plugin has words for the messages about a job",
            advice="take the plugin `dialog` out of plugins.deny, or install another one",
        )
    yield styles(presets)
    yield working(host)


def paints_itself(host: PluginHost) -> bool:
    """Whether `impasto run` paints, too; also where the queue is not there and nothing does."""
    from impasto.contracts import JobQueue

    queues = host.collect("impasto_queues", JobQueue, settings=host.settings)
    chosen = [queue for queue in queues if queue.name == host.settings.queue.kind]
    return not chosen or chosen[0].embedded_worker


def together(queue: JobQueue, storage: Storage, settings: QueueSettings) -> Iterator[Finding]:
    """Who paints in other processes needs a storage that these can use, too."""
    if not queue.embedded_worker and not storage.is_shared:
        yield Finding(
            name="queue",
            verdict="problem",
            says=f"{settings.kind} has pictures painted by other processes, and they cannot use "
            f"{settings.storage}",
            advice='set queue.storage to one that is shared, such as "redis"',
        )


def styles(presets: list[StylePreset]) -> Finding:
    gone = [preset.name for preset in presets if not preset.picture.is_file()]
    if gone:
        return Finding(
            name="styles",
            verdict="warning",
            says=f"no picture of {', '.join(gone)}",
            advice="put it back, or take the style out; `impasto styles` lists all",
        )
    if not presets:
        return Finding(
            name="styles",
            verdict="warning",
            says="there are no presets: people can paint in styles of their own only",
            advice="add one with `impasto styles add`, or allow the plugin `styles`",
        )
    return Finding(name="styles", verdict="ok", says=f"{len(presets)} presets")


def working(host: PluginHost) -> Finding:
    failed = [f"{r.name} ({r.error})" for r in host.records if r.error]
    if failed:
        return Finding(
            name="plugins",
            verdict="problem" if host.strict else "warning",
            says=f"the bot goes without {'; '.join(failed)}",
            advice="mend them, or name them in plugins.deny",
        )
    left_out = [r.name for r in host.records if r.left_out]
    told = f", left out: {', '.join(left_out)}" if left_out else ""
    return Finding(name="plugins", verdict="ok", says=f"{len(host.active)} of the bot{told}")


def own_findings(host: PluginHost) -> Iterator[Finding]:
    """What plugins have found about themselves; one that fails at that is not to be trusted."""
    failed_before = {record.name for record in host.records if record.error}
    yield from host.collect("impasto_checks", Finding, settings=host.settings)
    for record in host.records:
        if record.error and record.name not in failed_before:
            yield Finding(
                name=f"plugin {record.name}",
                verdict="warning",
                says=str(record.error),
                advice="tell its author; the bot may work all the same",
            )


def _named(host: PluginHost, setting: str, name: str, offers: Mapping[str, object]) -> Finding:
    from impasto.settings.description import did_you_mean

    if name not in offers:
        known = ", ".join(offers) or "none"
        return Finding(
            name=setting,
            verdict="problem",
            says=f"no plugin offers {name!r}{did_you_mean(name, offers)}",
            advice=f"set {setting} to one of these: {known}",
        )
    return Finding(name=setting, verdict="ok", says=f"{name}, of {host.owner_of(offers[name])}")
