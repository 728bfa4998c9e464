"""What was understood before is found again as long as nothing that it came from has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from lstmadvisor import facts
from lstmadvisor.cache import NAME, Cache, NotPlain, from_plain, to_plain
from lstmadvisor.cli import main
from lstmadvisor.extract import programs
from lstmadvisor.extract.programs import understand
from lstmadvisor.facts import Program
from lstmadvisor.sources import Library

MODEL = """\
import torch.nn as nn
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(1, size)
    def forward(self, x):
        return self.rnn(x)[0]
"""
TRAIN = """\
import torch
from model import Net
from sizes import SIZE
net = Net(SIZE)
optimizer = torch.optim.Adam(net.parameters())
for step in range(9):
    loss = net(torch.zeros(1, 1, 1)).sum()
    loss.backward()
    nn = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
"""
PROJECT = {"pyproject.toml": "", "model.py": MODEL, "train.py": TRAIN}

Counted = Callable[[], int]


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """How many programs were followed since it was asked last."""
    calls: list[Path] = []
    follow = programs.follow

    def counting(path: Path, library: Library) -> object:
        calls.append(path)
        return follow(path, library)

    monkeypatch.setattr(programs, "follow", counting)

    def since() -> int:
        count = len(calls)
        calls.clear()
        return count

    return since


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in PROJECT.items():
        write(tmp_path / name, text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    """Writes a file that has lain there for a while: of a young one, nothing is remembered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    write.clock -= 1  # type: ignore[attr-defined]
    os.utime(path, (write.clock, write.clock))  # type: ignore[attr-defined]


write.clock = int(time.time()) - 1000  # type: ignore[attr-defined]


def read(folder: Path) -> tuple[Program, ...]:
    cache = Cache(folder / NAME)
    found = understand([folder / "model.py", folder / "train.py"], Library(), cache)
    cache.close()
    return found


def units(found: tuple[Program, ...]) -> object:
    (program,) = found
    layers = facts.items(program.recurrent_layers)
    return facts.plain(layers[0].units)


def test_the_second_time_nothing_is_followed_and_the_facts_are_the_same(folder: Path, followed: Counted) -> None:
    first = read(folder)
    assert followed() > 0
    second = read(folder)
    assert followed() == 0
    assert second == first
    assert [program.model_dump_json() for program in second] == [program.model_dump_json() for program in first]


def test_a_file_that_an_import_did_not_find_appears(folder: Path, followed: Counted) -> None:
    assert units(read(folder)) is None
    write(folder / "sizes.py", "SIZE = 16\n")
    assert units(read(folder)) == 16


def test_a_file_that_was_imported_changes(folder: Path) -> None:
    write(folder / "sizes.py", "SIZE = 16\n")
    assert units(read(folder)) == 16
    write(folder / "sizes.py", "SIZE = 32\n")
    assert units(read(folder)) == 32


def test_touching_a_file_changes_nothing(folder: Path, followed: Counted) -> None:
    first = read(folder)
    followed()
    write(folder / "model.py", MODEL)
    assert read(folder) == first
    assert followed() == 0


def test_a_configuration_file_changes(folder: Path) -> None:
    write(folder / "sizes.py", "import json\nSIZE = json.load(open('sizes.json'))['size']\n")
    write(folder / "sizes.json", '{"size": 16}')
    assert units(read(folder)) == 16
    write(folder / "sizes.json", '{"size": 32}')
    assert units(read(folder)) == 32


@pytest.mark.parametrize("garbage", [b"", b"\0\xff", b"[]", b"{", b'{"is": "Program", "has": 3}', b"[" * 100_000, b"3"])
def test_what_is_broken_is_understood_anew_and_written_again(folder: Path, followed: Counted, garbage: bytes) -> None:
    first = read(folder)
    for kept in (folder / NAME).rglob("*.json"):
        kept.write_bytes(garbage)
    followed()
    assert read(folder) == first
    assert followed() > 0
    assert read(folder) == first
    assert followed() == 0


def test_two_runs_at_once(folder: Path) -> None:
    first = read(folder)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == first for found in pool.map(read, [folder] * 8))


def test_the_folder_says_what_it_is(folder: Path) -> None:
    read(folder)
    assert (folder / NAME / ".gitignore").read_text() == "*\n"
    assert (folder / NAME / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_where_it_cannot_be_written_nothing_is_kept(folder: Path) -> None:
    (folder / NAME).write_text("a file is in the way")
    assert len(read(folder)) == 1


def test_a_file_that_cannot_be_read_is_complained_of_every_time(folder: Path) -> None:
    write(folder / "train.py", "import torch\nnn = torch.nn.LSTM(1, 2\n")
    for _ in range(2):
        cache, library = Cache(folder / NAME), Library()
        understand([folder / "model.py", folder / "train.py"], library, cache)
        cache.close()
        assert [message.path for message in library.messages] == ["train.py"]


def test_models_come_back_as_they_were() -> None:
    fact = facts.Known(value=(1, [2.5, float("inf")], {"a": None, 3: (True,)}), at=facts.Place(path="a.py", line=3))
    models = {"Known": facts.Known, "Place": facts.Place}
    back = from_plain(to_plain(fact), models)
    assert back == fact
    assert type(back.value) is tuple
    with pytest.raises(NotPlain):
        to_plain(facts.Known(value={1, 2}))


def check(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.exit_code == 1, result.output
    return result.output


def test_check_keeps_a_cache_in_the_project_unless_told_otherwise(folder: Path, tmp_path_factory) -> None:
    plain = check("--no-cache", ".")
    assert not (folder / NAME).exists()
    elsewhere = tmp_path_factory.mktemp("cache")
    assert check("--cache-dir", str(elsewhere), ".") == plain
    assert list(elsewhere.glob("*/*.json"))
    assert not (folder / NAME).exists()
    assert check(".") == plain == check(".")
    assert (folder / NAME).is_dir()


def test_of_one_file_nothing_is_kept(folder: Path) -> None:
    check("train.py")
    assert not (folder / NAME).exists()


def test_several_processes_say_the_same_in_the_same_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_ENOUGH", 2)
    for name in ("b", "a", "c"):
        for file, text in PROJECT.items():
            write(folder / name / file, text)
    write(folder / "c" / "train.py", "import torch\nnn = torch.nn.LSTM(1, 2\n")
    runs = [check("--no-cache", "--jobs", jobs, "--format", "json", ".") for jobs in ("1", "4", "4")]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0].count('"code"') >= 3
