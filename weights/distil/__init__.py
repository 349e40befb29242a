"""Trains the embedded feature network: a thin network that stands in for VGG-19 when painting.

    python -m weights.distil train --photos FOLDER --validation FOLDER --teacher VGG19.safetensors
    python -m weights.distil evaluate ...
    python -m weights.distil paint ...

run from the root of the repository; `--help` after each word lists its options.
"""
