"""Which project `starling_project` names."""

import pytest

from app.project_setup import Apps, Models, Settings
from app.testing.project import Project, named_project


def test_a_project_is_named_by_its_module_and_its_three_classes() -> None:
    assert named_project("app.project_setup: Settings, Models, Apps") == Project(Settings, Models, Apps)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "write module:Settings,Models,Apps"),
        ("app.project_setup", "write module:Settings,Models,Apps"),
        ("app.project_setup:Settings,Models", "write module:Settings,Models,Apps"),
        ("no.such.module:Settings,Models,Apps", "names no.such.module, and No module named 'no'"),
        ("app.project_setup:Setings,Models,Apps", "Setings, which app.project_setup does not have"),
        ("app.project_setup:Models,Settings,Apps", "app.project_setup.Models is no SettingsCore"),
        ("app.project_setup:Settings,Iterable,Apps", "app.project_setup.Iterable is no ModelsCore"),
    ],
)
def test_what_names_no_project_fails_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=sentence):
        named_project(text)
