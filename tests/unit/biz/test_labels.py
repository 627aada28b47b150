import pytest

from biz.labels import MAX_LABELS, MAX_VALUE_LENGTH, check_labels, parse_label_filter


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"team": "payments"},
        {"a": "", "a/b.c-d_e": "x", "0": "😀"},
        {"k" * 63: "v" * MAX_VALUE_LENGTH},
        {f"k{i}": "" for i in range(MAX_LABELS)},
    ],
)
def test_labels_that_are_kept(labels: dict[str, str]) -> None:
    assert not list(check_labels(labels))


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        ({f"k{i}": "" for i in range(MAX_LABELS + 1)}, ["too-many"]),
        ({"": "x"}, ["bad-label-key"]),
        ({"k" * 64: "x"}, ["bad-label-key"]),
        ({"-a": "x", "b c": "y", "é": "z"}, ["bad-label-key"] * 3),
        ({"a\n": "x"}, ["bad-label-key"]),
        ({"a": "v" * (MAX_VALUE_LENGTH + 1)}, ["too-long"]),
    ],
)
def test_labels_that_arent_kept(labels: dict[str, str], codes: list[str]) -> None:
    found = list(check_labels(labels))
    assert [fault.code for fault in found] == codes
    assert {fault.field for fault in found} == {"labels"}


@pytest.mark.parametrize(
    ("terms", "labels"),
    [
        ([], {}),
        (["team=payments", "tier=1"], {"team": "payments", "tier": "1"}),
        (["a="], {"a": ""}),
        (["a=b=c"], {"a": "b=c"}),
        (["a=b", "a=b"], {"a": "b"}),
        ([f"k{i}=" for i in range(MAX_LABELS)], {f"k{i}": "" for i in range(MAX_LABELS)}),
    ],
)
def test_a_filter_by_labels(terms: list[str], labels: dict[str, str]) -> None:
    assert parse_label_filter(terms) == (labels, [])


@pytest.mark.parametrize("terms", [["team"], ["=x"], ["a b=c"], [""], ["a=1", "a=2"]])
def test_no_filter_by_labels_is(terms: list[str]) -> None:
    _, [fault] = parse_label_filter(terms)
    assert (fault.field, fault.code) == ("labels", "bad-label-filter")


def test_a_filter_by_too_many_labels_is_one_fault() -> None:
    _, [fault] = parse_label_filter(["a=b"] * (MAX_LABELS + 1))
    assert (fault.field, fault.code) == ("labels", "too-many")
