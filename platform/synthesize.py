"""Synthetic faces in the layout of a real data set."""

from __future__ import annotations

from pathlib import Path

from datasets.synthetic.layouts import LAYOUTS
from platform.cli.parser import Parser, run
from platform.errors import UserError
from platform.host.machine_limits import usable_cpus

EXAMPLES = """examples:
  python -m platform.synthesize --out faces
      20 people, each with seven expressions from neutral to apex in 6 frames
  python -m platform.synthesize --subjects 118 --frames 12 --size 320 --out faces
      118 people, as in the labelled part of CK+
  python -m platform.synthesize --difficulty 0.9 --seed 7 --wild --out street
      faint expressions of other people in the wild: pose, lighting and position vary in every frame

Check preview.png in the folder. An interrupted command continues when it is run again.
Next: python -m platform.prepare --dataset ckplus --source faces
How the faces are drawn, and how hard they are to classify: docs/synthetic.md
"""


def make_parser() -> Parser:
    """Parser of the command's flags."""
    parser = Parser(
        prog="python -m platform.synthesize",
        description="Draw synthetic faces: people, expressions as FACS action units, landmarks, labels.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty folder")
    parser.add_argument(
        "--subjects", type=int, default=20, metavar="NUMBER", help="number of people, 1 to 500 (default: 20)"
    )
    parser.add_argument(
        "--frames", type=int, default=6, metavar="NUMBER", help="frames per sequence, 4 to 99 (default: 6)"
    )
    parser.add_argument(
        "--difficulty",
        type=float,
        default=0.5,
        metavar="NUMBER",
        help="from 0, clear, to 1, faint and mixed (default: 0.5)",
    )
    parser.add_argument(
        "--layout",
        default="ckplus",
        metavar="NAME",
        help=f"native layout of the files: {', '.join(LAYOUTS)} (default: ckplus)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="NUMBER", help="seed of the people (default: 0)"
    )
    parser.add_argument(
        "--size", type=int, default=192, metavar="PIXELS", help="side of the frames (default: 192)"
    )
    parser.add_argument("--wild", action="store_true", help="in-the-wild images instead of laboratory images")
    parser.add_argument(
        "--workers", type=int, metavar="NUMBER", help="processes (default: one per usable CPU)"
    )
    return parser


def main(argv: list[str]) -> int | None:
    """Draw one set and its preview."""
    arguments = make_parser().parse_args(argv)
    workers = arguments.workers if arguments.workers is not None else usable_cpus()
    if not 1 <= workers <= 256:
        raise UserError(f"workers must be from 1 to 256, but got {workers}; pass --workers 2.")

    from datasets.catalogue import describe
    from datasets.synthetic.layouts import load_layout
    from datasets.synthetic.parameters import SetParameters
    from datasets.synthetic.pictures import encode_png
    from datasets.synthetic.set_writer import frame_count, write_set
    from datasets.synthetic.sheet import preview_sheet
    from platform.cli.next_command import preparation_command
    from platform.cli.progress_line import ProgressLine

    layout = load_layout(arguments.layout)
    parameters = SetParameters(
        subjects=arguments.subjects, frames=arguments.frames, difficulty=arguments.difficulty,
        seed=arguments.seed, size_pixels=arguments.size, in_the_wild=arguments.wild,
    )  # fmt: skip
    preview = arguments.out / "preview.png"
    try:
        written = write_set(
            arguments.out,
            parameters,
            layout=arguments.layout,
            workers=workers,
            progress=ProgressLine("drawn faces"),
        )
        preview.write_bytes(encode_png(preview_sheet(parameters)))
    except OSError as error:
        raise UserError(
            f"cannot write the set {arguments.out}: {error.strerror or error}; free space or allow "
            "writing to the folder, then run the same command again: it continues."
        ) from error
    state = "" if written else " (already complete)"
    print(
        f"set:        {arguments.out}, {frame_count(parameters, arguments.layout)} faces "
        f"of {parameters.subjects} people{state}"
    )
    print(f"look at:    {preview}")
    print(f"next:       {preparation_command(describe(layout.DATASET), arguments.out)}")
    return None


if __name__ == "__main__":
    run(main)
