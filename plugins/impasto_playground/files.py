"""The files of all chats: kept in a folder, known by ``file_id``, bounded in total size."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import secrets
import shutil
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiogram.types import Animation, Document, PhotoSize

from . import pictures
from .refusals import bad_request

MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
"""getFile serves nothing larger (Bot API, getFile)."""

MAX_STORED_BYTES = 2 * 1024**3
"""All files together; the oldest make room for new ones."""

Content = dict[str, Any]
"""The fields of a message that carries a file: first the one that names its kind, ``photo``,
``document`` or ``animation``; a GIF's message has, as on Telegram, a ``document`` as well."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file on disk and how the Bot API speaks of it."""

    file_id: str
    file_unique_id: str
    path: Path
    remote_path: str
    size: int
    name: str


class FileStore:
    """Files by ``file_id`` and by the path that getFile tells.

    Everything lies in a folder of its own, which `close` removes.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_STORED_BYTES) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="impasto-playground-", dir=folder))
        self.incoming = self.folder / "incoming"
        self.incoming.mkdir()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._count = 0
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._by_remote_path: dict[str, StoredFile] = {}
        self._contents: dict[str, Content] = {}

    def close(self) -> None:
        """Forget everything and remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    async def add_photo(self, path: Path, by_app: bool = False) -> Content:
        """Take the picture file at `path` as a photo: its sizes, smallest first.

        `by_app` says that a person picked it in an app, which scales large ones down. The file
        itself is not kept; whoever brought it removes it.

        Raises `Refusal` for what Telegram does not take as a photo.
        """
        sizes = await asyncio.to_thread(pictures.photo_sizes, path, by_app)
        photo = [self._store_jpeg(jpeg, "photos", "AgAC") for jpeg in sizes]
        content = {"photo": photo}
        for size in photo:
            self._contents[size.file_id] = content
        return content

    async def add_document(self, path: Path, name: str, content_type: str | None = None) -> Content:
        """Take the file at `path` byte for byte; pictures get a thumbnail."""
        small = await asyncio.to_thread(pictures.thumbnail, path)
        stored = await self._move_in(path, "documents", "BQAC", name)
        mime_type = mimetypes.guess_type(name)[0] or content_type or "application/octet-stream"
        document = Document(
            file_id=stored.file_id,
            file_unique_id=stored.file_unique_id,
            file_name=name,
            mime_type=mime_type,
            file_size=stored.size,
            thumbnail=self._store_jpeg(small, "thumbnails", "AAMC") if small else None,
        )
        content = self._contents[stored.file_id] = {"document": document}
        return content

    async def add_animation(self, path: Path, name: str) -> Content | None:
        """Take the file at `path` if it is an animated GIF, else leave it and return None."""
        shape = await asyncio.to_thread(pictures.animation, path)
        if shape is None:
            return None
        stored = await self._move_in(path, "animations", "CgAC", name)
        animation = Animation(
            file_id=stored.file_id,
            file_unique_id=stored.file_unique_id,
            width=shape.width,
            height=shape.height,
            duration=shape.duration,
            thumbnail=self._store_jpeg(shape.thumbnail, "thumbnails", "AAMC"),
            file_name=name,
            mime_type="image/gif",
            file_size=stored.size,
        )
        shared = animation.model_dump(include=set(Document.model_fields))
        content = {"animation": animation, "document": Document.model_validate(shared)}
        self._contents[stored.file_id] = content
        return content

    def content(self, file_id: str) -> Content:
        """What a message with this file carries. Raises `Refusal` for an unknown id."""
        try:
            return self._contents[file_id]
        except KeyError:
            raise bad_request(
                "wrong remote file identifier specified: Wrong character in the string"
                if file_id.isascii() and file_id.replace("-", "").replace("_", "").isalnum()
                else "wrong file identifier/HTTP URL specified"
            ) from None

    def by_id(self, file_id: str) -> StoredFile | None:
        """The file that is known by this id, thumbnails and photo sizes included."""
        return self._files.get(file_id)

    def by_remote_path(self, remote_path: str) -> StoredFile | None:
        """The file that getFile gave this path for."""
        return self._by_remote_path.get(remote_path)

    def _store_jpeg(self, jpeg: pictures.Jpeg, kind: str, prefix: str) -> PhotoSize:
        path = self.folder / secrets.token_hex(16)
        path.write_bytes(jpeg.data)
        unique = hashlib.sha256(jpeg.data).hexdigest()
        stored = self._register(path, kind, prefix, f"{kind}.jpg", unique)
        return PhotoSize(
            file_id=stored.file_id,
            file_unique_id=stored.file_unique_id,
            width=jpeg.width,
            height=jpeg.height,
            file_size=stored.size,
        )

    async def _move_in(self, source: Path, kind: str, prefix: str, name: str) -> StoredFile:
        path = self.folder / secrets.token_hex(16)
        unique = await asyncio.to_thread(_move, source, path)
        return self._register(path, kind, prefix, name, unique)

    def _register(self, path: Path, kind: str, prefix: str, name: str, unique: str) -> StoredFile:
        self._count += 1
        suffix = Path(name).suffix if Path(name).suffix.isascii() else ""
        stored = StoredFile(
            file_id=prefix + secrets.token_urlsafe(48),
            file_unique_id="AQAD" + unique[:16],
            path=path,
            remote_path=f"{kind}/file_{self._count}{suffix[:16]}",
            size=path.stat().st_size,
            name=name,
        )
        self._files[stored.file_id] = stored
        self._by_remote_path[stored.remote_path] = stored
        self._bytes += stored.size
        while self._bytes > self._max_bytes and len(self._files) > 1:
            self._forget_oldest()
        return stored

    def _forget_oldest(self) -> None:
        file_id, stored = self._files.popitem(last=False)
        self._by_remote_path.pop(stored.remote_path, None)
        self._contents.pop(file_id, None)
        stored.path.unlink(missing_ok=True)
        self._bytes -= stored.size


def _move(source: Path, target: Path) -> str:
    """Move a file; the SHA-256 of its content."""
    source.rename(target)
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
