"""What the wheel holds, where an installation finds its rules, and that it audits."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from lstmadvisor import _where

ROOT = Path(__file__).parents[1]
# The folders of this repository that are shipped, and where they lie in the wheel.
SHIPPED = {
    "lstmadvisor": "lstmadvisor",
    "rules": "lstmadvisor/_bundled/rules",
    "reports": "lstmadvisor/_bundled/reports",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the wheel from a copy of the sources, in which an earlier build has left a rule that is gone since."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in SHIPPED:
        shutil.copytree(ROOT / name, source / name)
    left_behind = source / "build" / "lib" / "lstmadvisor" / "_bundled" / "rules" / "gone.py"
    left_behind.parent.mkdir(parents=True)
    left_behind.touch()
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installs the wheel in a fresh environment that borrows the dependencies, and nothing else, from this one."""
    folder = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    pip("--python", executable(folder, "python"), "install", "--no-deps", wheel)
    # This environment's own .pth files, the one of an editable installation among them, are not read through a .pth.
    (site_packages(folder) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def test_wheel_holds_every_file_of_the_repository(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"{place}/{path.relative_to(ROOT / name).as_posix()}"
        for name, place in SHIPPED.items()
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == expected
    assert any(name.startswith("lstmadvisor/_bundled/rules/") and name.count("/") > 3 for name in held)


def test_installation_finds_its_own_folders(environment: Path, tmp_path: Path) -> None:
    (site_packages(environment) / "rules").mkdir(exist_ok=True)  # as another distribution might
    program = "from lstmadvisor._where import shipped; print(shipped('rules')); print(shipped('reports'))"
    lines = run([executable(environment, "python"), "-c", program], folder=tmp_path).stdout.splitlines()
    bundled = site_packages(environment).resolve() / "lstmadvisor" / "_bundled"
    assert [Path(line) for line in lines] == [bundled / "rules", bundled / "reports"]


def test_installation_audits_an_example(environment: Path, tmp_path: Path) -> None:
    example = shutil.copytree(ROOT / "examples" / "sunspots", tmp_path / "sunspots")
    audit = [executable(environment, "lstmadvisor"), "audit", "--format", "json"]
    review = run([*audit, "train.py"], folder=example, exit_code=1)
    report = json.loads(review.stdout)
    assert report["schema"] == "lstmadvisor/report/1"
    found = {finding["rule"]: finding for finding in report["findings"]}
    lines = (example / "train.py").read_text(encoding="utf-8").splitlines()
    for name, fragment in {
        "clip-after-step": "clip_grad_norm_(",
        "dropout-does-nothing": "dropout=0.2",
        "scaler-fitted-before-split": "fit_transform(",
    }.items():
        assert fragment in lines[found[name]["line"] - 1]
    run([*audit, "train_clean.py", "--html", "report.html"], folder=example, exit_code=0)
    assert 'id="scorecard"' in (example / "report.html").read_text(encoding="utf-8")


def test_checkout_finds_its_own_folders() -> None:
    assert _where.shipped("rules").samefile(ROOT / "rules")
    assert _where.shipped("reports").samefile(ROOT / "reports")


@pytest.mark.parametrize("project", [None, "other"])
def test_folder_of_another_distribution_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: str | None
) -> None:
    (tmp_path / "lstmadvisor").mkdir()
    (tmp_path / "rules").mkdir()
    if project:
        (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{project}"\n', encoding="utf-8")
    monkeypatch.setattr(_where, "__file__", str(tmp_path / "lstmadvisor" / "_where.py"))
    with pytest.raises(FileNotFoundError, match="'rules'"):
        _where.shipped("rules")


def pip(*arguments: str | Path) -> None:
    run([sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *arguments])


def run(
    command: list[str | Path], *, folder: Path | None = None, exit_code: int = 0
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    completed = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert completed.returncode == exit_code, completed.stdout + completed.stderr
    return completed


def executable(environment: Path, name: str) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / name


def site_packages(environment: Path) -> Path:
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(run([executable(environment, "python"), "-c", program]).stdout.strip())
