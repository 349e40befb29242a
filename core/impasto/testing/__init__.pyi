"""What is imported from here, and where it is; `__init__.py` and type checkers read this list."""

# isort: skip_file

from impasto.testing.factories import (
    jpeg as jpeg,
    make_job as make_job,
    make_photo as make_photo,
    make_settings as make_settings,
    make_style as make_style,
)
from impasto.testing.painting import paint_small as paint_small
from impasto_playground.testing import (
    App as App,
    Chat as Chat,
    NoReply as NoReply,
    Reply as Reply,
)
