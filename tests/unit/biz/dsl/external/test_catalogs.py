"""Where functions are (DSL, "Catalogs")."""

import pytest

from biz.dsl.external.catalogs import CatalogedFunction, parse_reference, raw_uri

RAW = "https://raw.githubusercontent.com/o/r"
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("log:1.0.0@global", CatalogedFunction("log", "1.0.0", "global")),
        ("a-b:1.0.0-rc.1+5@my.c", CatalogedFunction("a-b", "1.0.0-rc.1+5", "my.c")),
        ("log", None),
        ("log:1.0.0", None),
        ("log@global", None),
        (":1.0.0@global", None),
        ("log:@global", None),
        ("log:1.0.0@", None),
        ("log:1:0@global", None),
        ("log:1.0.0@a@b", None),
        ("log: 1.0.0@global", None),
        ("", None),
    ],
)
def test_the_name_of_a_cataloged_function(text: str, found: CatalogedFunction | None) -> None:
    assert parse_reference(text) == found


@pytest.mark.parametrize(
    ("root", "uri"),
    [
        ("https://c.test", "https://c.test/functions/log/1.0.0/function.yaml"),
        ("https://c.test/", "https://c.test/functions/log/1.0.0/function.yaml"),
        ("https://c.test/a/b?key=1", "https://c.test/a/b/functions/log/1.0.0/function.yaml?key=1"),
        ("https://github.com/o/r", f"{RAW}/HEAD/functions/log/1.0.0/function.yaml"),
        ("https://github.com/o/r.git", f"{RAW}/HEAD/functions/log/1.0.0/function.yaml"),
        (
            "https://github.com/o/r/tree/main",
            f"{RAW}/refs/heads/main/functions/log/1.0.0/function.yaml",
        ),
        (
            "https://github.com/o/r/tree/main/sub/",
            f"{RAW}/refs/heads/main/sub/functions/log/1.0.0/function.yaml",
        ),
        (
            f"https://github.com/o/r/tree/{SHA}",
            f"{RAW}/{SHA}/functions/log/1.0.0/function.yaml",
        ),
        (
            "https://gitlab.com/group/sub/r",
            "https://gitlab.com/group/sub/r/-/raw/HEAD/functions/log/1.0.0/function.yaml",
        ),
        (
            "https://gitlab.com/g/r/-/tree/main/x",
            "https://gitlab.com/g/r/-/raw/main/x/functions/log/1.0.0/function.yaml",
        ),
        ("https://[", "https://["),
    ],
)
def test_the_place_of_a_function_in_a_catalog(root: str, uri: str) -> None:
    assert CatalogedFunction("log", "1.0.0", "c").uri(root) == uri


def test_a_name_leads_out_of_no_catalog() -> None:
    function = CatalogedFunction("../../secrets", "1?x#y", "c")
    uri = "https://c.test/functions/..%2F..%2Fsecrets/1%3Fx%23y/function.yaml"
    assert function.uri("https://c.test") == uri


@pytest.mark.parametrize(
    ("uri", "raw"),
    [
        ("https://c.test/f.yaml", "https://c.test/f.yaml"),
        ("https://c.test/folder", "https://c.test/folder"),
        (f"{RAW}/main/function.yaml", f"{RAW}/main/function.yaml"),
        ("https://github.com/o/r/blob/main/a/f.json", f"{RAW}/refs/heads/main/a/f.json"),
        ("https://github.com/o/r/raw/main/f.yml", f"{RAW}/refs/heads/main/f.yml"),
        ("https://www.github.com/o/r/tree/main/f", f"{RAW}/refs/heads/main/f/function.yaml"),
        ("https://github.com/o/r/validate@v1.0.0", f"{RAW}/v1.0.0/validate/function.yaml"),
        ("https://github.com/o/r/f.yaml@v1", f"{RAW}/v1/f.yaml"),
        ("https://github.com/o", "https://github.com/o"),
        (
            "https://git.test/g/r/-/blob/main/f.yaml",
            "https://git.test/g/r/-/raw/main/f.yaml",
        ),
        ("https://git.test/g/r/-/tree/v1", "https://git.test/g/r/-/raw/v1/function.yaml"),
        ("https://[/f.yaml", "https://[/f.yaml"),
    ],
)
def test_a_page_of_a_repository_stands_for_its_document(uri: str, raw: str) -> None:
    assert raw_uri(uri) == raw
