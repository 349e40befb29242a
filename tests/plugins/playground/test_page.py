"""The chat page in a headless Chromium, talking to a bot made with aiogram."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto_playground import Person, Playground

from .conftest import picture
from .echo_bot import EchoBot, connect, running

webdriver = pytest.importorskip("selenium.webdriver")

from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
    "--accept-lang=en-US",
)
WAIT_S = 20


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (CHROMIUM and CHROMEDRIVER):
        reason = "there is no Chromium with its driver here (Debian: chromium, chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


class Page:
    """What a person sees and does; every look waits until it is there."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, query: str = "") -> None:
        self.driver.get(f"{self.url}/{query}")
        self.wait(lambda: self.one("#start").is_displayed() or self.one("#text").is_displayed())

    def wait(self, condition: Callable[[], Any]) -> Any:
        waiting = WebDriverWait(self.driver, WAIT_S, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _: condition())

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str = ".message .text") -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)"
        return self.driver.execute_script(script, selector)

    def wait_for_text(self, part: str, selector: str = ".message") -> None:
        self.wait(lambda: any(part in text for text in self.texts(selector)))

    def shown(self, selector: str) -> WebElement:
        """The element, once a person could use it."""

        def usable() -> WebElement | None:
            element = self.one(selector)
            return element if element.is_displayed() and element.is_enabled() else None

        return self.wait(usable)

    def say(self, text: str) -> None:
        self.shown("#text").send_keys(text, Keys.ENTER)

    def button(self, text: str) -> WebElement:
        script = """return [...document.querySelectorAll("button")]
            .find((node) => node.checkVisibility() && node.textContent.includes(arguments[0]))"""
        return self.wait(lambda: self.driver.execute_script(script, text))

    def press(self, text: str) -> None:
        self.driver.execute_script("arguments[0].click()", self.button(text))

    def choose(self, *paths: Path, field: str = "#pick-photo") -> None:
        self.shown("#text")  # where nobody has started yet, it is not
        self.one(field).send_keys("\n".join(map(str, paths)))
        self.shown("#sheet")

    def images_loaded(self) -> bool:
        script = """return [...document.querySelectorAll(".message img")]
            .every((image) => image.complete && image.naturalWidth > 0)"""
        return self.driver.execute_script(script)

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture
async def echo(playground: Playground) -> AsyncIterator[EchoBot]:
    async with running(playground.url, playground.token) as bot:
        yield bot


@pytest.fixture
def page(chromium: Any, playground: Playground) -> Iterator[Page]:
    page = Page(chromium, playground.url)
    page.resize(1280, 860)
    page.errors()
    yield page
    assert page.errors() == []
    chromium.get("about:blank")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture(800, 600, "orange"))
    return path


async def in_thread(action: Callable[..., None], *arguments: Any) -> None:
    """Selenium blocks, and the playground runs in this loop."""
    await asyncio.to_thread(action, *arguments)


async def test_from_start_to_the_finished_picture(page: Page, echo: EchoBot, photo: Path) -> None:
    def conversation() -> None:
        page.open()
        page.wait_for_text("I repaint your photos", "#welcome-text")
        page.press("START")
        page.wait_for_text("Hello!")
        page.choose(photo)
        page.shown("#caption").send_keys("My photo")
        page.shown("#sheet-send").click()
        page.wait_for_text("Which style would you like?")
        page.wait(page.images_loaded)
        image = page.one(".theirs .photo img")
        before = image.get_attribute("src")
        page.press("Wave")
        page.wait_for_text("Wave: a fine choice!", ".toast")
        page.wait_for_text("Here it is!")
        page.wait(lambda: image.get_attribute("src") != before)
        assert "Which style" not in "".join(page.texts())
        page.wait_for_text("Done.")
        page.wait(page.images_loaded)

    await in_thread(conversation)


