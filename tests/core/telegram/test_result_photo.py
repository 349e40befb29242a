"""A result becomes a photo that Telegram takes, whatever its size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.telegram import result_photo
from impasto.telegram.result_photo import LONGEST_SIDE, photo_of


def saved(path: Path, size: tuple[int, int], **options: object) -> Path:
    Image.effect_noise(size, 90).convert("RGB").save(path, **options)
    return path


def test_what_fits_is_sent_as_it_is(tmp_path: Path) -> None:
    result = saved(tmp_path / "result.jpg", (640, 480), quality=95)
    assert photo_of(result) == result.read_bytes()


@pytest.mark.parametrize("size", [(5120, 300), (300, 5120)])
def test_what_is_larger_is_scaled_down(tmp_path: Path, size: tuple[int, int]) -> None:
    photo = Image.open(io.BytesIO(photo_of(saved(tmp_path / "result.jpg", size))))
    assert max(photo.size) == LONGEST_SIDE
    assert photo.width / photo.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_another_format_becomes_a_jpeg(tmp_path: Path) -> None:
    result = saved(tmp_path / "result.png", (64, 48))
    photo = Image.open(io.BytesIO(photo_of(result)))
    assert (photo.format, photo.size) == ("JPEG", (64, 48))


def test_quality_gives_way_to_the_limit_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tmp_path / "result.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(result, quality=95, subsampling=0)
    whole = result.stat().st_size
    monkeypatch.setattr(result_photo, "MOST_BYTES", whole // 2)
    photo = photo_of(result)
    assert len(photo) <= whole // 2
    assert Image.open(io.BytesIO(photo)).size == (300, 300)


def test_what_is_gone_or_no_picture_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        photo_of(tmp_path / "gone.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(OSError, match="cannot identify"):
        photo_of(tmp_path / "text.jpg")
