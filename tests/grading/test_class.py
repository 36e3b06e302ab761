"""A class from the list to the tables: variants drawn, answers by plain loops with planted slips, graded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from symconv.cli import application

sys.path.insert(0, str(Path(__file__).parent))
from made_up import HOMEWORK, SLIPS, Sheet, follow


def call(*arguments: object) -> Result:
    return CliRunner().invoke(application.commands, [str(argument) for argument in arguments])


def class_of(folder: Path, count: int, seed: int = 7) -> list[str]:
    """A class set for made-up students; their keys."""
    keys = [f"s{number:03}" for number in range(count)]
    (folder / "list.csv").write_text("id,name\n" + "".join(f"{key},Made Up {key}\n" for key in keys), "utf-8")
    done = call("exercise", HOMEWORK, "--seed", seed, "--students", folder / "list.csv", "-o", folder / "out")
    assert done.exit_code == 0, done.output
    return keys


def sheet_of(folder: Path, key: str) -> Sheet:
    form = folder / "out" / "sheets" / key / f"{key}.toml"
    return Sheet((folder / "out" / "keys" / key / "exercise.toml").read_text("utf-8"), form.read_text("utf-8"))


EVERY_SLIP = 8
"""So many students make every slip between them: six in question 2, two in question 3, and the others beside these."""


def plant(folder: Path, keys: list[str]) -> dict[tuple[str, str], str]:
    """Answers of all students, each with a slip in every item; by student and item the slip that is due."""
    (folder / "answers").mkdir(exist_ok=True)
    by_item: dict[str, list[str]] = {}
    for item, slip in SLIPS:
        by_item.setdefault(item, []).append(slip)
    planted = {}
    for number, key in enumerate(keys):
        sheet = sheet_of(folder, key)
        answers = sheet.right()
        chosen = {item: slips[number % len(slips)] for item, slips in by_item.items()}
        turn = number % EVERY_SLIP
        if turn < len(by_item["2"]):
            chosen["2"] = by_item["2"][turn]
            del chosen["3"]  # it works on with the wrong answer
        else:
            chosen["3"] = by_item["3"][turn - len(by_item["2"])]
            del chosen["2"]
        for item, slip in chosen.items():
            answers[item] = SLIPS[item, slip](sheet)
            planted[key, sheet.names.get(item, item)] = slip
        if "2" in chosen:
            answers = follow(sheet, answers)
        (folder / "answers" / f"{key}.toml").write_text(sheet.form(answers), "utf-8")
    return planted


def table(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    students = json.loads((folder / "feedback" / "table.json").read_text("utf-8"))["students"]
    return {(own["student"], answer["item"]): answer for own in students for answer in own["answers"]}


def grade(folder: Path) -> Result:
    done = call("grade", folder / "out", "--answers", folder / "answers", "-o", folder / "feedback")
    assert done.exit_code == 0, done.output
    return done


def check(folder: Path, planted: dict[tuple[str, str], str]) -> tuple[int, list[str]]:
    """How many planted slips are named first, and what else is not as it should be."""
    named, wrong = 0, []
    for place, answer in table(folder).items():
        if place in planted:
            named += answer["slip"] == planted[place]
            if answer["verdict"] in ("right", "consistent"):
                wrong.append(f"{place}: a slip that nobody saw")
        elif answer["points"] != answer["of"]:
            wrong.append(f"{place}: a right answer lost points: {answer}")
    return named, wrong


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


def test_every_slip_is_named_and_no_right_answer_loses_a_point(folder: Path) -> None:
    keys = class_of(folder, EVERY_SLIP)
    planted = plant(folder, keys)
    done = grade(folder)
    named, wrong = check(folder, planted)
    assert wrong == []
    assert named == len(planted) >= len(SLIPS)
    assert "Made Up" not in done.output  # names stay out of logs
    page = (folder / "feedback" / "pages" / "s000.html").read_text("utf-8")
    assert "this is the flipped convolution" in page
    assert "follows from your answer to 2" in page


def test_grading_again_changes_nothing_and_keeps_what_was_set_by_hand(folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / "feedback").rglob("*") if path.is_file()}
    grade(folder)
    assert {path: path.read_bytes() for path in before} == before
    path = folder / "feedback" / "table.csv"
    lines = path.read_text("utf-8").splitlines()
    cells = lines[2].split(",")
    cells[-2:] = ["3.5", "see me"]
    over = lines[3].split(",")
    over[5] = "1"  # written over the points themselves
    path.write_text("\n".join([*lines[:2], ",".join(cells), ",".join(over), *lines[4:]]) + "\n", "utf-8")
    for _ in range(2):
        grade(folder)
        kept = table(folder)
        assert (kept[cells[0], cells[2]]["set_points"], kept[cells[0], cells[2]]["remark"]) == (3.5, "see me")
        assert kept[over[0], over[2]]["set_points"] == 1
        assert "see me" in (folder / "feedback" / "pages" / f"{cells[0]}.html").read_text("utf-8")


def test_the_same_seed_gives_the_same_bytes_and_each_student_other_numbers(tmp_path: Path) -> None:
    def texts(key: str) -> dict[str, bytes]:
        places = (tmp_path / "out" / "keys" / key, tmp_path / "out" / "sheets" / key)
        return {path.name: path.read_bytes() for place in places for path in place.iterdir()}

    class_of(tmp_path, 1)
    first = texts("s000")
    class_of(tmp_path, 2)  # whoever comes later changes nothing for the others
    assert texts("s000") == first
    assert texts("s001")["exercise.toml"] != first["exercise.toml"]
    class_of(tmp_path, 1, seed=8)
    assert texts("s000")["exercise.toml"] != first["exercise.toml"]


def test_a_broken_file_stops_nobody_and_what_is_in_it_does_no_harm(tmp_path: Path) -> None:
    keys = class_of(tmp_path, 6)
    plant(tmp_path, keys)
    answers = tmp_path / "answers"
    (answers / "s000.toml").write_text("[answers\n", "utf-8")
    (answers / "s001.toml").write_bytes(b"\xff\xfe\x00")
    (answers / "s002.toml").write_text("[answers]\nx = " + "[" * 5000 + "]" * 5000, "utf-8")
    (answers / "s003.toml").write_text(
        '[answers]\n"2" = "<script>alert(1)</script>"\n"5" = "' + "9" * 999 + '"\n', "utf-8"
    )
    (answers / "s004.toml").write_text("x" * 300_000, "utf-8")
    (answers / "somebody.toml").write_text("[answers]\n", "utf-8")
    done = grade(tmp_path)
    assert "4 files to look at" in done.output
    assert "1 other files in the folder belong to nobody" in done.output
    found = table(tmp_path)
    assert {answer["verdict"] for (student, _), answer in found.items() if student == "s000"} == {"unreadable"}
    assert found["s005", "2"]["slip"] == "transposed"
    assert found["s003", "2"]["verdict"] == "unreadable"
    assert "<script>alert" not in (tmp_path / "feedback" / "pages" / "s003.html").read_text("utf-8")


def test_a_form_as_csv_is_read_as_well(tmp_path: Path) -> None:
    class_of(tmp_path, 1)
    sheet = sheet_of(tmp_path, "s000")
    (tmp_path / "answers").mkdir()
    rows = [f'{sheet.names.get(name, name)};;"{value if isinstance(value, str) else str(value)}"'
            for name, value in sheet.right().items() if name != "5"]  # fmt: skip
    (tmp_path / "answers" / "s000.csv").write_text(
        "item;asked;answer\n" + "\n".join(rows).replace("Fraction", ""), "utf-8"
    )
    grade(tmp_path)
    verdicts = {item: answer["verdict"] for (_, item), answer in table(tmp_path).items()}
    assert verdicts.pop("5") == "missing"
    assert verdicts.pop("6") == "unreadable"  # fractions of Python are none of the grammar
    assert set(verdicts.values()) == {"right"}


@pytest.mark.slow
def test_three_hundred_planted_slips(tmp_path: Path) -> None:
    keys = class_of(tmp_path, 56)
    planted = plant(tmp_path, keys)
    assert len(planted) >= 300
    grade(tmp_path)
    named, wrong = check(tmp_path, planted)
    assert wrong == []
    assert named >= 0.95 * len(planted)