async def test_text_of_others_is_never_markup(page: Page, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.wait_for_text("<script>alert(1)</script>")
        page.say("<img src=x onerror=alert(1)><b>bold</b>")
        page.wait_for_text("You said: <img src=x onerror=alert(1)><b>bold</b>")
        assert page.all(".message img") == []
        assert page.texts(".message strong") == ["Hello!"]
        link = page.one(".message a")
        assert link.get_attribute("rel") == "noopener noreferrer"
        spoiler = page.one(".spoiler")
        spoiler.click()
        assert "shown" in spoiler.get_attribute("class")

    await in_thread(conversation)


async def test_albums_files_alerts_and_keyboards(page: Page, echo: EchoBot, photo: Path) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.say("/album")
        page.wait_for_text("Four examples")
        assert len(page.all(".album.of-4 .photo")) == 4
        page.say("/file")
        page.press("What is this?")
        page.shown("#alert")
        assert "This is an alert." in page.one("#alert").text
        page.press("OK")
        page.wait(lambda: not page.one("#alert").is_displayed())
        assert page.one(".file").get_attribute("download") == "painted, full size.png"
        page.say("/keyboard")
        page.press("Landscape")
        page.wait_for_text("You said: Landscape")
        page.wait(lambda: not page.one("#keyboard").is_displayed())
        page.choose(photo, photo)
        page.shown("#sheet-send").click()
        page.wait(lambda: len(page.all(".own .album .photo")) == 2)
        page.choose(photo, field="#pick-file")
        assert page.one("#as-file").is_selected()
        page.shown("#sheet-send").click()
        page.wait(lambda: page.all(".own .file"))

    await in_thread(conversation)


async def test_typing_goes_on_after_files_were_sent(page: Page, echo: EchoBot, photo: Path) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.say("first")
        page.choose(photo, photo, photo)
        page.shown("#sheet-send").click()
        page.wait(lambda: not page.one("#sheet").is_displayed())
        page.say("second")
        page.wait_for_text("You said: second")

    await in_thread(conversation)


async def test_the_bot_is_seen_working(page: Page, echo: EchoBot) -> None:
    def waiting() -> None:
        page.open()
        page.press("START")
        page.wait_for_text("Hello!")
        page.say("/work")
        page.wait_for_text("sending a photo", "#subtitle.active")

    def done() -> None:
        page.wait_for_text("Worked.")
        page.wait(lambda: page.one("#subtitle").text == "bot")

    await in_thread(waiting)
    echo.next_step.set()
    await in_thread(done)


async def test_the_viewer(page: Page, echo: EchoBot, photo: Path) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.choose(photo)
        page.shown("#sheet-send").click()
        page.wait(page.images_loaded)
        page.wait(lambda: page.all(".own .photo"))[0].send_keys(Keys.ENTER)
        page.shown("#viewer")
        script = "return arguments[0].naturalWidth"
        image = page.one("#viewer-image")
        page.wait(lambda: page.driver.execute_script(script, image) == 800)
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.wait(lambda: not page.one("#viewer").is_displayed())

    await in_thread(conversation)


async def test_commands_in_two_languages(page: Page, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open("?person=5")
        page.press("START")
        page.shown("#commands").click()
        page.press("Show examples")
        page.wait_for_text("Four examples")
        page.shown("[data-language=ru]").click()
        page.wait(lambda: page.one("html").get_attribute("lang") == "ru")
        assert page.one("#text").get_attribute("placeholder") == "Сообщение"
        page.wait(lambda: page.shown("#commands").click() or page.texts("#popover button span"))
        page.wait(lambda: page.texts("#popover button span") == ["Начать заново"])
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        page.shown("[data-language=en]").click()

    await in_thread(conversation)


async def test_blocking_and_unblocking(page: Page, playground: Playground, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.wait_for_text("Hello!")
        page.shown("#more").click()
        page.press("Block the bot")
        page.press("UNBLOCK")
        page.shown("#text")

    await in_thread(conversation)
    assert not playground.world.chats[1].blocked


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 860)])
async def test_a_picture_is_shared_into_another_chat(
    page: Page, playground: Playground, echo: EchoBot, width: int, height: int
) -> None:
    def sharing() -> None:
        page.resize(width, height)
        page.open()
        page.press("START")
        page.say("/share")
        page.press("Share")
        page.press("Friends")
        page.wait(lambda: page.all("#inline .offer img"))
        assert page.one("#text").get_attribute("value").endswith("bot shared")
        page.wait(lambda: page.one("#bot-name").text == "Friends")
        assert page.driver.execute_script("return location.search") == "?person=1&group=1"
        page.shown("#text").send_keys(Keys.ENTER)
        page.wait_for_text("Shared")
        page.wait_for_text("via @impasto_playground_bot", ".own .sender")
        page.wait(page.images_loaded)
        page.wait(lambda: not page.one("#inline").is_displayed())
        assert page.one("#text").get_attribute("value") == ""

    def otherwise() -> None:
        page.shown("#text").send_keys("@impasto_playground_bot nonsense")
        page.press("Make a picture")
        page.wait_for_text("/start share")
        page.wait_for_text("Hello!")
        assert page.driver.execute_script("return location.search") == "?person=1"
        assert not page.one("#back").is_displayed()

    await in_thread(sharing)
    shared, *_ = playground.world.chats[-1].messages.values()  # the bot may have answered it
    assert shared.photo[-1].file_id == echo.shared
    await in_thread(otherwise)


