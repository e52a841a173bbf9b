import pytest
from starlette.applications import Starlette

from app.core.environment import Environment
from app.core.errors import StartError
from app.core.models import ModelsCore, declared_models
from app.core.service import AppsCore
from app.core.settings import SettingsCore
from orm import Char, DeclarationError, DotModel
from tests.support.module_folders import ModuleFolders


class Partner(DotModel):
    __table__ = "partners"
    name: str = Char(max_length=20, required=True)


class Category(DotModel):
    __table__ = "categories"
    name: str = Char(max_length=20, required=True)


class BaseModels(ModelsCore):
    partner = Partner


class Models(BaseModels):
    category = Category


class Apps(AppsCore):
    installed = ("vat",)


EXTENDING = """
    from app.core.service import App, Info
    from orm import Char, DotModel


    class WithVat(DotModel):
        vat: str | None = Char(max_length=14)


    class Vat(App):
        info = Info(name="vat", summary="Adds a field to partners.")
        extends = {"partners": [WithVat]}
"""


def test_models_are_listed_in_order_of_declaration_bases_first() -> None:
    assert declared_models(Models) == {"partner": Partner, "category": Category}
    assert declared_models(ModelsCore) == {}


@pytest.mark.parametrize("value", [42, "partners", ModelsCore, Partner.search])
def test_only_models_may_be_listed(value: object) -> None:
    with pytest.raises(StartError, match=r"Listed\.thing is not a model"):
        declared_models(type("Listed", (ModelsCore,), {"thing": value}))


async def test_the_composed_models_have_the_fields_that_modules_add(folders: ModuleFolders) -> None:
    folders.write("vat/app.py", EXTENDING)
    one, other = Environment(SettingsCore(), Models, Apps), Environment(SettingsCore(), Models, AppsCore)

    await one.setup_services()
    await other.setup_services()

    assert issubclass(one.models.partner, Partner)
    assert set(one.models.partner.__fields__) == {"id", "name", "vat"}
    assert set(other.models.partner.__fields__) == {"id", "name"}
    assert set(Partner.__fields__) == {"id", "name"}
    assert one.registry.names()["category"] is one.models.category


async def test_a_model_that_is_not_listed_is_named() -> None:
    env = Environment(SettingsCore(), Models, AppsCore)
    await env.setup_services()

    with pytest.raises(AttributeError, match="no model 'deal' in Models; there are: category, partner"):
        env.models.deal  # noqa: B018 - reading it is the test


async def test_models_that_contradict_each_other_stop_nothing_but_the_start() -> None:
    class Double(DotModel):
        __table__ = "partners"

    env = Environment(SettingsCore(), type("Doubled", (Models,), {"double": Double}), AppsCore)

    with pytest.raises(DeclarationError, match="partners"):
        await env.setup_services()
    await env.stop_services(Starlette())
