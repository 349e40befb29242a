"""Command line of the training: `python -m weights.distil train|evaluate|paint`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .data import Pictures
from .evaluate import Case, cases, evaluate
from .network import Convolutions, load_student, load_teacher
from .painting import (
    networks,
    painted,
    random_student,
    read_picture,
    score,
    teacher_readouts,
    write_picture,
)
from .settings import Settings
from .training import Training

VALIDATION_SEED = 1
PAINTERS = ("teacher", "student", "random")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m weights.distil", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--teacher", type=Path, required=True, help="VGG-19 as safetensors")
    common.add_argument("--device", default="cpu", help="cpu or cuda")
    common.add_argument("--threads", type=int, help="of the CPU; default: torch's choice")
    validated = argparse.ArgumentParser(add_help=False)
    validated.add_argument("--validation", type=Path, required=True, help="folder of other photos")
    verbs = parser.add_subparsers(dest="verb", required=True)

    train = verbs.add_parser("train", parents=[common, validated])
    train.add_argument("--photos", type=Path, required=True, help="folder of photos to train on")
    train.add_argument("--source", required=True, help="what the photos are, for the metadata")
    train.add_argument("--run", type=Path, required=True, help="folder of log and checkpoint")
    train.add_argument("--out", type=Path, required=True, help="the network file to write")
    train.add_argument("--begin", type=Path, help="network file to begin with; default: at random")
    train.add_argument(
        "--matching-rate", type=float, default=Settings.matching_rate, help="lower with --begin"
    )
    train.add_argument(
        "--matching-share",
        type=float,
        default=Settings.matching_share,
        help="of the schedule; 0 to only imitate, with --begin",
    )
    train.add_argument("--seed", type=int, default=Settings.seed)
    train.add_argument("--steps", type=int, default=Settings.steps)
    train.add_argument("--minutes", type=float, default=Settings.time_limit / 60)

    judge = verbs.add_parser("evaluate", parents=[common, validated])
    judge.add_argument("network", type=Path, nargs="+", help="network files to score")

    paint = verbs.add_parser("paint", parents=[common])
    paint.add_argument("network", type=Path)
    paint.add_argument("--pairs", nargs="+", required=True, help="CONTENT:STYLE picture files")
    paint.add_argument(
        "--painters", nargs="+", choices=PAINTERS, default=PAINTERS, help="default: all"
    )
    paint.add_argument("--side", type=int, default=320, help="of the square pictures, in pixels")
    paint.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    return parser.parse_args()


def _validation(folder: Path, teacher: Convolutions) -> list[Case]:
    return cases(Pictures(folder, Settings.crop, VALIDATION_SEED), teacher, VALIDATION_SEED)


def _train(options: argparse.Namespace, teacher: Convolutions) -> None:
    settings = Settings(
        seed=options.seed,
        steps=options.steps,
        time_limit=60 * options.minutes,
        matching_rate=options.matching_rate,
        matching_share=options.matching_share,
    )
    options.run.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(options.photos, settings.crop, settings.seed)
    validation = _validation(options.validation, teacher)
    Training(
        settings,
        pictures,
        validation,
        teacher,
        options.run,
        options.out,
        options.source,
        options.begin,
    ).run()


def _paint(options: argparse.Namespace, teacher: Convolutions) -> None:
    """Each pair with the teacher, the network and a random one; one JSON line a picture."""
    student = load_student(options.network, teacher[0][0].device)
    painters = {
        "teacher": (teacher, teacher_readouts(teacher)),
        "student": networks(student),
        "random": networks(random_student(student, seed=0)),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for pair in options.pairs:
        paths = [Path(name) for name in pair.split(":")]
        content, style = (read_picture(path, options.side).to(teacher[0][0]) for path in paths)
        name = "_".join(path.stem for path in paths)
        for painter in options.painters:
            convolutions, readouts = painters[painter]
            picture, seconds = painted(content, style, convolutions, readouts)
            write_picture(picture, options.out / f"{name}_{painter}.png")
            losses = score(picture, content, style, teacher)
            rounded = {key: float(f"{value:.4g}") for key, value in losses.items()}
            entry = {"pair": name, "painter": painter, "seconds": round(seconds, 1), **rounded}
            print(json.dumps(entry), flush=True)


def main() -> None:
    options = _arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    teacher = load_teacher(options.teacher, device)
    if options.verb == "train":
        _train(options, teacher)
        return
    if options.verb == "paint":
        _paint(options, teacher)
        return
    validation = _validation(options.validation, teacher)
    for network in options.network:
        report = evaluate(load_student(network, device), teacher, validation)
        print(json.dumps({"network": network.name, **report}))


main()