async def test_deleting_a_message(page: Page, playground: Playground, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.wait_for_text("Hello!")
        node = page.one(".message.own")
        webdriver.ActionChains(page.driver).context_click(node).perform()
        page.press("Delete")
        page.wait(lambda: not page.all(".message.own"))

    await in_thread(conversation)
    assert 1 not in playground.world.chats[1].messages


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844), (1280, 860)])
async def test_everything_fits(
    page: Page, echo: EchoBot, photo: Path, width: int, height: int
) -> None:
    def conversation() -> None:
        page.resize(width, height)
        page.open()
        page.press("START")
        page.choose(photo)
        page.shown("#sheet-send").click()
        page.press("Wave")
        page.say("/album")
        page.wait_for_text("Four examples")
        page.say("/keyboard")
        page.shown("#keyboard")
        page.wait(page.images_loaded)
        script = """return [...document.querySelectorAll("header *, .message *, footer *")]
            .filter((node) => node.checkVisibility() && node.getClientRects().length)
            .filter((node) => !node.closest("svg"))
            .map((node) => [node.className, node.getBoundingClientRect().right])
            .filter(([, right]) => right > innerWidth + 1)"""
        assert page.driver.execute_script(script) == []
        scripts = "return document.documentElement.scrollWidth <= innerWidth"
        assert page.driver.execute_script(scripts)

    await in_thread(conversation)


