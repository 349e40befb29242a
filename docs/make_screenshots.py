"""Photographs the bot in its chat page, from "Start" to the painting: `images/chat/*.png`.

    python docs/make_screenshots.py

Needs Chromium with its driver, and selenium (extra `dev`). The bot is the real one, at default
settings, in the playground; the photo is one of the gallery's.
"""

from __future__ import annotations

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
SIZES = {"desktop": (1100, 820), "phone": (400, 820)}
SHOTS = {"desktop": {"ready"}, "phone": {"gallery", "options", "painting", "ready"}}
"""What the pages show."""
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--lang=en-US", "--accept-lang=en-US")
WAIT_SECONDS = 180
COLORS = 192
"""Of the palette of a PNG: enough for a page, and a third of the bytes."""


class Camera:
    """A browser with the chat page at one size."""

    def __init__(self, driver: Any, name: str) -> None:
        self.driver = driver
        self.name = name
        width, height = SIZES[name]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def wait(self, condition: Callable[[], Any]) -> Any:
        waiting = WebDriverWait(self.driver, WAIT_SECONDS, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _: condition())

    def says(self, part: str) -> None:
        """Waits until a message says this."""
        script = """return [...document.querySelectorAll(".message")]
            .some((node) => node.textContent.includes(arguments[0]))"""
        self.wait(lambda: self.driver.execute_script(script, part))

    def button(self, part: str) -> Any:
        """Waits for a button that says this; the newest of them."""
        script = """return [...document.querySelectorAll("button")].reverse()
            .find((node) => node.checkVisibility() && node.textContent.includes(arguments[0]))"""
        return self.wait(lambda: self.driver.execute_script(script, part))

    def press(self, part: str) -> None:
        self.driver.execute_script("arguments[0].click()", self.button(part))

    def send(self, photo: Path) -> None:
        self.driver.find_element(By.CSS_SELECTOR, "#pick-photo").send_keys(str(photo))
        button = self.driver.find_element(By.CSS_SELECTOR, "#sheet-send")
        self.wait(button.is_displayed)
        button.click()

    def shoot(self, name: str) -> None:
        """Once all pictures are there and the newest message is in sight."""
        if name not in SHOTS[self.name]:
            return
        loaded = """const images = [...document.querySelectorAll(".message img")];
            document.querySelector(".message:last-of-type")?.scrollIntoView({block: "end"});
            return images.every((image) => image.complete && image.naturalWidth > 0)
                && document.getAnimations().every((one) => one.playState != "running")"""
        self.wait(lambda: self.driver.execute_script(loaded))
        path = FOLDER / f"{name}-{self.name}.png"
        self.driver.save_screenshot(str(path))
        with Image.open(path) as shot:
            shot.convert("RGB").quantize(COLORS).save(path, optimize=True)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SIZES:
        with _playing() as url, _browser() as driver:
            _conversation(Camera(driver, name), url)


def _conversation(camera: Camera, url: str) -> None:
    camera.driver.get(url)
    camera.press("START")
    camera.says("Send me")
    camera.send(PHOTO)
    camera.says("Which style")
    camera.shoot("gallery")
    camera.press("⚙️")
    camera.button("subtle")
    camera.shoot("options")
    camera.press("Back to the styles")
    camera.press("Woodblock wave")
    camera.says("%")
    camera.shoot("painting")
    camera.says("ready")
    camera.shoot("ready")


@contextmanager
def _playing() -> Iterator[str]:
    """`impasto play` in a state of its own; yields the address of its page."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "impasto", "play", "--port", "0", "--no-browser"]
        with subprocess.Popen(  # noqa: S603  (a command of our own)
            command, cwd=folder, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                for line in process.stderr or ():
                    if found := re.search(r"Talk to the bot at (\S+)", line):
                        yield found[1]
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
