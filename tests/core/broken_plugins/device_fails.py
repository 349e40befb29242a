"""A device that fails when its memory is asked for."""

from impasto import hookimpl
from impasto_cpu import Cpu


class Failing(Cpu):
    name = "device_fails"
    order = 1

    def memory(self):
        raise KeyError("memory")


@hookimpl
def impasto_devices(settings):
    return [Failing(max_pixels=4096, memory_mb=0)]
