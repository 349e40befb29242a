"""Photographs and films the bot in its chat page, from "Start" to the painting: `images/chat/*`.

    python docs/make_screenshots.py

Needs Chromium with its driver, and selenium (extra `dev`). The bot is the real one, at default
settings, in the playground; the photo is one of the gallery's.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

DOCS = Path(__file__).resolve().parent
PHOTO = DOCS / "images" / "gallery" / "face.jpg"
FOLDER = DOCS / "images" / "chat"
SIZE = (400, 820)
"""Of a phone's screen."""
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--lang=en-US", "--accept-lang=en-US")
WAIT_SECONDS = 180
QUALITY = 80
SAYS = """return [...document.querySelectorAll(".message")]
    .some((node) => node.textContent.includes(arguments[0]))"""
FRAME_MILLISECONDS = 150
"""How long each look at a painting in progress is shown: about as long as it takes."""


class Camera:
    """A browser with the chat page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.film: list[tuple[Image.Image, int]] = []
        """What was seen, and for how many milliseconds it is shown."""
        width, height = SIZE
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def wait(self, condition: Callable[[], Any]) -> Any:
        waiting = WebDriverWait(self.driver, WAIT_SECONDS, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _: condition())

    def says(self, part: str) -> None:
        """Waits until a message says this."""
        self.wait(lambda: self.driver.execute_script(SAYS, part))

    def button(self, part: str) -> Any:
        """Waits for a button that says this; the newest of them."""
        script = """return [...document.querySelectorAll("button")].reverse()
            .find((node) => node.checkVisibility() && node.textContent.includes(arguments[0]))"""
        return self.wait(lambda: self.driver.execute_script(script, part))

    def newest_picture(self) -> Any:
        script = """return [...document.querySelectorAll(".message img")].at(-1)?.src"""
        return self.driver.execute_script(script)

    def press(self, part: str) -> None:
        self.driver.execute_script("arguments[0].click()", self.button(part))

    def send(self, photo: Path) -> None:
        self.driver.find_element(By.CSS_SELECTOR, "#pick-photo").send_keys(str(photo))
        button = self.driver.find_element(By.CSS_SELECTOR, "#sheet-send")
        self.wait(button.is_displayed)
        button.click()

    def shoot(self, name: str, milliseconds: int) -> None:
        """A picture of its own, and one of the film."""
        self.look(milliseconds)
        self.film[-1][0].save(FOLDER / f"{name}-phone.webp", quality=QUALITY, method=6)

    def look(self, milliseconds: int) -> None:
        """Once all pictures are there and the newest message is in sight."""
        loaded = """const images = [...document.querySelectorAll(".message img")];
            document.querySelector(".message:last-of-type")?.scrollIntoView({block: "end"});
            return images.every((image) => image.complete && image.naturalWidth > 0)
                && document.getAnimations().every((one) => one.playState != "running")"""
        self.wait(lambda: self.driver.execute_script(loaded))
        with Image.open(io.BytesIO(self.driver.get_screenshot_as_png())) as shot:
            self.film.append((shot.convert("RGB"), milliseconds))

    def look_until(self, part: str) -> None:
        """What changes until a message says this."""
        while not self.driver.execute_script(SAYS, part):
            self.look(0)
            if len(self.film) > 1 and self.film[-1][0] == self.film[-2][0]:
                self.film.pop()
            picture, milliseconds = self.film[-1]
            self.film[-1] = picture, milliseconds + FRAME_MILLISECONDS

    def save_film(self) -> None:
        (first, _), *others = self.film
        first.save(
            FOLDER / "film-phone.webp",
            save_all=True,
            append_images=[picture for picture, _ in others],
            duration=[milliseconds for _, milliseconds in self.film],
            loop=0,
            quality=QUALITY,
            method=6,
        )


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _playing() as url, _browser() as driver:
        _conversation(Camera(driver), url)


def _conversation(camera: Camera, url: str) -> None:
    camera.driver.get(url)
    camera.press("START")
    camera.says("Send me")
    camera.look(1200)
    camera.send(PHOTO)
    camera.says("Which style")
    shown = camera.newest_picture()
    camera.look(900)
    camera.wait(lambda: camera.newest_picture() != shown)  # it is the person's own photo now
    camera.shoot("gallery", 2500)
    camera.press("⚙️")
    camera.button("Strength")
    camera.shoot("options", 1500)
    camera.press("Back to the styles")
    camera.press("3")  # palette knife
    camera.says("%")
    camera.shoot("painting", 300)
    camera.look_until("ready")
    camera.shoot("ready", 4000)
    camera.save_film()


@contextmanager
def _playing() -> Iterator[str]:
    """`impasto play` in a state of its own; yields the address of its page once it can paint."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "impasto", "play", "--port", "0", "--no-browser"]
        with subprocess.Popen(  # noqa: S603  (a command of our own)
            command, cwd=folder, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                address = ""
                for line in process.stderr or ():
                    if found := re.search(r"Talk to the bot at (\S+)", line):
                        address = found[1]
                    if "painting_child_ready" in line:
                        yield address
                        break
            finally:
                process.terminate()


@contextmanager
def _browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
