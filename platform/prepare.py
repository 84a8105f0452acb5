"""Face alignment of a raw data set into a prepared set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.known_names import known_names
from platform.cli.parser import Parser, run
from platform.cli.usual_flags import PREPARE_FLAGS
from platform.errors import UserError
from platform.host.launcher import default_folder, pasteable

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore

EXAMPLES = """examples:
  python -m platform.prepare --dataset synthetic
      draws the synthetic faces of this repository and prepares them
  python -m platform.prepare --inspect ~/faces
      describes a folder and recognises its layout; writes nothing
  python -m platform.prepare --dataset ckplus --source ~/CK+
      prepares your licensed copy of CK+, aligned by the landmarks that come with it
  python -m platform.prepare --dataset mmi --source ~/MMI --landmarks detect
      MMI has no landmarks, so face-alignment detects them. Or pass a file: a CSV with the columns image,
      left_eye_x, left_eye_y, right_eye_x, right_eye_y, nose_x, nose_y, mouth_left_x, mouth_left_y,
      mouth_right_x, mouth_right_y, or FMPN's bbox_landmark_mtcnn.pkl
  python -m platform.prepare --dataset affectnet --source ~/AffectNet --per-class 3504
      draws that number of images of each of the seven expressions
  python -m platform.prepare --dataset ckplus --source ~/CK+crops --aligned --size 128
      images that are face crops already are only resized
  python -m platform.prepare --dataset ckplus --source ~/CK+ --sequences
      adds all frames of the labelled sequences, in order; prepares the images first if they are not

The result is <data root>/prepared/<dataset>-<size>; check preview.png in it. An interrupted command
continues when it is run again, with the same result to the byte.
"""


def make_parser() -> Parser:
    """The command's flags."""
    parser = Parser(
        prog="python -m platform.prepare",
        description="Select the frames that the paper uses from a raw data set, align and store the faces.",
        epilog=EXAMPLES,
        usual=PREPARE_FLAGS,
    )
    add = parser.add_argument
    add("--dataset", metavar="NAME", help=f"the data set.{known_names('dataset')}")
    add("--source", type=Path, metavar="DIR", help="your copy of the data set, as delivered")
    add("--inspect", type=Path, metavar="DIR", help="describe a folder and exit")
    add("--size", type=int, default=320, metavar="PIXELS", help="side of the faces (default: 320)")
    add(
        "--data-root",
        type=Path,
        default=default_folder("data"),
        metavar="DIR",
        help="folder of data sets (default: data)",
    )
    add("--landmarks", metavar="FILE", help="five points per frame (CSV or FMPN's pickle), or "
        "`detect`: face-alignment finds those that the data set lacks")  # fmt: skip
    add("--detector", default="sfd", metavar="NAME", help="face detector of face-alignment (default: sfd)")
    add("--device", default="cpu", help="device of the detector: cpu (default), cuda, cuda:1, ...")
    add("--allow-missing", type=int, default=0, metavar="NUMBER", help="skip up to N frames without a face")
    add("--aligned", action="store_true", help="the images are already face crops")
    add("--resample", choices=("cubic", "released"), help="resizing of face crops (--aligned): cubic, to "
        "squares; released, as in FMPN's released code (default for fmpn_release)")  # fmt: skip
    add("--frames", type=Path, metavar="LIST", help="use exactly these expressive frames: a list of image "
        "names, or a folder of FMPN's test_ids_<fold>.csv")  # fmt: skip
    add("--whole-sequences", action="store_true", help="also store all other frames of labelled sequences")
    add("--sequences", action="store_true", help="add to the prepared set all frames of its labelled "
        "sequences, in order, for sequence methods; its images stay as they are")  # fmt: skip
    add("--dense-landmarks", nargs="?", const="own", choices=("own", "detect"), help="add 68 landmarks per "
        "face: own (default), those of the data set; detect, those that face-alignment finds")  # fmt: skip
    add("--neutral-class", action="store_true", help="add neutral faces as a class, for methods that "
        "distinguish them")  # fmt: skip
    add("--map", nargs="+", action="extend", metavar="NAME=CLASS", help="a folder of your own: what its "
        "names of expressions stand for, e.g. happy=happiness")  # fmt: skip
    add("--classes-from-folders", action="store_true", help="a folder of your own: the names of its folders, "
        "or of its table, are the classes, whatever they are")  # fmt: skip
    add("--per-class", type=int, metavar="NUMBER", help="draw so many images per class (in-the-wild sets)")
    add("--draw-seed", type=int, default=0, metavar="NUMBER", help="seed of that draw (default: 0)")
    bad = parser.add_mutually_exclusive_group()
    bad.add_argument("--strict", action="store_true", help="stop at the first invalid item (default)")
    bad.add_argument("--skip-bad", action="store_true", help="skip invalid items and list them")
    add("--workers", type=int, metavar="NUMBER", help="processes (default: one per usable CPU)")
    return parser


def main(argv: list[str]) -> int | None:
    """Prepare one data set and print a summary."""
    arguments = make_parser().parse_args(argv)
    if arguments.inspect is not None:
        from platform.cli.prepare_report import inspection_lines

        further = [] if arguments.size == 320 else ["--size", str(arguments.size)]
        if arguments.data_root != default_folder("data"):
            further += ["--data-root", str(arguments.data_root)]
        print(pasteable("\n".join(inspection_lines(arguments.inspect, arguments.dataset, further))))
        return None
    if arguments.dataset is None:
        raise UserError("--dataset NAME or --inspect DIR is needed; see --help for both.")

    from datasets.catalogue import describe
    from datasets.prepared.layer_preparation import prepare_layers
    from platform.cli.prepare_report import next_lines, summary_lines
    from platform.cli.prepare_settings import layer_settings, preparation_settings
    from platform.cli.progress_line import ProgressLine

    description = describe(arguments.dataset)
    settings = preparation_settings(arguments, description)
    names, sources = layer_settings(arguments, settings)
    beside: list[str] = []
    store = _images(arguments, settings, beside, keep=bool(names))
    prepare_layers(store, names, sources, progress_of=ProgressLine)
    lines = [*summary_lines(store, description.title, beside), *next_lines(store, arguments.data_root, argv)]
    print(pasteable("\n".join(lines)))
    return None


def _images(
    arguments: argparse.Namespace, settings: dict[str, Any], beside: list[str], *, keep: bool
) -> PreparedStore:
    """The prepared images: those that stand if `keep`, which layers are added to, otherwise made anew.

    beside: receives the files of the user's copy that do not belong to the data set.
    """
    from datasets.prepared.layer_files import layer_command, layers_of
    from datasets.prepared.layer_frames import check_as_prepared
    from datasets.prepared.preparation import prepare_dataset
    from datasets.prepared.store import PreparedStore, store_folder
    from datasets.prepared.store_files import MANIFEST
    from platform.cli.progress_line import ProgressLine

    folder = store_folder(arguments.data_root, arguments.dataset, arguments.size)
    if keep and (folder / MANIFEST).is_file():
        store = PreparedStore.open(folder)
        asked = {name: settings[name] for name in ("choices", "aligned", "resample")}
        check_as_prepared(store, asked.pop("choices"), **asked)
        return store
    had = layers_of(folder)
    progress = ProgressLine("aligned faces")
    store = prepare_dataset(arguments.dataset, arguments.size, **settings, progress=progress, beside=beside)
    for name in sorted(set(had) - set(layers_of(folder))):
        again = pasteable(layer_command(folder, name))
        print(f"removed:    the layer {name} of the earlier images; add it again: {again}")
    return store


if __name__ == "__main__":
    run(main)
