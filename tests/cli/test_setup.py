"""The command `doctor`; `init` and `new` are tested where their work is done."""

import json
from pathlib import Path

from pipeline.core.project import Project
from tests.support.command import catalog
from tests.support.project import add_episode


def test_doctor_prints_checks_and_exit_code(project: Project, tmp_path: Path) -> None:
    add_episode(project, "one")
    ran = catalog("doctor", "--json", cwd=project.root)
    checks = json.loads(ran.stdout)
    assert ran.returncode == int(any(check["finding"] == "missing" for check in checks))
    assert {"what", "finding", "found", "to_do"} == set(checks[0])
    nowhere = catalog("doctor", "--root", tmp_path / "nowhere")
    assert nowhere.returncode == 1
    assert "missing" in nowhere.stdout
    assert "catalog init" in nowhere.stdout
