import pytest

from app.core.settings.dotenv import parse


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("export NAME=value", "value"),
        ("  NAME =  value  ", "value"),
        ("NAME=two words", "two words"),
        ("NAME=value # comment", "value"),
        ("NAME=value#not-a-comment", "value#not-a-comment"),
        ("NAME= # comment", ""),
        ("NAME=#value", "#value"),
        ("NAME=", ""),
        ("NAME='a # b  '", "a # b  "),
        (r"NAME='no \n escapes'", r"no \n escapes"),
        ("NAME='quoted' # comment", "quoted"),
        (r'NAME="line\nand \"quote\" \\ \$HOME"', 'line\nand "quote" \\ $HOME'),
        ("NAME=a=b", "a=b"),
        ("NAME=it's", "it's"),
        ("NAME=value\r", "value"),
    ],
)
def test_a_line_gives_its_value(line: str, value: str) -> None:
    parsed = parse(line)

    assert parsed.values == {"NAME": value}
    assert parsed.problems == []


def test_comments_and_blank_lines_are_skipped() -> None:
    parsed = parse("# a comment\n\n   \n  # another\nA=1\n")

    assert parsed.values == {"A": "1"}
    assert parsed.problems == []


@pytest.mark.parametrize(
    "line",
    [
        "HIDE",
        "1N=HIDE",
        "N M=HIDE",
        "N='HIDE",
        'N="HIDE',
        "N='HIDE'b",
        "N='HIDE' 'b'",
        "=HIDE",
        "export HIDE",
    ],
)
def test_a_malformed_line_is_a_problem_with_its_number_and_without_its_text(line: str) -> None:
    parsed = parse(f"A=1\n{line}\nB=2")

    assert parsed.values == {"A": "1", "B": "2"}
    assert len(parsed.problems) == 1
    assert parsed.problems[0].startswith("line 2 ")
    assert "HIDE" not in parsed.problems[0]


def test_a_name_given_twice_is_a_problem_that_names_both_lines() -> None:
    parsed = parse("A=1\nB=2\nA=3")

    assert parsed.values == {"A": "1", "B": "2"}
    assert parsed.problems == ["line 3 gives A again, after line 1: keep one of them"]


def test_an_unknown_escape_is_a_problem() -> None:
    parsed = parse(r'A="C:\path"')

    assert parsed.values == {}
    assert parsed.problems == ["line 1 has an unknown escape \\p: write a backslash as \\\\"]
