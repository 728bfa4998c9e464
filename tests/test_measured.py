"""Measured facts travel with a program, and cost nothing where there are none."""

import subprocess
import sys

from lstmadvisor.facts import UNSEEN, Program
from lstmadvisor.measured import Histogram, Probe, Profile, Series


def test_a_measured_program_survives_json():
    series = Series(name="loss", steps=(0, 1), values=(1.5, None))
    probe = Probe(
        status="step-limit",
        steps=2,
        series=(series,),
        profiles=(Profile(of="lstm", values=(1e-9, 0.1), reach=4.7),),
        histograms=(Histogram(name="gate-forget", of="lstm", edges=(0.0, 0.5, 1.0), counts=(1, 3), mean=0.6),),
    )
    program = Program(path="train.py", probe=probe)
    again = Program.model_validate_json(program.model_dump_json())
    assert again == program
    assert isinstance(again.probe, Probe)
    assert again.probe.of("loss") == series
    assert again.probe.of("clip-norm") is None


def test_a_program_without_probe_says_nothing_of_it():
    program = Program(path="train.py")
    assert "probe" not in program.model_dump()
    assert Program.model_validate_json(program.model_dump_json()).probe == UNSEEN


def test_facts_do_not_import_the_models_of_a_probe():
    code = "import sys, lstmadvisor.facts; print('lstmadvisor.measured' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
