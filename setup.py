"""What pyproject.toml cannot say; everything else stands there.

It takes either packages to find or packages by name, and this project needs both: what is found under lstmadvisor/, and
the two folders that pyproject.toml maps into it as data.
"""

import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class BuildPy(build_py):
    """Starts from an empty folder. Otherwise a rule that an earlier build has left in build/ would be shipped again."""

    def run(self):
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    cmdclass={"build_py": BuildPy},
    packages=[
        *find_packages(include=["lstmadvisor", "lstmadvisor.*"]),
        "lstmadvisor._bundled.rules",
        "lstmadvisor._bundled.reports",
    ],
)
