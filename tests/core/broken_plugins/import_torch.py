"""Loads torch in the bot, which never needs it."""

import torch

from impasto import hookimpl

DEVICE = torch.device("cpu")


@hookimpl
def impasto_styles(settings):
    return []
