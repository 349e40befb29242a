"""What is imported from here, and where it is; `__init__.py` and type checkers read this list."""

# isort: skip_file

from impasto.testing.conformance.bot import (
    ChecksConformance as ChecksConformance,
    DialogConformance as DialogConformance,
    ObserverConformance as ObserverConformance,
    PluginConformance as PluginConformance,
    PresenterConformance as PresenterConformance,
    StylesConformance as StylesConformance,
    WebRoutesConformance as WebRoutesConformance,
)
from impasto.testing.conformance.painting import (
    DeviceConformance as DeviceConformance,
    NetworkConformance as NetworkConformance,
    OptimizerConformance as OptimizerConformance,
    PostprocessorConformance as PostprocessorConformance,
    PreprocessorConformance as PreprocessorConformance,
)
from impasto.testing.conformance.storage import (
    QueueConformance as QueueConformance,
    StorageConformance as StorageConformance,
)

SUITES: dict[str, str]