async def test_the_keyboard_is_enough(page: Page, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open()
        page.shown("#start").send_keys(Keys.ENTER)
        page.wait_for_text("Hello!")
        page.shown("#attach").send_keys(Keys.ENTER)
        page.wait(lambda: page.driver.switch_to.active_element.text == "Photo")
        page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        assert page.driver.switch_to.active_element.text == "File"
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert page.driver.switch_to.active_element.get_attribute("id") == "attach"
        page.shown("#text").send_keys(Keys.ARROW_UP)
        assert "Hello!" in page.driver.switch_to.active_element.text
        page.driver.switch_to.active_element.send_keys(Keys.ARROW_UP)
        assert "/start" in page.driver.switch_to.active_element.text
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert page.driver.switch_to.active_element.get_attribute("id") == "text"
        unnamed = """return [...document.querySelectorAll("button, a, textarea, input[type=text]")]
            .filter((node) => node.checkVisibility())
            .filter((node) => !node.textContent.trim() && !node.ariaLabel && !node.title)
            .map((node) => node.outerHTML)"""
        assert page.driver.execute_script(unnamed) == []
        without_alt = "return [...document.images].filter((image) => !image.hasAttribute('alt'))"
        assert page.driver.execute_script(without_alt) == []

    await in_thread(conversation)


SAID = """
    const { TEXTS } = await import("/page/texts.js");
    const kinds = (texts) => Object.entries(texts).map(([name, text]) =>
        [name, typeof text === "object" ? kinds(text) : typeof text]).sort();
    return Object.values(TEXTS).map((texts) => JSON.stringify(kinds(texts)));
"""


async def test_the_page_says_the_same_in_all_languages(page: Page) -> None:
    def comparing() -> None:
        page.open()
        said = page.driver.execute_script(SAID)
        assert len(said) > 1
        assert len(set(said)) == 1

    await in_thread(comparing)


PASTE_OR_DROP = """
    const [kind] = arguments;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    return new Promise((done) => canvas.toBlob((blob) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([blob], "pasted.png", { type: "image/png" }));
        const event = kind === "paste"
            ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
            : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.querySelector("#scroll").dispatchEvent(event);
        done(!document.querySelector("#drop").hidden);
    }));
"""


async def test_pictures_are_pasted_and_dropped(page: Page, echo: EchoBot) -> None:
    def conversation() -> None:
        page.open()
        page.press("START")
        page.wait_for_text("Hello!")
        page.driver.execute_script(PASTE_OR_DROP, "paste")
        page.shown("#sheet")
        page.shown("#caption").send_keys("Pasted", Keys.ENTER)
        page.wait(
            lambda: page.texts(".own .text")[-1:] and "Pasted" in page.texts(".own .text")[-1]
        )
        assert page.driver.execute_script(PASTE_OR_DROP, "dragenter") is True
        assert page.driver.execute_script(PASTE_OR_DROP, "drop") is False
        page.shown("#sheet")
        page.shown("#sheet-cancel").click()
        page.wait(lambda: not page.one("#sheet").is_displayed())
        assert len(page.all(".own .photo")) == 1

    await in_thread(conversation)


async def test_the_page_finds_a_playground_that_was_started_anew(page: Page) -> None:
    async with Playground(port=0) as first:
        port = int(first.url.rpartition(":")[2])
        page.url = first.url
        await in_thread(page.open)
        await in_thread(page.press, "START")
        await in_thread(page.wait_for_text, "/start")
    await in_thread(page.wait_for_text, "connecting", "#subtitle")
    async with Playground(port=port) as second:
        await in_thread(page.press, "START")
        await in_thread(page.wait_for_text, "/start")
        assert second.world.chats[1].person.first_name == ""
        await in_thread(page.driver.get, "about:blank")
    page.driver.get_log("browser")  # the refused connections in between


async def test_who_reads_further_up_stays_there(page: Page, playground: Playground) -> None:
    async with Person(playground.url, 1) as person:
        for number in range(40):
            await person.send_text(f"line {number}\nand more")

        def read_up() -> None:
            page.open()
            page.wait_for_text("line 39")
            page.wait(lambda: position() > 500)
            page.driver.execute_script("document.querySelector('#scroll').scrollTo(0, 300)")
            page.shown("#to-bottom")

        def position() -> int:
            return page.driver.execute_script("return document.querySelector('#scroll').scrollTop")

        await in_thread(read_up)
        connected = connect(playground.url, playground.token)
        await connected.send_message(1, "news")
        await (await connected.session.create_session()).close()
        await in_thread(page.wait_for_text, "1", "#unread")
        assert await asyncio.to_thread(position) == 300
        await in_thread(lambda: page.shown("#to-bottom").click())
        await in_thread(page.wait, lambda: not page.one("#to-bottom").is_displayed())
