"""Face alignment of a raw data set into a prepared set."""

from __future__ import annotations

from pathlib import Path

from platform.cli.known_names import known_names
from platform.cli.parser import Parser, run
from platform.errors import UserError

EXAMPLES = """examples:
  python -m platform.prepare --dataset synthetic
      writes the synthetic faces that come with this repository, and prepares them
  python -m platform.prepare --inspect ~/faces
      prints what lies in a folder and whose layout it looks like; writes nothing
  python -m platform.prepare --dataset ckplus --source ~/CK+
      prepares your licensed copy of CK+, aligned by its own landmarks
  python -m platform.prepare --dataset mmi --source ~/MMI --landmarks detect
      MMI brings no landmarks: face-alignment finds them. Or pass a file: a CSV with the columns image,
      left_eye_x, left_eye_y, right_eye_x, right_eye_y, nose_x, nose_y, mouth_left_x, mouth_left_y,
      mouth_right_x, mouth_right_y, or FMPN's bbox_landmark_mtcnn.pkl
  python -m platform.prepare --dataset affectnet --source ~/AffectNet --per-class 3504
      draws as many images of each of the seven expressions
  python -m platform.prepare --dataset ckplus --source ~/CK+crops --aligned --size 128
      images that are face crops already are only scaled

The result lies in <data root>/prepared/<dataset>-<size>; look at preview.png in it. The same command
may be run again at any time: it goes on where it was stopped, and gives the same bytes.
"""


def make_parser() -> Parser:
    """The command's flags."""
    parser = Parser(
        prog="python -m platform.prepare",
        description="Find the frames that the paper uses in a raw data set, align the faces, and store them.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("--dataset", metavar="NAME", help=f"the data set.{known_names('dataset')}")
    add("--source", type=Path, metavar="DIR", help="folder of your copy, as it was delivered")
    add("--inspect", type=Path, metavar="DIR", help="print what is in a folder, and stop")
    add("--size", type=int, default=320, metavar="PIXELS", help="side of a face (default 320)")
    add("--data-root", type=Path, default=Path("data"), metavar="DIR", help="default: data")
    add("--landmarks", metavar="FILE", help="five points of each wanted frame (CSV or FMPN's pickle), "
        "or `detect` to have face-alignment find those that the data set lacks")  # fmt: skip
    add("--detector", default="sfd", metavar="NAME", help="face detector of face-alignment (default sfd)")
    add("--device", default="cpu", help="where it runs: cpu (default), cuda, cuda:1, ...")
    add("--allow-missing", type=int, default=0, metavar="N", help="leave out up to N frames without a face")
    add("--aligned", action="store_true", help="the images are face crops already")
    add("--resample", choices=("cubic", "released"), help="how face crops (--aligned) are scaled: cubic to "
        "squares, or released, as FMPN's released code does (default for fmpn_release)")  # fmt: skip
    add("--frames", type=Path, metavar="LIST", help="take exactly these expressive frames: a list of image "
        "names, or a folder of FMPN's test_ids_<fold>.csv")  # fmt: skip
    add("--whole-sequences", action="store_true", help="store every frame of the labelled sequences too")
    add("--per-class", type=int, metavar="N", help="draw N images of each class (in-the-wild sets)")
    add("--draw-seed", type=int, default=0, metavar="N", help="of that draw (default 0)")
    bad = parser.add_mutually_exclusive_group()
    bad.add_argument("--strict", action="store_true", help="stop at the first bad item (the default)")
    bad.add_argument("--skip-bad", action="store_true", help="leave bad items out, and list them")
    add("--workers", type=int, metavar="N", help="processes (default: one a usable CPU)")
    return parser


def main(argv: list[str]) -> int | None:
    """Prepare one data set and say what was prepared."""
    arguments = make_parser().parse_args(argv)
    if arguments.inspect is not None:
        from platform.cli.prepare_report import inspection_lines

        further = [] if arguments.size == 320 else ["--size", str(arguments.size)]
        further += [] if arguments.data_root == Path("data") else ["--data-root", str(arguments.data_root)]
        print("\n".join(inspection_lines(arguments.inspect, arguments.dataset, further)))
        return None
    if arguments.dataset is None:
        raise UserError("--dataset NAME or --inspect DIR is needed; see --help for both.")

    from datasets.catalogue import describe
    from datasets.prepared.preparation import prepare_dataset
    from platform.cli.prepare_report import next_lines, summary_lines
    from platform.cli.prepare_settings import preparation_settings
    from platform.cli.progress_line import ProgressLine

    description = describe(arguments.dataset)
    settings = preparation_settings(arguments, description)
    beside: list[str] = []
    store = prepare_dataset(
        arguments.dataset, arguments.size, **settings, progress=ProgressLine("aligned faces"), beside=beside
    )
    print("\n".join(summary_lines(store, description.title, beside)))
    print("\n".join(next_lines(store, arguments.data_root, argv)))
    return None


if __name__ == "__main__":
    run(main)
