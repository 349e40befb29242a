"""The networks plugin: its manifest, slicing checkpoints of both formats, downloads, `weights`."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import re
import struct
import tracemalloc
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
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
from impasto_networks import download as download_module
from impasto_networks.checkpoints import read_features
from impasto_networks.download import check_hash, download, hash_prefix
from impasto_networks.fetching import fetch, source_url
from impasto_networks.manifest import NetworkFile, network_files, read_manifest, sha256_of

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


@dataclass(frozen=True)
class Storage2017:
    key: str
    numel: int


@dataclass(frozen=True)
class Tensor2017:
    storage: Storage2017
    size: tuple[int, ...]


class Pickler2017(pickle.Pickler):
    """Writes tensors as torch 0.1.10 did, which made torchvision's file."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Storage2017):
            return ("storage", torch.FloatStorage, obj.key, "cpu", obj.numel, None)
        return None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor2017):
            strides = torch.empty(obj.size, device="meta").stride()
            return torch._utils._rebuild_tensor, (obj.storage, 0, obj.size, strides)
        return NotImplemented


def save_2017(state: State, path: Path, unread: int = 0) -> None:
    """`unread` more values follow in a storage that no wanted tensor lies in."""
    storages = {
        name: Storage2017(str(99 - i), t.numel()) for i, (name, t) in enumerate(state.items())
    }
    tensors: OrderedDict[str, Any] = OrderedDict(
        (name, Tensor2017(storages[name], tuple(t.shape))) for name, t in state.items()
    )
    values = {storages[name].key: t.numpy().tobytes() for name, t in state.items()}
    if unread:
        tensors["classifier.3.weight"] = Tensor2017(Storage2017("00", unread), (unread,))
    keys = sorted([*values, "00"] if unread else values)
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, tensors, keys):
            Pickler2017(file, protocol=2).dump(value)
        for key in keys:
            if key == "00":
                file.write(struct.pack("<q", unread))
                file.seek(4 * unread, 1)
            else:
                file.write(struct.pack("<q", len(values[key]) // 4) + values[key])


class TestCheckpoints:
    @pytest.mark.parametrize("save", [save_zip, save_before_zip, save_2017])
    def test_the_wanted_convolutions_come_back_bit_for_bit(
        self, save: Any, state: State, tmp_path: Path
    ) -> None:
        path = tmp_path / "x.pth"
        save(state, path)
        reference = torch.load(path, weights_only=True)
        assert all(torch.equal(reference[name], state[name]) for name in state), "torch agrees"
        found = read_features(path, "features.10")
        assert found.keys() == wanted(state).keys()
        for name, tensor in found.items():
            assert torch.equal(tensor, state[name]), name
            assert tensor.dtype == torch.float32
            assert tensor.is_contiguous()

    def test_parameters_are_tensors_too(self, state: State, tmp_path: Path) -> None:
        parameters = OrderedDict((k, torch.nn.Parameter(v)) for k, v in state.items())
        for save in (save_zip, save_before_zip):
            save(parameters, tmp_path / "x.pth")
            found = read_features(tmp_path / "x.pth", "features.10")
            assert torch.equal(found["features.5.bias"], state["features.5.bias"])
            assert not found["features.5.bias"].requires_grad

    def test_what_is_not_wanted_is_not_read(self, state: State, tmp_path: Path) -> None:
        path = tmp_path / "x.pth"
        save_2017(state, path, unread=500_000_000)  # 2 GB, a hole in the file
        tracemalloc.start()
        found = read_features(path, "features.10")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found.keys() == wanted(state).keys()
        assert peak < 5_000_000

    @pytest.mark.parametrize("save", [save_zip, save_before_zip])
    def test_a_checkpoint_that_wants_to_run_something_is_refused(
        self, save: Any, tmp_path: Path
    ) -> None:
        trace = tmp_path / "trace"

        class Evil:
            def __reduce__(self) -> Any:
                return Path.touch, (trace,)

        save({"features.0.weight": Evil()}, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match="is not a checkpoint of torch"):
            read_features(tmp_path / "x.pth", "features.0")
        assert not trace.exists()

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x80", b"no checkpoint at all", pickle.dumps(5), b"PK\x03\x04", b"\0" * 99],
    )
    def test_a_file_of_something_else_is_refused(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "x.pth").write_bytes(content)
        with pytest.raises(WeightsError, match="is not a checkpoint of torch"):
            read_features(tmp_path / "x.pth", "features.0")

    @pytest.mark.parametrize("save", [save_zip, save_before_zip, save_2017])
    def test_half_a_file_is_refused(self, save: Any, state: State, tmp_path: Path) -> None:
        path = tmp_path / "x.pth"
        save(state, path)
        whole = path.read_bytes()
        for share in (0.1, 0.5, 0.9):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(WeightsError):
                read_features(path, "features.10")

    @given(place=st.floats(0, 1, exclude_max=True), junk=st.binary(min_size=1, max_size=8))
    def test_a_damaged_file_is_refused_or_read_but_nothing_else(
        self, place: float, junk: bytes, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "damaged.pth"
        save_2017({"features.0.weight": torch.ones(2, 3, 3, 3)}, path)
        content = bytearray(path.read_bytes())
        begin = int(place * len(content))
        content[begin : begin + len(junk)] = junk
        path.write_bytes(content)
        with contextlib.suppress(WeightsError):
            assert read_features(path, "features.0")["features.0.weight"].shape[1:] == (3, 3, 3)

    @pytest.mark.parametrize("save", [save_zip, save_before_zip])
    def test_another_networks_checkpoint_is_refused(self, save: Any, tmp_path: Path) -> None:
        save({"layer1.0.weight": torch.zeros(3)}, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match=r"has no features\.10"):
            read_features(tmp_path / "x.pth", "features.10")
        save([torch.zeros(3)], tmp_path / "x.pth")
        with pytest.raises(WeightsError, match="holds a list"):
            read_features(tmp_path / "x.pth", "features.10")


PAYLOAD = bytes(range(256)) * 4000


@dataclass
class Web:
    """A server whose answers a test arranges.

    `breaks_after` has the number of bytes per answer after which it hangs up.
    """

    url: str = ""
    content: bytes = PAYLOAD
    breaks_after: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted_range = self.headers.get("Range")
            web.asked.append(wanted_range)
            if web.status:
                self.send_error(web.status.pop(0))
                return
            begin = 0
            if wanted_range and web.ranges:
                begin = int(re.fullmatch(r"bytes=(\d+)-", wanted_range)[1])  # type: ignore[index]
            self.send_response(206 if begin else 200)
            body = web.content[begin:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            limit = web.breaks_after.pop(0) if web.breaks_after else len(body)
            self.wfile.write(body[:limit])
            self.close_connection = True

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


DIGEST = hashlib.sha256(PAYLOAD).hexdigest()
NAME = f"vgg19-{DIGEST[:8]}.pth"


class TestDownload:
    def get(self, web: Web, goal: Path) -> tuple[list[tuple[int, int | None]], list[float]]:
        progress: list[tuple[int, int | None]] = []
        pauses: list[float] = []
        download(
            f"{web.url}/{goal.name}",
            goal,
            lambda done, total: progress.append((done, total)),
            pauses.append,
        )
        return progress, pauses

    def test_a_file_arrives_with_progress(self, web: Web, tmp_path: Path) -> None:
        progress, pauses = self.get(web, tmp_path / "new" / NAME)
        assert (tmp_path / "new" / NAME).read_bytes() == PAYLOAD
        assert progress[-1] == (len(PAYLOAD), len(PAYLOAD))
        assert pauses == []
        assert [p.name for p in (tmp_path / "new").iterdir()] == [NAME], "nothing else is left"

    def test_a_broken_connection_is_taken_up_where_it_broke(self, web: Web, tmp_path: Path) -> None:
        web.breaks_after = [1000, 0, 500_000]
        progress, pauses = self.get(web, tmp_path / NAME)
        assert (tmp_path / NAME).read_bytes() == PAYLOAD
        assert web.asked == [None, "bytes=1000-", "bytes=1000-", "bytes=501000-"]
        assert pauses == [1.0, 2.0, 1.0], "what brings something begins the row of pauses anew"
        assert progress[-1] == (len(PAYLOAD), len(PAYLOAD))

    def test_an_earlier_try_is_gone_on_with(self, web: Web, tmp_path: Path) -> None:
        (tmp_path / f"{NAME}.partial").write_bytes(PAYLOAD[:7])
        self.get(web, tmp_path / NAME)
        assert web.asked == ["bytes=7-"]
        assert (tmp_path / NAME).read_bytes() == PAYLOAD

    def test_a_server_that_cannot_go_on_begins_anew(self, web: Web, tmp_path: Path) -> None:
        web.ranges = False
        web.breaks_after = [1000]
        self.get(web, tmp_path / NAME)
        assert (tmp_path / NAME).read_bytes() == PAYLOAD

    def test_a_busy_server_is_asked_again(self, web: Web, tmp_path: Path) -> None:
        web.status = [503, 429]
        _, pauses = self.get(web, tmp_path / NAME)
        assert pauses == [1.0, 2.0]
        assert (tmp_path / NAME).read_bytes() == PAYLOAD

    def test_a_missing_file_is_told_at_once(self, web: Web, tmp_path: Path) -> None:
        web.status = [404]
        with pytest.raises(WeightsError, match="answers 404"):
            self.get(web, tmp_path / NAME)
        assert len(web.asked) == 1

    def test_a_wrong_hash_leaves_nothing_behind(self, web: Web, tmp_path: Path) -> None:
        web.content = PAYLOAD[:-1] + b"x"
        with pytest.raises(WeightsError, match=f"does not begin with {DIGEST[:8]}; get it again"):
            self.get(web, tmp_path / NAME)
        assert list(tmp_path.iterdir()) == []

    def test_an_end_that_cannot_be_resumed_begins_anew(self, web: Web, tmp_path: Path) -> None:
        (tmp_path / f"{NAME}.partial").write_bytes(PAYLOAD)
        web.status = [416]
        self.get(web, tmp_path / NAME)
        assert web.asked == [f"bytes={len(PAYLOAD)}-", None]
        assert (tmp_path / NAME).read_bytes() == PAYLOAD

    def test_without_a_network_one_sentence_says_what_to_do(self, tmp_path: Path) -> None:
        web = Web(url="http://127.0.0.1:1")
        with pytest.raises(WeightsError) as caught:
            self.get(web, tmp_path / NAME)
        message = str(caught.value)
        assert "cannot be downloaded" in message
        assert "check the network, or name a copy of it with --from" in message
        assert "\n" not in message

    def test_a_server_that_only_ever_fails_is_given_up(self, web: Web, tmp_path: Path) -> None:
        web.status = [500] * 20
        with pytest.raises(WeightsError, match="the server answers 500"):
            self.get(web, tmp_path / NAME)
        assert len(web.asked) == 1 + len(download_module.PAUSES_S)

    @pytest.mark.parametrize(
        ("name", "prefix"),
        [("vgg19-dcbb9e9d.pth", "dcbb9e9d"), ("vgg19.pth", None), ("my-model.pth", None)],
    )
    def test_the_hash_is_read_from_the_name(self, name: str, prefix: str | None) -> None:
        assert hash_prefix(name) == prefix

    def test_a_name_without_a_hash_promises_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"anything")
        check_hash(tmp_path / "x", "vgg19.pth")
        with pytest.raises(WeightsError):
            check_hash(tmp_path / "x", "vgg19-dcbb9e9d.pth")


def named(state_dir: Path, name: str) -> NetworkFile:
    return {n.name: n for n in network_files(state_dir)}[name]


def no_progress(done: int, total: int | None) -> None:
    raise AssertionError("nothing is downloaded")


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
                url = source_url(entry.source)
                assert url.startswith("https://")
                assert hash_prefix(url.rpartition("/")[2]) is not None


class TestFetch:
    def test_a_copy_becomes_a_network_that_paints_can_load(
        self, state: State, tmp_path: Path
    ) -> None:
        save_2017(state, tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19")
        fetch(network, no_progress, copy=tmp_path / "copy.pth")
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
        self, state: State, tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_zip(state, tmp_path / "x.pth")
        web.content = (tmp_path / "x.pth").read_bytes()
        name = f"vgg19-{hashlib.sha256(web.content).hexdigest()[:8]}.pth"
        monkeypatch.setattr("impasto_networks.fetching.source_url", lambda _: f"{web.url}/{name}")
        network = named(tmp_path / "state", "vgg19")
        fetch(network, lambda done, total: None)
        assert load_network(network.path).name == "vgg19"
        assert not (network.path.parent / name).exists()
        fetch(network, lambda done, total: None, keep=True)
        assert (network.path.parent / name).exists()
        asked = len(web.asked)
        fetch(network, no_progress, keep=True)
        assert len(web.asked) == asked, "what was kept is used"

    def test_what_comes_with_the_program_is_not_fetched(self, tmp_path: Path) -> None:
        with pytest.raises(NotAvailable, match="no need to fetch it"):
            fetch(named(tmp_path, "embedded"), no_progress)

    def test_a_failed_fetch_leaves_no_network(self, state: State, tmp_path: Path) -> None:
        save_zip(state, tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19_gatys")
        with pytest.raises(WeightsError, match=r"has no features\.28"):
            fetch(network, no_progress, copy=tmp_path / "copy.pth")
        assert network.why_not() is not None
        assert not list(tmp_path.glob("state/weights/*"))

    @pytest.mark.skipif(not VGG19_SLICE.is_file(), reason="no ../shared/data/weights here")
    def test_torchvisions_own_values_survive_the_way(self, tmp_path: Path) -> None:
        values = load_file(VGG19_SLICE)
        save_before_zip(OrderedDict(values), tmp_path / "copy.pth")
        network = named(tmp_path / "state", "vgg19")
        fetch(network, no_progress, copy=tmp_path / "copy.pth")
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
        assert "not as they should be: vgg19" in output.err

        path.with_name("vgg19.safetensors.sha256").unlink()
        assert self.run("verify") == 1
        assert "has no digest on record; fetch it again" in capsys.readouterr().out

    def test_an_unknown_network(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("fetch", "vgg16") == 1
        error = capsys.readouterr().err
        assert "network 'vgg16' is not available" in error
        assert "vgg19_gatys" in error

    def test_a_missing_copy(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("fetch", "vgg19", "--from", "nowhere.pth") == 1
        assert "there is no file nowhere.pth" in capsys.readouterr().err

    def test_offline_is_one_sentence(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(download_module, "PAUSES_S", ())
        monkeypatch.setattr(
            "impasto_networks.fetching.source_url",
            lambda _: "http://127.0.0.1:1/vgg19-aaaaaaaa.pth",
        )
        assert self.run("fetch", "vgg19") == 1
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith("impasto: vgg19-aaaaaaaa.pth cannot be downloaded from")
