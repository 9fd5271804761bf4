"""The tag tree of a PDF as plain nodes, its tables, and how it is written into the file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pydyf

# Elements that hold other elements only: text needs a paragraph in them.
HOLDERS = frozenset(
    {"Document", "Sect", "Art", "BlockQuote", "L", "LI", "TOC", "TOCI", "Table", "THead", "TBody", "TR"}
)
# An empty cell is a cell all the same.
KEPT_EMPTY = frozenset({"TD", "TH", "TR"})


@dataclass(frozen=True)
class Content:
    """Marked content on a page."""

    page: int
    mcid: int


@dataclass(eq=False)
class Node:
    """A structure element: `element` is its HTML element, `links` are (page, annotation), `spans` columns and rows."""

    kind: str
    element: Any = None
    kids: "list[Node | Content]" = field(default_factory=list)
    links: list[tuple[int, Any]] = field(default_factory=list)
    entries: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    spans: tuple[int, int] = (1, 1)

    def nodes(self) -> "Iterator[Node]":
        """This node and all below, in reading order."""
        yield self
        for kid in self.kids:
            if isinstance(kid, Node):
                yield from kid.nodes()

    def children(self, *kinds: str) -> "Iterator[Node]":
        """The nodes of these kinds directly below."""
        return (kid for kid in self.kids if isinstance(kid, Node) and kid.kind in kinds)

    def page(self) -> int | None:
        """The page on which its first content stands."""
        for kid in self.kids:
            found = kid.page if isinstance(kid, Content) else kid.page()
            if found is not None:
                return found
        return self.links[0][0] if self.links else None


def prune(node: Node) -> bool:
    """Take out what has no content; True if this node may stay."""
    node.kids = [kid for kid in node.kids if isinstance(kid, Content) or prune(kid)]
    return bool(node.kids or node.links) or node.kind in KEPT_EMPTY


def head_tables(root: Node) -> dict[str, Node]:
    """Give header cells scope and id, data cells their headers. Returns the header cells by id."""
    headers: dict[str, Node] = {}
    for number, table in enumerate(node for node in root.nodes() if node.kind == "Table"):
        headers |= _head_table(table, number)
    return headers


def _head_table(table: Node, number: int) -> dict[str, Node]:
    rows = [row for group in table.children("THead", "TBody") for row in group.children("TR")]
    rows += table.children("TR")
    places = list(_places(rows))
    headers = {}
    for cell, row, column in places:
        if cell.kind == "TH":
            name = f"t{number}r{row}c{column}"
            headers[name] = cell
            cell.entries["ID"] = pydyf.String(name)
            scope = "Row" if cell.element is not None and cell.element.get("scope") == "row" else "Column"
            cell.attributes["Scope"] = f"/{scope}"
    for cell, row, column in places:
        if cell.kind == "TD":
            over = _headers_of(places, cell, row, column)
            cell.attributes["Headers"] = pydyf.Array(other.entries["ID"] for other in over)
    return headers


def _places(rows: list[Node]) -> Iterator[tuple[Node, int, int]]:
    """Each cell with the row and column in which it begins, spans counted."""
    taken: set[tuple[int, int]] = set()
    for row, node in enumerate(rows):
        column = 0
        for cell in node.children("TH", "TD"):
            while (row, column) in taken:
                column += 1
            columns, deep = cell.spans
            taken |= {(row + r, column + c) for r in range(deep) for c in range(columns)}
            yield cell, row, column


def _headers_of(places: list[tuple[Node, int, int]], cell: Node, row: int, column: int) -> Iterator[Node]:
    columns, _deep = cell.spans
    for other, other_row, other_column in places:
        if other.kind != "TH":
            continue
        if other.attributes["Scope"] == "/Row":
            if other_row <= row < other_row + other.spans[1]:
                yield other
        elif other_row < row and other_column < column + columns and column < other_column + other.spans[0]:
            yield other


def write(root: Node, pdf: Any, headers: dict[str, Node]) -> None:
    """Write the tree into the file: elements, parent tree, id tree."""
    writer = _Writer(pdf)
    top = writer.structure_root
    written = {node: writer.declare(node) for node in root.nodes()}
    parents = {kid: node for node in written for kid in node.kids if isinstance(kid, Node)}
    for node, dictionary in written.items():
        parent = parents.get(node)
        writer.fill(node, dictionary, written, top if parent is None else written[parent])
    top["K"] = pydyf.Array([written[root].reference])
    top["ParentTree"] = writer.parent_tree()
    if headers:
        top["IDTree"] = writer.id_tree(headers, written)
    pdf.catalog["StructTreeRoot"] = top.reference


class _Writer:
    def __init__(self, pdf: Any) -> None:
        self.pdf = pdf
        # pydyf makes this list anew at each look: quadratic in the number of pages.
        self.pages = pdf.page_references
        self.structure_root = self.add({"Type": "/StructTreeRoot"})
        self.contents: list[dict[int, bytes]] = [{} for _page in self.pages]
        self.annotations: list[bytes] = []

    def add(self, values: dict[str, Any]) -> Any:
        dictionary = pydyf.Dictionary(values)
        self.pdf.add_object(dictionary)
        return dictionary

    def declare(self, node: Node) -> Any:
        return self.add({"Type": "/StructElem", "S": f"/{node.kind}"})

    def fill(self, node: Node, dictionary: Any, written: dict[Node, Any], parent: Any) -> None:
        dictionary["P"] = parent.reference
        page = node.page()
        if page is not None:
            dictionary["Pg"] = self.pages[page]
        if node.attributes:
            owner = "List" if node.kind == "L" else "Layout" if node.kind == "Figure" else "Table"
            dictionary["A"] = pydyf.Dictionary({"O": f"/{owner}", **node.attributes})
        dictionary.update(node.entries)
        kids = [
            self.content(kid, page, dictionary) if isinstance(kid, Content) else written[kid].reference
            for kid in node.kids
        ]
        dictionary["K"] = pydyf.Array([*kids, *(self.link(*link, dictionary) for link in node.links)])

    def content(self, content: Content, page: int | None, owner: Any) -> Any:
        self.contents[content.page][content.mcid] = owner.reference
        if content.page == page:
            return content.mcid
        return pydyf.Dictionary({"Type": "/MCR", "Pg": self.pages[content.page], "MCID": content.mcid}).data

    def link(self, page: int, annotation: Any, owner: Any) -> bytes:
        annotation["StructParent"] = len(self.pages) + len(self.annotations)
        self.annotations.append(owner.reference)
        data: bytes = pydyf.Dictionary(
            {"Type": "/OBJR", "Obj": annotation.reference, "Pg": self.pages[page]}
        ).data
        return data

    def parent_tree(self) -> bytes:
        numbers: list[Any] = []
        for page, owners in enumerate(self.contents):
            numbers += [
                page,
                pydyf.Array(owners.get(mcid, b"null") for mcid in range(max(owners, default=-1) + 1)),
            ]
        for number, owner in enumerate(self.annotations, start=len(self.pages)):
            numbers += [number, owner]
        tree: bytes = self.add({"Nums": pydyf.Array(numbers)}).reference
        return tree

    def id_tree(self, headers: dict[str, Node], written: dict[Node, Any]) -> bytes:
        names: list[Any] = []
        for name in sorted(headers):
            names += [pydyf.String(name), written[headers[name]].reference]
        tree: bytes = self.add({"Names": pydyf.Array(names)}).reference
        return tree
