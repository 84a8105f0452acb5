from __future__ import annotations

from dataclasses import replace

from datasets.audit.labels import label_findings
from datasets.fold_lists.listed_images import Finding, FoldLists, ListedFold, ListedImage

CODES = {1: "anger", 2: "contempt"}


def image(
    name: str,
    expression: str | None = "anger",
    label: int | None = None,
    *,
    subject: str = "S001",
    sequence: str | None = None,
) -> ListedImage:
    return ListedImage(name=name, subject=subject, sequence=sequence, expression=expression, label=label)


def lists_of(*images: ListedImage) -> FoldLists:
    names = tuple(image.name for image in images)
    fold = ListedFold(index=0, train=names[:1], test=names[1:])
    return FoldLists(kind="table", images=dict(zip(names, images, strict=True)), folds=(fold,))


def findings(*images: ListedImage) -> list[Finding]:
    return list(label_findings(lists_of(*images)))


def test_consistent_names_give_no_finding() -> None:
    assert findings(image("a"), image("b", "fear")) == []


def test_numbers_that_follow_one_order_are_shown() -> None:
    (note,) = findings(image("a", "anger", 1), image("b", "fear", 0), image("c", "fear", 0))
    assert (note.severity, note.rule) == ("note", "label order")
    assert note.what.endswith("0 fear, 1 anger")


def test_a_number_with_two_names_and_a_name_with_two_numbers_are_contradictions() -> None:
    (warning,) = findings(image("a", "anger", 1), image("b", "fear", 1))
    assert (warning.severity, warning.rule) == ("warning", "label order against names")
    assert warning.example == "label 1 is anger, fear"
    (warning,) = findings(image("a", "anger", 1), image("b", "anger", 6))
    assert warning.example == "anger is 1, 6"


def test_labels_that_the_data_set_does_not_have_are_reported() -> None:
    lists = lists_of(image("a", "anger", 1), image("b", None, 0), image("c", None, -1))
    (warning,) = label_findings(replace(lists, codes=CODES, codes_title="CK+"))
    assert warning.rule == "label order against names"
    assert warning.what == "2 images have a label that CK+ does not define"
    assert warning.example == "b has 0; found [-1, 0], known 1 anger, 2 contempt"


def test_a_sequence_shows_one_class_besides_neutral() -> None:
    parts = [image("a", "neutral", sequence="S1"), image("b", "fear", sequence="S1")]
    assert findings(*parts) == []
    (warning,) = findings(*parts, image("c", "anger", sequence="S1"))
    assert (warning.rule, warning.example) == ("two classes in a sequence", "S1: fear, anger")
    (warning,) = findings(image("a", None, 1, sequence="S1"), image("b", None, 2, sequence="S1"))
    assert warning.example == "S1: label 1, label 2"


def test_images_without_a_class_are_a_note_where_none_has_one_and_a_warning_otherwise() -> None:
    (note,) = findings(image("a", None), image("b", None))
    assert (note.severity, note.rule) == ("note", "class unknown")
    (warning,) = findings(image("a", None), image("b"))
    assert (warning.severity, warning.example) == ("warning", "a")


def test_one_subject_by_name_must_be_one_subject_in_the_list() -> None:
    (warning,) = findings(
        image("S005_001_00000001.png", subject="5"), image("S005_002_00000001.png", subject="6")
    )
    assert (warning.severity, warning.rule) == ("warning", "subjects against names")
    assert warning.example == "images named S005_... are listed as 5, 6"
    assert findings(image("S005_001_01.png", subject="5"), image("S006_001_01.png", subject="5")) == []
