import pytest

from app.core.errors import ModuleStartError, StartError
from app.core.modules import load_manifests, load_routers
from app.core.service import Service
from tests.support.module_folders import ModuleFolders


def test_manifests_are_found_by_the_name_of_their_folder(folders: ModuleFolders) -> None:
    folders.write(
        "shop/crm/app.py",
        'from app.core.service import *\n\nclass Crm(App):\n    info = Info(name="crm", summary="")\n',
    )

    manifests = load_manifests([folders.service("base_thing"), "shop.crm"])

    assert list(manifests) == ["base_thing", "crm"]
    assert issubclass(manifests["base_thing"], Service)
    assert manifests["crm"].info.name == "crm"


def test_classes_that_a_manifest_imports_or_leaves_abstract_are_not_its_own(folders: ModuleFolders) -> None:
    folders.write(
        "crm/app.py",
        """
        from app.core.service import App, Info, Service


        class Half(Service):
            async def startup(self, app):
                pass


        class Crm(Half):
            info = Info(name="crm", summary="")

            async def shutdown(self, app):
                pass
        """,
    )

    assert load_manifests(["crm"])["crm"].__name__ == "Crm"


@pytest.mark.parametrize("package", ["nowhere_at_all", "nowhere_at_all.crm", "services.nowhere_at_all"])
def test_a_package_that_is_not_there_is_named(package: str) -> None:
    with pytest.raises(StartError) as caught:
        load_manifests([package])

    assert (
        str(caught.value)
        == f"Apps.installed names {package}, and there is no such package: check the spelling"
    )


def test_a_package_without_a_manifest_is_named(folders: ModuleFolders) -> None:
    folders.write("bare/models/deal.py")

    with pytest.raises(StartError, match=r"module bare has no app\.py: add bare/app\.py"):
        load_manifests(["bare"])


@pytest.mark.parametrize("file", ["needy/__init__.py", "needy/app.py"])
def test_a_library_that_a_module_misses_is_not_mistaken_for_the_module(
    folders: ModuleFolders, file: str
) -> None:
    folders.app("needy")
    folders.write(file, "\nimport a_library_that_is_not_there\n")

    with pytest.raises(ModuleStartError) as caught:
        load_manifests(["needy"])

    assert (caught.value.module, caught.value.phase) == ("needy", "setup_services")
    assert "No module named 'a_library_that_is_not_there'" in str(caught.value)
    assert f"{file}, line 2" in str(caught.value)


def test_a_module_that_does_not_parse_is_named_with_file_and_line(folders: ModuleFolders) -> None:
    folders.write("broken/app.py", "x = 1\ny = (\n")

    with pytest.raises(ModuleStartError, match=r"module broken .*SyntaxError: .*broken/app\.py, line 2"):
        load_manifests(["broken"])


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", r"twins/app\.py must have exactly one class derived from App or Service; it has none"),
        (
            "from app.core.service import App\nclass A(App):\n    pass\nclass B(App):\n    pass\n",
            "must have exactly one class derived from App or Service; it has A, B",
        ),
        (
            "from app.core.service import App\nclass A(App):\n    pass\n",
            r"A in twins/app\.py has no info: add `info = Info\(name='twins', \.\.\.\)`",
        ),
        (
            "from app.core.service import *\nclass A(App):\n    info = Info(name='other', summary='')\n",
            "module twins calls itself other in its info: folder and name must be the same word",
        ),
    ],
)
def test_a_manifest_of_another_form_is_refused(folders: ModuleFolders, source: str, sentence: str) -> None:
    folders.write("twins/app.py", source)

    with pytest.raises(StartError, match=sentence):
        load_manifests(["twins"])


def test_two_modules_of_one_name_are_refused(folders: ModuleFolders) -> None:
    folders.app("crm")

    with pytest.raises(StartError, match=r"two modules called crm \(crm and shop\.crm\)"):
        load_manifests(["crm", "shop.crm"])


def test_routers_come_by_file_name_and_the_public_one_first(folders: ModuleFolders) -> None:
    folders.write("crm/routers/offers.py", "router_private = 'offers private'")
    folders.write("crm/routers/deals.py", "router_private = 'deals private'\nrouter_public = 'deals public'")
    folders.write("crm/routers/shared.py", "something = 1")

    found = [(router.source, router.router, router.is_private) for router in load_routers("crm", "crm")]

    assert found == [
        ("crm.routers.deals", "deals public", False),
        ("crm.routers.deals", "deals private", True),
        ("crm.routers.offers", "offers private", True),
    ]


def test_a_module_without_routers_has_none(folders: ModuleFolders) -> None:
    assert list(load_routers(folders.app("crm"), "crm")) == []


def test_a_router_file_that_misses_a_library_is_named(folders: ModuleFolders) -> None:
    folders.write("crm/routers/deals.py", "import a_library_that_is_not_there")

    with pytest.raises(ModuleStartError, match="module crm failed in load_routers: ModuleNotFoundError"):
        list(load_routers("crm", "crm"))
