"""`python -m platform.prepare`: a raw data set to aligned faces, ready for every other command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform.command import Parser, run

if TYPE_CHECKING:
    from datasets.store import PreparedStore

EXAMPLES = """examples:
  python -m platform.prepare --dataset synthetic
      writes the synthetic faces that come with this repository, and prepares them
  python -m platform.prepare --dataset ckplus --source ~/CK+
      prepares your licensed copy of CK+, aligned by its own landmarks
  python -m platform.prepare --dataset mmi --source ~/MMI --landmarks points.csv
      MMI brings no landmarks: a CSV with the columns image, left_eye_x, left_eye_y, right_eye_x,
      right_eye_y, nose_x, nose_y, mouth_left_x, mouth_left_y, mouth_right_x, mouth_right_y
  python -m platform.prepare --dataset ckplus --source ~/CK+crops --aligned --size 128
      images that are face crops already are only scaled

The result lies in <data root>/prepared/<dataset>-<size>; look at preview.png in it. The same command
may be run again at any time: it gives the same bytes.
"""


def make_parser() -> Parser:
    """The command's flags."""
    parser = Parser(
        prog="python -m platform.prepare",
        description="Find the frames that the paper uses in a raw data set, align the faces, and store them.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--dataset", required=True, help="ckplus, mmi, synthetic or synthetic_wild")
    parser.add_argument("--source", type=Path, metavar="DIR", help="folder of your copy, as it was delivered")
    parser.add_argument(
        "--size", type=int, default=320, metavar="PIXELS", help="side of a face (default 320)"
    )
    parser.add_argument("--data-root", type=Path, default=Path("data"), metavar="DIR", help="default: data")
    parser.add_argument("--landmarks", type=Path, metavar="CSV", help="five points of each wanted frame")
    parser.add_argument("--aligned", action="store_true", help="the images are face crops already")
    return parser


def main(argv: list[str]) -> int | None:
    """Prepare one data set and say what was prepared."""
    arguments = make_parser().parse_args(argv)

    from datasets.catalogue import describe, raw_folder
    from datasets.preparation import prepare_dataset
    from platform.progress import ProgressLine

    description = describe(arguments.dataset)
    raw = raw_folder(arguments.data_root, arguments.dataset)
    if description.embedded and arguments.source is None and not raw.exists():
        print(f"drawing {description.title} into {raw} first; about ten seconds ...", flush=True)
    store = prepare_dataset(
        arguments.dataset,
        arguments.size,
        data_root=arguments.data_root,
        source=arguments.source,
        landmarks=arguments.landmarks,
        aligned=arguments.aligned,
        progress=ProgressLine("aligned faces"),
    )
    print("\n".join(summary_lines(store, description.title)))
    flag = "" if arguments.data_root == Path("data") else f" --data-root {arguments.data_root}"
    print(f"next:       python -m platform.tune --dataset {arguments.dataset}{flag} --preset quick")
    return None


def summary_lines(store: PreparedStore, title: str) -> list[str]:
    """What a prepared store holds, with the paper's counts beside those that differ."""
    from datasets.catalogue import paper_image_counts

    paper = paper_image_counts(store.dataset)
    expressive = store.roles == "expressive"
    counts = {name: int((expressive & (store.expressions == name)).sum()) for name in store.class_names}
    width = max(map(len, {*counts, *paper}))
    lines = [
        f"{title}: {int(expressive.sum())} expressive images and {int((~expressive).sum())} neutral faces "
        f"of {len(set(store.subjects.tolist()))} subjects"
    ]
    for name in sorted({*counts, *paper}):
        count = counts.get(name, 0)
        differs = f"   (the paper has {paper[name]})" if name in paper and paper[name] != count else ""
        lines.append(f"  {name:<{width}} {count:6}{differs}")
    return [*lines, f"store:      {store.folder}", f"look at:    {store.folder / 'preview.png'}"]


if __name__ == "__main__":
    run(main)
