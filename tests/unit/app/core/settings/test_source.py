from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from app.core.errors import SettingsError
from app.core.settings import Loaded, Section, read
from tests.unit.app.core.settings.samples import Bicycle, Engine


def load(environ: dict[str, str], env_file: Path | None = None) -> Loaded[Bicycle]:
    return read(Bicycle, environ, env_file=env_file)


def problems(environ: dict[str, str], env_file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(environ, env_file)
    return caught.value.problems


def test_nothing_given_is_all_defaults() -> None:
    loaded = load({})

    assert loaded.settings == Bicycle()
    assert set(loaded.origins.values()) == {"default"}


def test_the_environment_reaches_nested_fields_and_other_variables_are_none_of_ours() -> None:
    loaded = load({"ENGINE__POWER": "7", "DATA_DIR": "/x", "HOME": "/root", "OTHER__POWER": "x"})

    assert loaded.settings == Bicycle(engine=Engine(power=7), data_dir=Path("/x"))
    assert loaded.origins["ENGINE__POWER"] == "environment"


def test_the_env_file_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ENGINE__POWER=2\nENGINE__MODE=fast\n")

    loaded = load({"ENGINE__POWER": "7"}, file)

    assert loaded.settings.engine == Engine(power=7, mode="fast")
    assert (loaded.origins["ENGINE__POWER"], loaded.origins["ENGINE__MODE"]) == ("environment", ".env")


def test_an_env_file_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert load({}, tmp_path / ".env").settings == Bicycle()


def test_an_env_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("\ufeffENGINE__POWER=2\n".encode())

    assert load({}, file).settings.engine.power == 2


def test_an_env_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    latin = tmp_path / "latin.env"
    latin.write_bytes(b"ENGINE__MODE=\xff\n")

    assert problems({}, tmp_path) == (
        f"{tmp_path} cannot be read (is a directory): mend it, or take it away",
    )
    assert problems({}, latin) == (f"{latin} cannot be read (it is not UTF-8): mend it, or take it away",)


def test_a_malformed_line_of_the_env_file_is_a_problem_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ENGINE__POWER=2\nnonsense\n")

    assert problems({}, file) == (
        f"{file} line 2 is not NAME=value: check the name and the quotes, or start it with #",
    )


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"),
        ("s\r", "s\r"),
    ],
)
def test_a_secret_from_a_file_loses_one_newline(tmp_path: Path, content: str, value: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content.encode())

    loaded = load({"ENGINE__SECRET_FILE": str(file)})

    assert loaded.settings.engine.secret == value
    assert loaded.origins["ENGINE__SECRET"] == f"file {file}"


def test_a_secret_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    (absent,) = problems({"ENGINE__SECRET_FILE": str(tmp_path / "absent")})
    (undecodable,) = problems({"ENGINE__SECRET_FILE": str(binary)})

    assert absent.startswith("ENGINE__SECRET_FILE names ")
    assert "no such file or directory" in absent
    assert "it is not UTF-8" in undecodable


def test_an_empty_secret_file_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n")

    assert problems({"ENGINE__SECRET_FILE": str(file)}) == (
        "ENGINE__SECRET is empty: write some text, or leave the name out for the default",
    )


def test_a_value_and_a_file_for_it_contradict_each_other(tmp_path: Path) -> None:
    assert problems({"ENGINE__SECRET": "x", "ENGINE__SECRET_FILE": str(tmp_path)}) == (
        "ENGINE__SECRET and ENGINE__SECRET_FILE are both given: keep one of them",
    )


@pytest.mark.parametrize(
    ("environ", "written"),
    [
        ({"ENGINE__SECRET": "theirs"}, "ENGINE__SECRET_FILE=/nowhere\n"),
        ({"ENGINE__SECRET_FILE": "{file}"}, "ENGINE__SECRET=ours\n"),
    ],
)
def test_the_environment_wins_over_the_env_file_in_either_form(
    tmp_path: Path, environ: dict[str, str], written: str
) -> None:
    secret, env_file = tmp_path / "secret", tmp_path / ".env"
    secret.write_text("theirs")
    env_file.write_text(written)

    loaded = load({name: value.format(file=secret) for name, value in environ.items()}, env_file)

    assert loaded.settings.engine.secret == "theirs"


def test_every_problem_is_told_at_once() -> None:
    found = problems(
        {"ENGINE__POWER": "x", "ENGINE__MODE": "idle", "WHEEL__SIZE": "0", "WHEEL__COLOUR": "red"}
    )

    assert found == (
        "ENGINE__POWER is 'x': write a whole number from 1 to 9",
        "ENGINE__MODE is 'idle': write one of fast, slow",
        "WHEEL__SIZE is '0': write a whole number, 1 or more",
        "WHEEL__COLOUR (environment) is not a setting: take it out, or see `starling config show`",
    )


def test_what_contradicts_the_rest_is_told_beside_a_value_that_cannot_be_read() -> None:
    assert problems(
        {"ENGINE__MODE": "fast", "ENGINE__POWER": "1", "ENGINE__IS_LOUD": "x", "WHEEL__SIZE": "101"}
    ) == (
        "ENGINE__IS_LOUD is 'x': write true or false",
        "ENGINE__POWER is too little for ENGINE__MODE fast: raise it to 2",
        "WHEEL__SIZE is too large for ENGINE__MODE fast: choose slow",
    )


def test_the_error_shows_all_problems() -> None:
    with pytest.raises(SettingsError, match=r"(?s)settings are wrong:\n  ENGINE__POWER .*\n  WHEEL__SIZE "):
        load({"ENGINE__POWER": "x", "WHEEL__SIZE": "0"})


@pytest.mark.parametrize("name", ["ENGINE__POWR", "engine__power", "ENGINE__POWER_", "Engine__Power"])
def test_an_unknown_name_under_a_known_prefix_is_a_problem_with_a_suggestion(name: str) -> None:
    assert problems({name: "1"}) == (f"{name} (environment) is not a setting: did you mean ENGINE__POWER?",)


def test_an_unknown_name_in_the_env_file_is_told_with_its_origin(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ENGINE__SECRT=do-not-show-me\n")

    assert problems({}, file) == ("ENGINE__SECRT (.env) is not a setting: did you mean ENGINE__SECRET?",)


def test_fields_that_contradict_each_other_are_a_problem() -> None:
    assert problems({"ENGINE__MODE": "fast", "ENGINE__POWER": "1"}) == (
        "ENGINE__POWER is too little for ENGINE__MODE fast: raise it to 2",
    )


def test_sections_that_contradict_each_other_are_a_problem() -> None:
    assert problems({"ENGINE__MODE": "fast", "WHEEL__SIZE": "101"}) == (
        "WHEEL__SIZE is too large for ENGINE__MODE fast: choose slow",
    )


def test_a_required_setting_that_is_absent_is_a_problem() -> None:
    class Needy(Section, frozen=True, kw_only=True):
        size: Annotated[int, Meta(ge=1, description="In metres.")]

    with pytest.raises(SettingsError, match="SIZE is required: write a whole number, 1 or more"):
        read(Needy, {}, env_file=None)
