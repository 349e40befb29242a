"""`impasto styles fetch`: pictures of a wiki on this machine become presets, or nothing is changed
and one sentence says why."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import impasto
from impasto.cli import main
from impasto.errors import OwnerError
from impasto_styles import commands
from impasto_styles.adding import LARGEST_SIDE
from impasto_styles.famous import MOST_BYTES, WIDTH, Painting, read_paintings

ENTRY = """
[paintings.{name}]
file = "{name} & sea.jpg"
artist = "Ada Example"
lived = "1801–1880"
year = 1850
aspect = 1.5
emoji = "⛵"
licence = "Public domain"
strength = 0.5

[paintings.{name}.titles]
en = "The {name}"
ru = "Картина"
"""


def encoded(width: int = 1280, height: int = 853, kind: str = "JPEG") -> bytes:
    content = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(content, kind)
    return content.getvalue()


@dataclass(frozen=True)
class Answer:
    content: bytes = field(default_factory=encoded)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Wiki:
    """Sends on to another host that has the pictures, as Wikimedia does."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the name of a painting; others are 404."""
    agents: list[str] = field(default_factory=list)
    """The header of each picture that was asked for."""

    @property
    def pictures(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture
def wiki(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiki]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if "Special:FilePath" in path.path:
                assert path.query == f"width={WIDTH}"
                file = path.path.rpartition("/")[2]
                self.answer(Answer(b"", 302, {"Location": f"{wiki.pictures}/{file}"}))
                return
            wiki.agents.append(self.headers["User-Agent"])
            name = unquote(path.path).removeprefix("/").removesuffix("_&_sea.jpg")
            self.answer(wiki.answers.get(name, Answer(b"", 404)))

        def answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in ({"Content-Type": "image/jpeg"} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    wiki = Wiki(server.server_port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    yield wiki
    server.shutdown()
    server.server_close()
    thread.join()


Publish = Callable[..., Path]


@pytest.fixture
def publish(tmp_path: Path, wiki: Wiki) -> Publish:
    """Writes a manifest of paintings that have these names."""

    def publish(*names: str, port: int | None = None) -> Path:
        address = f"http://127.0.0.1:{port or wiki.port}/wiki/"
        tables = (ENTRY.format(name=name) for name in names)
        manifest = tmp_path / "famous.toml"
        manifest.write_text(f'wiki = "{address}"\n{"".join(tables)}', encoding="utf-8")
        return manifest

    return publish


@pytest.fixture
def painting(publish: Publish, tmp_path: Path) -> Painting:
    return read_paintings(tmp_path / "styles", publish("storm"))["storm"]


class TestPictures:
    def test_a_good_one_comes_as_it_is(self, wiki: Wiki, painting: Painting) -> None:
        wiki.answers["storm"] = Answer()
        assert painting.fetch().size == (1280, 853)

    def test_the_program_names_itself(self, wiki: Wiki, painting: Painting) -> None:
        wiki.answers["storm"] = Answer()
        painting.fetch()
        assert wiki.agents[0].startswith(f"Impasto/{impasto.__version__} (")

    def test_another_shape_will_do_where_none_is_known(
        self, wiki: Wiki, painting: Painting
    ) -> None:
        wiki.answers["storm"] = Answer(encoded(640, 640))
        assert dataclasses.replace(painting, aspect=None).fetch().size == (640, 640)

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (Answer(b"", 404), "127.0.0.1 answered 404 Not Found"),
            (Answer(b"", 503), "127.0.0.1 answered 503"),
            (Answer(b"", 429, {"Retry-After": "600"}), "429 .*asked again in 600 seconds"),
            (Answer(b"<p>", 200, {"Content-Type": "text/html"}), "text/html, not with a picture"),
            (Answer(b"no picture"), "what came cannot be used: this file is not a picture"),
            (Answer(b""), "what came cannot be used: this file is not a picture"),
            (Answer(encoded()[:4000]), "damaged: it breaks off"),
            (Answer(encoded()[:4000], 200, {"Content-Length": "90000"}), "only a part"),
            (Answer(bytes(MOST_BYTES + 1)), "more than 10,000,000 bytes"),
            (Answer(encoded(300, 200)), "300 x 200 pixels; a style needs at least 256"),
            (Answer(encoded(900, 900)), "another picture: 900 x 900 .* 1.50 times as wide"),
            (
                Answer(b"", 302, {"Location": "http://example.org/storm.jpg"}),
                "not safe: http://example.org/storm.jpg does not begin with https://",
            ),
        ],
    )
    def test_what_is_not_the_picture_is_refused(
        self, wiki: Wiki, painting: Painting, answer: Answer, why: str
    ) -> None:
        wiki.answers["storm"] = answer
        with pytest.raises(OwnerError, match=why):
            painting.fetch()

    def test_no_network(self, publish: Publish, tmp_path: Path, free_port: int) -> None:
        painting = read_paintings(tmp_path, publish("storm", port=free_port))["storm"]
        with pytest.raises(OwnerError, match=r"127\.0\.0\.1 cannot be reached \(.*refused"):
            painting.fetch()


class TestManifest:
    @given(file=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
    def test_any_name_of_a_file_fits_into_addresses(
        self, tmp_path_factory: pytest.TempPathFactory, file: str
    ) -> None:
        table = ENTRY.format(name="storm").replace(
            '"storm & sea.jpg"', json.dumps(file, ensure_ascii=False)
        )
        manifest = tmp_path_factory.getbasetemp() / "any.toml"
        manifest.write_text(f'wiki = "https://example.org/wiki/"\n{table}', encoding="utf-8")
        painting = read_paintings(Path("styles"), manifest)["storm"]
        for address, before in ((painting.address, "Special:FilePath/"), (painting.page, "File:")):
            parts = urlsplit(address)
            assert (parts.netloc, parts.fragment) == ("example.org", "")
            assert unquote(parts.path) == f"/wiki/{before}{file.replace(' ', '_')}"
        assert urlsplit(painting.address).query == f"width={WIDTH}"

    @pytest.mark.parametrize(
        ("of_it", "instead"),
        [
            ("http://127.0.0.1:{port}", "http://example.org"),
            ("http://127.0.0.1:{port}", "ftp://127.0.0.1"),
            ("paintings.storm", "paintings.Storm"),
            ('en = "', 'de = "'),
            ("year = 1850", "year = 'long ago'"),
            ("emoji", "smiley"),
            ("aspect = 1.5", "aspect = 0"),
            ("[paintings", "[[paintings"),
        ],
    )
    def test_one_that_makes_no_sense_is_named(
        self, publish: Publish, wiki: Wiki, of_it: str, instead: str
    ) -> None:
        manifest = publish("storm")
        text, of_it = manifest.read_text("utf-8"), of_it.format(port=wiki.port)
        assert of_it in text
        manifest.write_text(text.replace(of_it, instead), encoding="utf-8")
        with pytest.raises(OwnerError, match=r"famous\.toml cannot be used"):
            read_paintings(Path("styles"), manifest)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.mark.slow
class TestCommand:
    @pytest.fixture(autouse=True)
    def state(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("IMPASTO_STATE_DIR", "state")
        monkeypatch.setattr(commands, "PAUSE_SECONDS", 0.0)
        return tmp_path / "state"

    @pytest.fixture
    def run(self, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
        def run(*words: object) -> Ended:
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main(["styles", *map(str, words)])
            return Ended(int(ended.value.code or 0), *capsys.readouterr())

        return run

    def test_a_painting_becomes_a_preset_with_its_credit(
        self, wiki: Wiki, publish: Publish, run: Callable[..., Ended]
    ) -> None:
        wiki.answers["storm"] = Answer()
        ended = run("fetch", "storm", "--manifest", publish("storm", "calm"))
        assert (ended.code, ended.err) == (0, "")
        assert "1/1 storm: added ⛵ The storm" in ended.out
        *built_in, preset = json.loads(run("--json").out)
        assert preset == {
            "name": "storm",
            "titles": {"en": "The storm", "ru": "Картина"},
            "picture": "state/styles/storm.jpg",
            "credit": "Ada Example (1801–1880): The storm, 1850; "
            f"http://127.0.0.1:{wiki.port}/wiki/File:storm_%26_sea.jpg",
            "licence": "Public domain",
            "emoji": "⛵",
            "order": len(built_in),
            "strength": 0.5,
            "brush_size": 1.0,
        }
        with Image.open(preset["picture"]) as picture:
            assert max(picture.size) == LARGEST_SIDE

    def test_what_is_here_is_not_fetched_again(
        self, wiki: Wiki, publish: Publish, run: Callable[..., Ended]
    ) -> None:
        wiki.answers |= {"storm": Answer(), "calm": Answer()}
        manifest = publish("storm", "calm")
        assert run("fetch", "storm", "storm", "--manifest", manifest).code == 0
        assert len(wiki.agents) == 1
        listed = run("fetch", "--manifest", manifest)
        assert re.search(r"storm .* Ada Example +here *\n", listed.out)
        assert re.search(r"calm .* Ada Example +\n", listed.out)
        again = run("fetch", "--all", "--manifest", manifest)
        assert again.code == 0
        assert "1/2 storm: is here already" in again.out
        assert "2/2 calm: added" in again.out
        assert len(wiki.agents) == 2

    def test_one_that_fails_does_not_stop_the_others(
        self, wiki: Wiki, publish: Publish, state: Path, run: Callable[..., Ended]
    ) -> None:
        wiki.answers |= {"storm": Answer(b"no picture"), "calm": Answer()}
        ended = run("fetch", "--all", "--manifest", publish("storm", "calm", "ebb"))
        assert ended.code == 1
        assert "1/3 storm: failed\n2/3 calm: added ⛵ The calm\n3/3 ebb: failed\n" in ended.out
        first, second = ended.err.splitlines()
        assert first.startswith("impasto: storm: what came cannot be used: this file is not a pict")
        assert "; try again later, or save the picture" in first
        assert second.startswith("impasto: ebb: 127.0.0.1 answered 404")
        assert sorted(file.name for file in (state / "styles").iterdir()) == [
            "calm.jpg",
            "styles.toml",
        ]

    def test_without_a_network_the_command_that_is_named_does_the_same(
        self,
        wiki: Wiki,
        publish: Publish,
        state: Path,
        free_port: int,
        run: Callable[..., Ended],
    ) -> None:
        ended = run("fetch", "storm", "--manifest", publish("storm", port=free_port))
        assert ended.code == 1
        assert not state.exists()
        [command] = re.findall(r" or save .* bring it here and run `(.+)`\n", ended.err)
        program, subcommand, *words = shlex.split(command)
        assert (program, subcommand) == ("impasto", "styles")
        Path("storm.jpg").write_bytes(encoded())
        assert run(*words).code == 0
        by_hand = json.loads(run("--json").out)[-1]
        state.rename("before")
        wiki.answers["storm"] = Answer()
        assert run("fetch", "storm", "--manifest", publish("storm")).code == 0
        fetched = json.loads(run("--json").out)[-1]
        for preset in (by_hand, fetched):
            preset["credit"] = preset["credit"].partition(";")[0]  # the ports are not the same
        assert by_hand == fetched

    def test_a_name_that_is_not_known_fetches_nothing(
        self, wiki: Wiki, publish: Publish, run: Callable[..., Ended]
    ) -> None:
        wiki.answers["storm"] = Answer()
        ended = run("fetch", "storm", "strom", "--manifest", publish("storm", "calm"))
        assert ended.code == 1
        assert "there is no painting 'strom' to fetch; did you mean storm?" in ended.err
        assert wiki.agents == []

    def test_names_and_all_is_wrong_usage(
        self, publish: Publish, run: Callable[..., Ended]
    ) -> None:
        assert run("fetch", "storm", "--all", "--manifest", publish("storm")).code == 2

    def test_a_disk_that_cannot_be_written_to_keeps_no_half_of_it(
        self, wiki: Wiki, publish: Publish, state: Path, run: Callable[..., Ended]
    ) -> None:
        wiki.answers["storm"] = Answer()
        (state / "styles" / "styles.toml").mkdir(parents=True)
        ended = run("fetch", "storm", "--manifest", publish("storm"))
        assert ended.code == 1
        assert re.search(r"storm: state/styles cannot be written to \(.+\); make room", ended.err)
        assert [file.name for file in (state / "styles").iterdir()] == ["styles.toml"]
