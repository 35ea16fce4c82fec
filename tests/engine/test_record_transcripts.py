"""The transcripts are those of the installed SDK, and can be made again from it."""

import json
import shutil

import pytest
from record_transcripts import HISTORIES, main


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(HISTORIES, tmp_path / "histories")


def test_the_installed_sdk_answers_as_recorded(capsys):
    assert main([]) == 0, capsys.readouterr().out


def test_another_answer_is_named_and_written_in_the_files_own_form(copy, capsys):
    orchestration, batch = copy / "orchestrator_exception.json", copy / "entities/null_input.json"
    before = {path: path.read_bytes() for path in copy.glob("**/*.json")}
    changed = json.loads(before[orchestration])
    changed["episodes"][0]["returned"]["isDone"] = True
    changed["episodes"][1] |= {"returned": {}, "raised": "other"}
    orchestration.write_text(json.dumps(changed))
    batch.write_text(json.dumps({**json.loads(before[batch]), "returned": None}))

    assert main([], copy) == 1
    assert capsys.readouterr().out.splitlines()[:3] == [
        "differs: entities/null_input.json: batch",
        "differs: orchestrator_exception.json: episode 0",
        "differs: orchestrator_exception.json: episode 1",
    ]
    assert main(["--write"], copy) == 0
    assert "written: entities/null_input.json: batch" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in copy.glob("**/*.json")} == before
