"""`impasto paint`: photos painted right here, without a bot; also in many styles on one sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impasto import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def impasto_commands(cli: typer.Typer) -> None:
    from impasto_paint.paint import paint
    from impasto_paint.sheet import sheet

    cli.command("paint")(paint)
    cli.command("sheet")(sheet)
