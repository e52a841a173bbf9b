"""Loaders: functions generated for exactly the columns of one projection.

They contain nothing but calls and attribute stores in the order of the columns. Every name in them comes
from metadata, which admits identifiers only (fields/base.py)."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from orm.projection.tree import Node, columns_of

Loader = Callable[[Any], Any]


def compile_loader(root: Node, kind: str, extra: int) -> Loader:
    """The loader of one kind, for rows with `extra` columns behind those of the tree.

    "records" and "structs" give a list; "record groups" and "json groups" expect the id of a parent before
    the columns and give lists by that id."""
    make = _Loader(root)
    names = [*make.variables.values(), *(f"x{number}" for number in range(extra))]
    if kind == "structs":
        return make.compile(f"    return [{make.struct(root)} for {', '.join(names)}, in rows]")
    if kind == "json groups":
        value, lines = make.struct(root), []
    else:
        value, lines = "o", make.record(root, "o", "        ")
    if kind == "records":
        body = [f"    for {', '.join(names)}, in rows:", *lines, f"        add({value})"]
        return make.compile("    found = []", "    add = found.append", *body, "    return found")
    body = [f"    for parent, {', '.join(names)} in rows:", *lines]
    body += [
        "        group = found.get(parent)",
        "        if group is None:",
        "            group = found[parent] = []",
        f"        group.append({value})",
    ]
    return make.compile("    found = {}", *body, "    return found")


class _Loader:
    """The source of one function as it grows, and the objects that it refers to."""

    def __init__(self, root: Node) -> None:
        self.scope: dict[str, Any] = {"new": object.__new__}
        self.variables = {
            (node.alias, name): f"v{index}" for index, (node, name) in enumerate(columns_of(root))
        }

    def compile(self, *lines: str) -> Loader:
        source = "\n".join(["def load(rows):", *lines])
        exec(source, self.scope)  # noqa: S102 - see the module
        return cast("Loader", self.scope["load"])

    def record(self, node: Node, target: str, indent: str) -> list[str]:
        """Lines that make a record of the node's columns under the name `target`."""
        cls = f"C_{node.alias}"
        self.scope[cls] = node.meta.cls
        lines = [f"{indent}{target} = new({cls})"]
        for name in node.columns:
            slot = f"{target}.{node.meta.cls.__slot_of__[name]}"
            child = node.children.get(name)
            if child is None:
                lines.append(f"{indent}{slot} = {self._value(node, name, node.meta.decoders)}")
                continue
            inner = f"{target}_{name}"
            lines += [
                f"{indent}if {self.variables[child.alias, 'id']} is None:",
                # a null, or a row that the asker may not see: then only the id that stands in this row
                f"{indent}    {slot} = {self.variables[node.alias, name]}",
                f"{indent}else:",
                *self.record(child, inner, indent + "    "),
                f"{indent}    {slot} = {inner}",
            ]
        return lines

    def struct(self, node: Node) -> str:
        """An expression that makes a Struct of the node's columns; its to-many relations are filled in
        later."""
        cls = f"C_{node.alias}"
        fields: list[Any] = [(name, Any) for name in node.columns]
        fields += [(name, Any, ()) for name in node.branches]
        self.scope[cls] = msgspec.defstruct(node.meta.name, fields, gc=False)
        return f"{cls}({', '.join(self._member(node, name) for name in node.columns)})"

    def _member(self, node: Node, name: str) -> str:
        value = self._value(node, name, node.meta.json_decoders)
        child = node.children.get(name)
        if child is None:
            return value
        stub = f"S_{child.alias}"
        self.scope[stub] = msgspec.defstruct(child.meta.name, [("id", Any)], gc=False)
        absent = f"None if {value} is None else {stub}({value})"
        return f"({self.struct(child)} if {self.variables[child.alias, 'id']} is not None else {absent})"

    def _value(self, node: Node, name: str, decoders: Mapping[str, Callable[[Any], Any]]) -> str:
        variable = self.variables[node.alias, name]
        decoder = decoders.get(name)
        if decoder is None:
            return variable
        function = f"D_{node.alias}_{name}"
        self.scope[function] = decoder
        return f"(None if {variable} is None else {function}({variable}))"
