"""The networks plugin: its manifest, slicing checkpoints of both formats, downloads, `weights`."""

from __future__ import annotations

import functools
import importlib
import re
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from impasto import data_folders
from impasto.cli import main
from impasto.contracts import NetworkSource
from impasto.errors import NotAvailable, WeightsError
from impasto.hookspecs import PAINTING_GROUP
from impasto.painting.catalogue import load_catalogue
from impasto.painting.network import load_network
from impasto.plugins import PluginHost
from impasto.settings import Settings
from impasto_networks import NetworkFile, commands, network_files, read_manifest, sha256_of
from impasto_networks.commands import fetch, torchvision_weights

VGG19_SLICE = (
    Path(__file__).parents[2] / "../shared/data/weights/vgg19-features-0-10.safetensors"
).resolve()
CONVOLUTIONS = {0: (8, 3), 2: (8, 8), 5: (12, 8), 7: (12, 12), 10: (16, 12), 12: (16, 16)}
"""Of a small VGG: number in `features`, and channels out and in."""

State = dict[str, torch.Tensor]


@pytest.fixture
def state() -> State:
    """A state dict as VGG-19's, thin, with a classifier that nobody wants."""
    generator = torch.Generator().manual_seed(1)
    tensors: State = OrderedDict()
    for number, (channels_out, channels_in) in CONVOLUTIONS.items():
        shape = (channels_out, channels_in, 3, 3)
        tensors[f"features.{number}.weight"] = torch.randn(shape, generator=generator)
        tensors[f"features.{number}.bias"] = torch.randn(channels_out, generator=generator)
    tensors["classifier.0.weight"] = torch.randn(20, 30, generator=generator)
    return tensors


def wanted(state: State) -> State:
    return {k: v for k, v in state.items() if k.startswith("features") and "12" not in k}


def save_zip(state: Any, path: Path) -> None:
    torch.save(state, path)


