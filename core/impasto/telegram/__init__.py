"""Everything that knows Telegram, and nothing that knows torch."""
