"""From names of fields to a tree: the columns of a row, the rows that join it, the rows that hang on
it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orm.access import UNLIMITED, Grant
from orm.fields.relations import Many2oneField, ToManyField
from orm.filters.parse import BoundFilter, FilterLimits, Related, Shape, parse_filter
from orm.metadata import ModelMeta
from orm.ordering import Order, parse_order
from orm.refusals import hidden_field, unknown_field, wrong

if TYPE_CHECKING:
    from orm.projection.compiled import Projection

MAX_DEPTH: Final = 10
MAX_FIELDS: Final = 200
MAX_BRANCHES: Final = 20
"""To-many relations of one question: each costs a statement."""

_OPTIONS: Final = ("fields", "filter", "order", "limit", "nested")


@dataclass(slots=True)
class Node:
    """The columns wanted of one model, the to-one relations that more than the id is wanted of, and the
    to-many ones."""

    meta: ModelMeta
    alias: str
    grant: Grant
    columns: dict[str, None] = field(default_factory=lambda: {"id": None})
    children: "dict[str, Node]" = field(default_factory=dict)
    branches: "dict[str, Branch]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Join:
    """One LEFT JOIN: relation `name` of the row under `parent_alias` to the row of `target` under
    `alias`."""

    alias: str
    parent_alias: str
    name: str
    target: ModelMeta
    grant: Grant

    @property
    def rule(self) -> Shape | None:
        """What a row of `target` must pass to be seen."""
        return self.grant.rule.shape if self.grant.rule is not None else None


@dataclass(frozen=True, slots=True)
class Branch:
    """The rows of one to-many relation: which of them, in which order, how many for each parent (None:
    all).

    `only_ids`: no field of theirs was asked for, so that in JSON they are their ids.
    """

    field: ToManyField
    meta: ModelMeta
    grant: Grant
    projection: "Projection"
    filter: BoundFilter
    order: Order
    limit: int | None
    only_ids: bool


@dataclass(slots=True)
class _Wanted:
    """What is asked of one to-many relation, gathered from dotted fields and `nested`."""

    node: Node
    relation: ToManyField
    fields: list[tuple[str, str]] = field(default_factory=list)
    options: Mapping[str, Any] | None = None
    pointer: str = ""


class Planter:
    """Grows the tree of one question. `make` turns the tree of a branch into its projection."""

    def __init__(
        self, related: Related | None, limits: FilterLimits, make: Callable[[Node], "Projection"]
    ) -> None:
        self._related = related
        self._limits = limits
        self._make = make
        self._aliases = iter(range(1, MAX_FIELDS * MAX_DEPTH))
        self._branch_count = 0

    def grow(
        self,
        meta: ModelMeta,
        grant: Grant,
        fields: Iterable[tuple[str, str]] | None,
        nested: Mapping[str, Any],
        nested_pointer: str,
        depth: int = 0,
    ) -> Node:
        """The tree for `fields`, pairs of a path and the pointer to it; None: every stored field that may
        be read.

        Raises FilterError for an unknown name, AccessDenied for a hidden one.
        """
        root = Node(meta, "t", grant)
        wanted: dict[tuple[int, str], _Wanted] = {}
        if fields is None:
            root.columns |= dict.fromkeys(name for name in meta.columns if name not in grant.hidden)
        else:
            for path, pointer in fields:
                self._add(root, path, wanted, pointer)
        self._refine(root, nested, wanted, nested_pointer)
        for want in wanted.values():
            want.node.branches[want.relation.name] = self._branch(want, depth + 1)
        return root

    def _add(
        self, root: Node, path: Any, wanted: dict[tuple[int, str], _Wanted], pointer: str
    ) -> "_Wanted | None":
        """Put one path into the tree; what lies behind a to-many relation on it is gathered in `wanted`.

        Gives back what was gathered of the to-many relation that the path ends with, None when it ends
        with another field."""
        if not isinstance(path, str):
            raise wrong(pointer, "type", "a field is named by a text")
        names = path.split(".")
        if len(names) > MAX_DEPTH:
            raise wrong(pointer, "too_deep", f"{path!r} is longer than {MAX_DEPTH} fields")
        node = root
        for index, name in enumerate(names):
            if name not in node.meta.fields:
                raise unknown_field(node.meta, name, pointer)
            if name in node.grant.hidden:
                raise hidden_field(node.meta, name, pointer)
            relation = node.meta.fields[name]
            if isinstance(relation, ToManyField):
                want = wanted.setdefault((id(node), name), _Wanted(node, relation, pointer=pointer))
                if index + 1 == len(names):
                    return want
                want.fields.append((".".join(names[index + 1 :]), pointer))
                return None
            node.columns[name] = None
            if index + 1 < len(names):
                node = self._child(node, name, pointer)
        return None

    def _child(self, node: Node, name: str, pointer: str) -> Node:
        if not isinstance(node.meta.fields[name], Many2oneField):
            raise wrong(
                pointer,
                "not_a_relation",
                f"{node.meta.name}.{name} is no relation, nothing lies behind its dot",
            )
        if name not in node.children:
            target = node.meta.targets[name]
            node.children[name] = Node(target, f"t{next(self._aliases)}", self._grant(target))
        return node.children[name]

    def _grant(self, meta: ModelMeta) -> Grant:
        return self._related(meta, "read") if self._related is not None else UNLIMITED

    def _refine(
        self, root: Node, nested: Mapping[str, Any], wanted: dict[tuple[int, str], _Wanted], pointer: str
    ) -> None:
        if not isinstance(nested, Mapping):
            raise wrong(
                pointer, "type", 'nested is an object, as in {"messages": {"fields": ["body"], "limit": 20}}'
            )
        for path, options in nested.items():
            place = f"{pointer}/{path}"
            if not isinstance(options, Mapping):
                raise wrong(
                    place, "type", f"what is asked of a relation is an object of {', '.join(_OPTIONS)}"
                )
            for option in options:
                if option not in _OPTIONS:
                    raise wrong(f"{place}/{option}", "unknown_option", f"there are {', '.join(_OPTIONS)}")
            want = self._add(root, path, wanted, place)
            if want is not None:
                want.options, want.pointer = options, place
            elif (target := _target(root.meta, path, place)) is None:
                raise wrong(place, "not_a_relation", f"{path} is no relation: nothing lies behind it")
            elif options.keys() - {"fields"}:
                raise wrong(
                    place,
                    "not_a_relation",
                    f"{path} is no to-many relation, so that only its `fields` can be asked for; "
                    "what lies behind another to-many relation is refined in that one's own `nested`",
                )
            else:
                named = options.get("fields")
                if named is None:
                    named = self._stored(target)
                for index, name in enumerate(_list_of_fields(named, f"{place}/fields")):
                    self._add(root, f"{path}.{name}", wanted, f"{place}/fields/{index}")

    def _stored(self, meta: ModelMeta) -> list[str]:
        """What is meant where no fields of a relation are named: every stored one that may be read."""
        hidden = self._grant(meta).hidden
        return [name for name in meta.columns if name not in hidden]

    def _branch(self, want: _Wanted, depth: int) -> Branch:
        self._branch_count += 1
        if depth > MAX_DEPTH or self._branch_count > MAX_BRANCHES:
            raise wrong(
                want.pointer, "too_many", f"at most {MAX_BRANCHES} to-many relations, {MAX_DEPTH} deep"
            )
        options, place = want.options or {}, want.pointer
        meta = want.node.meta.targets[want.relation.name]
        grant = self._grant(meta)
        named = options.get("fields")
        if named is None and want.options is not None and not want.fields:
            named = self._stored(meta)
        fields = want.fields + [
            (name, f"{place}/fields/{index}")
            for index, name in enumerate(_list_of_fields(named, f"{place}/fields"))
        ]
        nested = options.get("nested", {})
        node = self.grow(meta, grant, fields, nested, f"{place}/nested", depth)
        return Branch(
            field=want.relation,
            meta=meta,
            grant=grant,
            projection=self._make(node),
            filter=parse_filter(
                meta,
                options.get("filter", ()),
                hidden=grant.hidden,
                related=self._related,
                limits=self._limits,
                pointer=f"{place}/filter",
            ),
            order=parse_order(meta, options.get("order"), hidden=grant.hidden, pointer=f"{place}/order"),
            limit=_limit(options.get("limit"), f"{place}/limit"),
            only_ids=not fields and not nested,
        )


def _target(meta: ModelMeta, path: str, pointer: str) -> ModelMeta | None:
    """The model that the relation at the end of a path points at; None where there is none."""
    for name in path.split("."):
        if name not in meta.fields:
            raise unknown_field(meta, name, pointer)
        if name not in meta.targets:
            return None
        meta = meta.targets[name]
    return meta


def _list_of_fields(fields: Any, pointer: str) -> Sequence[Any]:
    if fields is None:
        return ()
    if not isinstance(fields, list | tuple):
        raise wrong(pointer, "type", "fields is a list of names")
    if len(fields) > MAX_FIELDS:
        raise wrong(pointer, "too_many", f"at most {MAX_FIELDS} fields can be asked for at once")
    return fields


def _limit(limit: Any, pointer: str) -> int | None:
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit < 2**31:
        raise wrong(pointer, "type", "limit is a whole number, 1 or more")
    return limit


def fields_with_pointers(fields: Any, pointer: str) -> list[tuple[str, str]] | None:
    """Pairs of each path in `fields` and the pointer to it; None for None. Raises FilterError when it is
    no list."""
    if fields is None:
        return None
    return [(path, f"{pointer}/{index}") for index, path in enumerate(_list_of_fields(fields, pointer))]


def columns_of(node: Node) -> Iterator[tuple[Node, str]]:
    """Every column of the statement, a node's own first, then its children's, each with the node it
    belongs to."""
    for name in node.columns:
        yield node, name
    for child in node.children.values():
        yield from columns_of(child)


def joins_of(node: Node) -> Iterator[Join]:
    """Every join of the statement, a row before those that join it."""
    for name, child in node.children.items():
        yield Join(child.alias, node.alias, name, child.meta, child.grant)
        yield from joins_of(child)


def branches_of(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Branch]]:
    """Every branch, with the to-one relations that lead to the rows that it hangs on."""
    for branch in node.branches.values():
        yield path, branch
    for name, child in node.children.items():
        yield from branches_of(child, (*path, name))