def save_before_zip(state: Any, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


BOTH_FORMATS = pytest.mark.parametrize("save", [save_zip, save_before_zip])


class TestCheckpoints:
    """Each is named as the copy to fetch from."""

    def made(self, copy: Path, name: str = "vgg19") -> State:
        network = named(copy.parent / "state", name)
        fetch(network, copy=copy)
        return load_file(network.path)

    @BOTH_FORMATS
    def test_the_wanted_convolutions_come_back_bit_for_bit(
        self, save: Any, state: State, tmp_path: Path
    ) -> None:
        save(state, tmp_path / "x.pth")
        found = self.made(tmp_path / "x.pth")
        assert found.keys() == wanted(state).keys()
        for name, tensor in found.items():
            assert torch.equal(tensor, state[name]), name
            assert tensor.dtype == torch.float32

    def test_parameters_are_tensors_too(self, state: State, tmp_path: Path) -> None:
        parameters = OrderedDict((k, torch.nn.Parameter(v)) for k, v in state.items())
        for save in (save_zip, save_before_zip):
            save(parameters, tmp_path / "x.pth")
            found = self.made(tmp_path / "x.pth")
            assert torch.equal(found["features.5.bias"], state["features.5.bias"])

    @BOTH_FORMATS
    def test_a_checkpoint_that_wants_to_run_something_is_refused(
        self, save: Any, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"

        class Evil:
            def __reduce__(self) -> Any:
                return Path.touch, (trace,)

        save({"features.10.weight": Evil()}, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match="is not a checkpoint of torch"):
            self.made(tmp_path / "x.pth")
        assert not trace.exists()

    @pytest.mark.parametrize(
        "content", [b"", b"\x80", b"no checkpoint at all", b"PK\x03\x04", b"\0" * 99]
    )
    def test_a_file_of_something_else_is_refused(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "x.pth").write_bytes(content)
        with pytest.raises(WeightsError, match="is not a checkpoint of torch"):
            self.made(tmp_path / "x.pth")

    @BOTH_FORMATS
    def test_half_a_file_is_refused(self, save: Any, state: State, tmp_path: Path) -> None:
        path = tmp_path / "x.pth"
        save(state, path)
        whole = path.read_bytes()
        for share in (0.1, 0.5, 0.9):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(WeightsError):
                self.made(path)

    @BOTH_FORMATS
    def test_another_networks_checkpoint_is_refused(self, save: Any, tmp_path: Path) -> None:
        for other in ({"layer1.0.weight": torch.zeros(3)}, [torch.zeros(3)], 5):
            save(other, tmp_path / "x.pth")
            with pytest.raises(WeightsError, match=r"has no features\.10"):
                self.made(tmp_path / "x.pth")

    def test_the_hash_in_a_name_is_checked(self, state: State, tmp_path: Path) -> None:
        save_zip(state, tmp_path / "vgg19.pth")
        digest = sha256_of(tmp_path / "vgg19.pth")
        right = (tmp_path / "vgg19.pth").rename(tmp_path / f"vgg19-{digest[:8]}.pth")
        assert self.made(right).keys() == wanted(state).keys()
        wrong = right.rename(tmp_path / "vgg19-dcbb9e9d.pth")
        with pytest.raises(WeightsError, match="does not begin with dcbb9e9d; get it again"):
            self.made(wrong)


@dataclass
class Web:
    """A server that answers with one file, or with an error."""

    url: str = ""
    content: bytes = b""
    status: int = 200
    asked: int = 0


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked += 1
            if web.status != 200:
                self.send_error(web.status)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(web.content)))
            self.end_headers()
            self.wfile.write(web.content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    yield web
    server.shutdown()
    server.server_close()
    thread.join()


Publish = Callable[[str], None]


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Has torchvision's weights come from another address."""

    def publish(url: str) -> None:
        elsewhere = SimpleNamespace(
            url=url, get_state_dict=functools.partial(torch.hub.load_state_dict_from_url, url)
        )
        monkeypatch.setattr(commands, "torchvision_weights", lambda _: elsewhere)

    return publish


def named(state_dir: Path, name: str) -> NetworkFile:
    return {n.name: n for n in network_files(state_dir)}[name]


class TestManifest:
    def test_the_networks_of_the_program(self) -> None:
        manifest = read_manifest()
        assert list(manifest) == ["embedded", "vgg19", "vgg19_gatys"]
        gatys = manifest["vgg19_gatys"]
        assert gatys.style_layers == ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
        assert (gatys.content_layers, gatys.through) == (["conv4_2"], "features.28")
        vgg19 = manifest["vgg19"]
        assert vgg19.style_layers == ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
        assert (vgg19.content_layers, vgg19.through) == (["conv2_2"], "features.10")

    def test_the_embedded_file_is_the_one_of_the_manifest(self) -> None:
        """After a change of the file: `python weights/update_manifest.py`."""
        entry = read_manifest()["embedded"]
        path = data_folders.weights_folder() / entry.file
        assert sha256_of(path) == entry.sha256
        assert path.stat().st_size < 2_000_000
        network = load_network(path)
        assert list(network.style_layers) == entry.style_layers
        assert list(network.content_layers) == entry.content_layers

    @pytest.mark.parametrize("text", ["[x]\nfile = 3", "[x", '[x]\nfile = "../x.safetensors"'])
    def test_a_manifest_that_makes_no_sense_is_named(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "weights.toml").write_text(text)
        with pytest.raises(WeightsError, match=r"weights\.toml cannot be used"):
            read_manifest(tmp_path / "weights.toml")

    def test_the_plugin_offers_them_to_the_painting_process(self, tmp_path: Path) -> None:
        settings = Settings(state_dir=tmp_path)
        host = PluginHost(PAINTING_GROUP, settings).load()
        contract: type = NetworkSource
        found = {n.name: n for n in host.collect("impasto_networks", contract, settings=settings)}
        assert found["embedded"].why_not() is None
        assert found["embedded"].load().name == "embedded"
        assert found["vgg19"].why_not() == "fetch it with `impasto weights fetch vgg19`"
        with pytest.raises(WeightsError):
            found["vgg19"].load()

    def test_torchvision_knows_the_source(self) -> None:
        for entry in read_manifest().values():
            if entry.source:
                url = torchvision_weights(entry.source).url
                assert url.startswith("https://")
                assert torch.hub.HASH_REGEX.search(url.rpartition("/")[2]) is not None


class TestFetch:
    def test_a_copy_becomes_a_network_that_paints_can_load(
        self, state: State, tmp_path: Path
    ) -> None:
        save_before_zip(state, tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19")
        fetch(network, copy=tmp_path / "copy.pth")
        assert (tmp_path / "copy.pth").is_file()
        assert network.why_not() is None
        catalogue = load_catalogue(Settings(state_dir=tmp_path / "state"))
        loaded = catalogue.networks["vgg19"].load()
        assert loaded.name == "vgg19"
        assert [c.name for c in loaded.convolutions] == list(network.entry.style_layers)
        assert dict(loaded.content_layers) == {"conv2_2": 1.0}
        assert torch.equal(loaded.convolutions[4].weight, state["features.10.weight"])
        mode = network.path.stat().st_mode
        assert mode & 0o044 == 0o044, "not only its maker can read it"

    def test_a_download_is_sliced_and_deleted(
        self, state: State, tmp_path: Path, web: Web, publish: Publish
    ) -> None:
        save_zip(state, tmp_path / "x.pth")
        web.content = (tmp_path / "x.pth").read_bytes()
        name = f"vgg19-{sha256_of(tmp_path / 'x.pth')[:8]}.pth"
        publish(f"{web.url}/{name}")
        network = named(tmp_path / "state", "vgg19")
        fetch(network)
        assert load_network(network.path).name == "vgg19"
        assert not (network.path.parent / name).exists()
        fetch(network, keep=True)
        assert (network.path.parent / name).exists()
        asked = web.asked
        fetch(network, keep=True)
        assert web.asked == asked, "what was kept is used"

    def test_a_download_with_a_wrong_hash_leaves_nothing_behind(
        self, tmp_path: Path, web: Web, publish: Publish
    ) -> None:
        web.content = b"something else"
        publish(f"{web.url}/vgg19-dcbb9e9d.pth")
        with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth arrived damaged"):
            fetch(named(tmp_path / "state", "vgg19"))
        assert not list(tmp_path.glob("state/weights/*"))

    def test_a_missing_file_is_told(self, tmp_path: Path, web: Web, publish: Publish) -> None:
        web.status = 404
        publish(f"{web.url}/vgg19-dcbb9e9d.pth")
        with pytest.raises(WeightsError, match=r"cannot be downloaded from .* \(Not Found\)"):
            fetch(named(tmp_path / "state", "vgg19"))

    def test_what_comes_with_the_program_is_not_fetched(self, tmp_path: Path) -> None:
        with pytest.raises(NotAvailable, match="need not be fetched"):
            fetch(named(tmp_path, "embedded"))

    def test_a_failed_fetch_leaves_no_network(self, state: State, tmp_path: Path) -> None:
        save_zip(state, tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19_gatys")
        with pytest.raises(WeightsError, match=r"has no features\.28"):
            fetch(network, copy=tmp_path / "copy.pth")
        assert network.why_not() is not None
        assert not list(tmp_path.glob("state/weights/*"))

    @pytest.mark.skipif(not VGG19_SLICE.is_file(), reason="no ../shared/data/weights here")
    def test_torchvisions_own_values_survive_the_way(self, tmp_path: Path) -> None:
        values = load_file(VGG19_SLICE)
        save_before_zip(OrderedDict(values), tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19")
        fetch(network, copy=tmp_path / "copy.pth")
        made, direct = load_network(network.path), load_network(VGG19_SLICE)
        assert made.style_layers == direct.style_layers
        assert made.content_layers == direct.content_layers
        for ours, theirs in zip(made.convolutions, direct.convolutions, strict=True):
            assert torch.equal(ours.weight, theirs.weight)
            assert (ours.name, ours.pool) == (theirs.name, theirs.pool)


class TestCommands:
    @pytest.fixture(autouse=True)
    def in_a_folder_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("IMPASTO_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("COLUMNS", "200")

    def run(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["weights", *arguments])
        return int(ended.value.code or 0)

    def test_list_shows_all_and_what_to_do(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("list") == 0
        output = capsys.readouterr().out
        assert re.search(r"embedded\s+ready", output)
        assert re.search(r"vgg19\s+fetch it with `impasto weights fetch vgg19`", output)

    def test_fetch_and_verify(
        self, state: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        save_before_zip(state, tmp_path / "copy.pth")
        assert self.run("fetch", "vgg19", "--from", "copy.pth") == 0
        assert self.run("verify") == 0
        output = capsys.readouterr().out
        assert "vgg19: ok" in output
        assert "vgg19_gatys: not here" in output

        path = tmp_path / "state" / "weights" / "vgg19.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        assert self.run("verify") == 1
        output = capsys.readouterr()
        assert "vgg19: " in output.out
        assert sha256_of(path) in output.out
        assert "damaged files: vgg19" in output.err

        path.with_name("vgg19.safetensors.sha256").unlink()
        assert self.run("verify") == 1
        assert "has no digest on record; fetch it again" in capsys.readouterr().out

    def test_an_unknown_network(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("fetch", "vgg16") == 1
        error = capsys.readouterr().err
        assert "network 'vgg16' is not available" in error
        assert "did you mean vgg19?" in error

    def test_a_missing_copy(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("fetch", "vgg19", "--from", "nowhere.pth") == 1
        assert "there is no file nowhere.pth" in capsys.readouterr().err

    def test_offline_is_one_sentence(
        self, capsys: pytest.CaptureFixture[str], publish: Publish
    ) -> None:
        publish("http://127.0.0.1:1/vgg19-aaaaaaaa.pth")
        assert self.run("fetch", "vgg19") == 1
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith("impasto: vgg19-aaaaaaaa.pth cannot be downloaded from")
        assert "check the network, or name a copy of it with --from" in last


@pytest.mark.slow
def test_torchvisions_weights_are_known_in_a_fresh_process() -> None:
    program = """
from impasto_networks.commands import import_torchvision
torchvision = import_torchvision()
assert import_torchvision() is torchvision
print(torchvision.models.VGG19_Weights.IMAGENET1K_V1.url)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip().endswith("/vgg19-dcbb9e9d.pth")


def test_other_failures_of_torchvisions_import_come_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(name: str) -> None:
        raise RuntimeError(f"{name} is broken in some other way")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="some other way"):
        commands.import_torchvision.__wrapped__()
