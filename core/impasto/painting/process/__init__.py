"""The process that paints: what it is asked, what it answers."""
