import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from app.embedded import temporal_binary
from app.embedded.temporal_binary import VERSION, Say, find_temporal, from_go, obtain
from app.failure import Failure
from tests.fixtures.http_service import HttpService


def program(path: Path, script: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return path


class FakeSource:
    """Brings a program after a moment, or a fault."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.asked = 0

    async def __call__(self, folder: Path, say: Say) -> Path:
        self.asked += 1
        await asyncio.sleep(0.1)
        if self.fault:
            raise Failure(self.fault)
        return program(folder / "temporal")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def say(said: list[str]) -> Callable[[str], None]:
    return said.append


async def test_the_one_named_by_the_setting_counts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    named = program(tmp_path / "named")
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "temporal").parent))
    assert await find_temporal(named=named, say=say) == named


async def test_the_one_on_path_counts_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    on_path = program(tmp_path / "bin" / "temporal")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert await find_temporal(named=None, say=say) == on_path


async def test_the_one_in_the_cache_counts_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached = program(tmp_path / "workflow-engine" / f"temporal-{VERSION}")
    assert await find_temporal(named=None, say=say) == cached


async def test_a_named_one_that_cannot_run_is_told(tmp_path: Path, say: Say) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(Failure, match=r"TEMPORAL_BINARY: .*/text isn't a program that can be run"):
        await find_temporal(named=tmp_path / "text", say=say)


async def test_sources_are_asked_in_turn_and_the_result_is_kept(tmp_path: Path, say: Say) -> None:
    sources = [FakeSource("no network"), FakeSource(), FakeSource()]
    kept = await obtain(tmp_path / "cache", sources=sources, say=say)
    assert await obtain(tmp_path / "cache", sources=sources, say=say) == kept
    assert [source.asked for source in sources] == [1, 1, 0]
    assert sorted(path.name for path in kept.parent.iterdir()) == [kept.name, f"{kept.name}.lock"]


async def test_two_that_ask_at_once_do_the_work_once(tmp_path: Path, say: Say) -> None:
    source = FakeSource()
    both = (obtain(tmp_path, sources=[source], say=say) for _ in range(2))
    first, second = await asyncio.gather(*both)
    assert first == second
    assert source.asked == 1


async def test_when_none_can_all_reasons_and_a_way_out_are_told(tmp_path: Path, say: Say) -> None:
    sources = [FakeSource("no network"), FakeSource("no Go")]
    with pytest.raises(Failure) as failure:
        await obtain(tmp_path, sources=sources, say=say)
    first, *rest = failure.value.message.splitlines()
    assert "TEMPORAL_BINARY" in first
    assert rest == ["  no network", "  no Go"]


async def test_go_builds_into_the_folder_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say, said: list[str]
) -> None:
    script = '#!/bin/sh\necho "$@"\n[ "$1" = install ] && echo built > "$GOBIN/temporal"\n'
    monkeypatch.setenv("PATH", f"{program(tmp_path / 'bin' / 'go', script).parent}:/usr/bin:/bin")
    built = await from_go(tmp_path, say)
    assert built.read_text() == "built\n"
    assert said == [
        "Building the Temporal development server from source (once, about three minutes)"
    ]


async def test_a_build_that_fails_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    script = "#!/bin/sh\necho no space left on device\nexit 1\n"
    go = program(tmp_path / "bin" / "go", script)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    with pytest.raises(Failure, match="failed with exit code 1: no space left on device"):
        await from_go(tmp_path, say)


async def test_a_site_that_does_not_answer_is_given_up_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setattr(temporal_binary, "_DOWNLOAD_SITE", "http://127.0.0.1:1/")
    with pytest.raises(Failure, match=r"the download site doesn't answer \(ConnectError\)"):
        await temporal_binary.from_sdk(tmp_path, say)


async def test_a_site_that_answers_lets_the_sdk_download(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    http_service: HttpService,
    say: Say,
    said: list[str],
) -> None:
    downloader = tmp_path / "downloader.py"
    downloader.write_text(
        "import pathlib, sys\n"
        "program = pathlib.Path(sys.argv[1], 'temporal-sdk')\n"
        "program.write_text('downloaded'); program.chmod(0o755)\n"
    )
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(temporal_binary, "_DOWNLOAD_SITE", http_service.url)
    monkeypatch.setattr(temporal_binary.sdk_download, "__file__", str(downloader))
    assert (await temporal_binary.from_sdk(folder, say)).read_text() == "downloaded"
    assert said == ["Downloading the Temporal development server (once)"]
    downloader.write_text("")
    (folder / "temporal-sdk").unlink()
    with pytest.raises(Failure, match="the SDK's download brought no program"):
        await temporal_binary.from_sdk(folder, say)
