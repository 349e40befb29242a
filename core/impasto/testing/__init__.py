"""The test kit for plugins: a pytest plugin, pictures and settings, conformance suites.

pytest finds the fixtures of `impasto.testing.plugin` by itself once impasto is installed. Nothing
here is loaded before a test asks for it. App and Chat need the playground's server: that is a
plugin, which the core imports only then.
"""

from impasto.lazy import lazy_names

__all__, __getattr__ = lazy_names(__name__)
