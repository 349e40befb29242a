"""The message in the chat that shows how a job is getting on."""
