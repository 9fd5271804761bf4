"""A tag tree that reads well, in place of WeasyPrint's own.

WeasyPrint 70 tags what it draws, page by page: a table over three pages becomes three tables, repeated headers are
read again, page footers are content, a contents list is just a list. Here the tree follows the HTML elements, so a
table is one table. It relies on `weasyprint.pdf.add_tags`, `Stream._tags` and `box.link_annotation`, all private:
tests/kit/test_pdf_tags.py fails when they change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import pydyf
from weasyprint import pdf as engine
from weasyprint.formatting_structure import boxes
from weasyprint.layout.absolute import AbsolutePlaceholder

from . import pdf_tree
from .pdf_tree import HOLDERS, Content, Node

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {
    "section": "Sect", "article": "Art", "blockquote": "BlockQuote", "p": "P", "ul": "L", "ol": "L", "li": "LI",
    "table": "Table", "thead": "THead", "tbody": "TBody", "tr": "TR", "th": "TH", "td": "TD", "caption": "Caption",
    "a": "Link", **{f"h{level}": f"H{level}" for level in range(1, 7)},
}  # fmt: skip
NUMBERING = {"none": "None", "disc": "Disc", "circle": "Circle", "square": "Square", "decimal": "Decimal"}
PAGINATION = {"Type": "/Pagination"}
LAYOUT = {"Type": "/Layout"}
OUTLINE_FROM = 3


@contextmanager
def own_tags() -> Iterator[None]:
    """While this lasts, WeasyPrint's documents get our tag tree."""
    theirs = engine.add_tags
    engine.add_tags = add_tags
    try:
        yield
    finally:
        engine.add_tags = theirs


def add_tags(pdf: Any, document: Any, pdf_version: str, page_streams: list[Any]) -> None:
    """Put the tag tree of the document into the file; the same signature as WeasyPrint's function."""
    reader = _Reader()
    for number, (page, stream) in enumerate(zip(document.pages, page_streams, strict=True)):
        reader.read_page(number, page, stream)
    pdf_tree.prune(reader.root)
    headers = pdf_tree.head_tables(reader.root)
    for node in reader.root.nodes():
        if node.kind == "Link":
            _settle_link(node)
    _keep_annotations(pdf, reader.root)
    pdf_tree.write(reader.root, pdf, headers)
    _name_silent_glyphs(pdf)
    _compress_once(pdf)
    pdf.catalog["ViewerPreferences"] = pydyf.Dictionary({"DisplayDocTitle": "true"})
    pdf.catalog["MarkInfo"] = pydyf.Dictionary({"Marked": "true"})
    pdf.catalog["PageLabels"] = pydyf.Dictionary({"Nums": pydyf.Array([0, pydyf.Dictionary({"S": "/D"})])})
    if len(document.pages) >= OUTLINE_FROM and "Outlines" in pdf.catalog:
        pdf.catalog["PageMode"] = "/UseOutlines"


class _Reader:
    """Walks over the boxes of all pages; what belongs to one HTML element goes into one node."""

    def __init__(self) -> None:
        self.root = Node("Document")
        self.known: dict[tuple[Any, str], Node] = {}
        self.page = 0
        self.height = 0.0
        self.tags: dict[Any, Any] = {}
        self.artifacts: dict[int, dict[str, str]] = {}
        self.finished: set[Any] = set()

    def read_page(self, number: int, page: Any, stream: Any) -> None:
        self.page, self.height, self.tags, self.artifacts = number, page.height, stream._tags, {}
        self.finished = {element for element, tag in self.known if tag == "thead"}
        for child in page._page_box.children:
            if isinstance(child, boxes.MarginBox):
                self.silence(child, PAGINATION)
            else:
                self.read(child, self.root, None)
        # Nothing may be lost: what no box claims is read at the end of its page.
        for box in list(self.tags):
            self.leaf(box, self.root, box)
        _rewrite(stream, self.artifacts)

    def read(self, box: Any, node: Node, holder: Any) -> None:
        if isinstance(box, AbsolutePlaceholder):
            box = box._box
        element, tag = box.element, box.element_tag or ""
        if element is not None and element.get("aria-hidden") == "true":
            self.silence(box, LAYOUT)
        elif tag == "thead" and element in self.finished and getattr(box, "is_header", False):
            self.silence(box, PAGINATION)
        elif box in self.tags:
            self.leaf(box, node, holder)
        else:
            self.read_children(box, self.enter(box, element, tag, node), holder)

    def read_children(self, box: Any, node: Node, holder: Any) -> None:
        if box.link_annotation is not None:
            self.own(node).links.append((self.page, box.link_annotation))
        if isinstance(box, boxes.BlockContainerBox):
            holder = box.element
        for child in box.children:
            self.read(child, node, holder)

    def own(self, node: Node) -> Node:
        """The node that carries a link annotation: a link of its own where the box stands outside of one."""
        return node if node.kind == "Link" else self.child(node, (node, "link"), "Link", node.element)

    def enter(self, box: Any, element: Any, tag: str, node: Node) -> Node:
        kind = KINDS.get(tag)
        if tag == "li::marker":
            return self.marker(element, node)
        if kind is None:
            return self.inline(element, tag, node)
        if kind == "Link" and element.get("href") is None:
            return node
        if tag in {"ul", "ol"}:
            return self.list(box, element, tag, node)
        if tag == "li":
            return self.item(element, node)
        if kind == "Link" and node.kind == "TOCI":
            node = self.child(node, (element, "reference"), "Reference", element)
        node = self.child(node, (element, tag), kind, element)
        if kind in {"TH", "TD"} and isinstance(box, boxes.TableCellBox):
            self.cell(box, node)
        return node

    def inline(self, element: Any, tag: str, node: Node) -> Node:
        """Elements without a tag of their own, except where they say a language or what a short word means."""
        language = element.get("lang") if element is not None else None
        meaning = element.get("title") if tag == "abbr" else None
        if tag in {"", "html", "body"} or "::" in tag or not (language or meaning):
            return node
        node = self.child(node, (element, tag), "Span", element)
        if language:
            node.entries["Lang"] = pydyf.String(language)
        if meaning:
            node.entries["E"] = pydyf.String(meaning)
        return node

    def list(self, box: Any, element: Any, tag: str, node: Node) -> Node:
        if element.get("role") == "doc-toc":
            return self.child(node, (element, tag), "TOC", element)
        node = self.child(node, (element, tag), "L", element)
        style = str(box.style["list_style_type"])
        node.attributes["ListNumbering"] = f"/{NUMBERING.get(style, 'Disc')}"
        return node

    def item(self, element: Any, node: Node) -> Node:
        known = self.known.get((element, "body"))
        if known is not None:
            return known
        if node.kind == "TOC":
            node = self.child(node, (element, "li"), "TOCI", element)
            self.known[element, "body"] = node
            return node
        return self.child(
            self.child(node, (element, "li"), "LI", element), (element, "body"), "LBody", element
        )

    def marker(self, element: Any, node: Node) -> Node:
        item = self.known.get((element, "li"))
        if item is None:
            return node
        label = self.child(item, (element, "marker"), "Lbl", element)
        item.kids.sort(key=lambda kid: kid is not label)
        return label

    def cell(self, box: Any, node: Node) -> None:
        node.spans = (box.colspan, box.rowspan)
        for name, number in (("ColSpan", box.colspan), ("RowSpan", box.rowspan)):
            if number != 1:
                node.attributes[name] = number

    def child(self, parent: Node, key: tuple[Any, str], kind: str, element: Any) -> Node:
        node = self.known.get(key)
        if node is None:
            node = self.known[key] = Node(kind, element)
            parent.kids.append(node)
        return node

    def leaf(self, box: Any, node: Node, holder: Any) -> None:
        if isinstance(box, boxes.ReplacedBox):
            return self.figure(box, node)
        if node.kind in HOLDERS:
            if not getattr(box, "text", "").strip():
                return self.silence(box, LAYOUT)
            node = self.child(node, (holder, "paragraph"), "P", None)
        return node.kids.append(self.claim(box))

    def claim(self, box: Any) -> Content:
        return Content(self.page, self.tags.pop(box)["mcid"])

    def figure(self, box: Any, node: Node) -> None:
        figure = self.child(node, (box.element, "figure"), "Figure", box.element)
        title = box.element.find(f"{SVG}title")
        words = box.element.get("alt") if title is None else title.text
        figure.entries["Alt"] = pydyf.String(" ".join((words or "").split()))
        left, top = box.content_box_x(), box.content_box_y()
        corners = (left, self.height - top - box.height, left + box.width, self.height - top)
        figure.attributes["BBox"] = pydyf.Array(round(number * 0.75, 2) for number in corners)
        figure.kids.append(self.claim(box))

    def silence(self, box: Any, kind: dict[str, str]) -> None:
        """Everything in the box is furniture: drawn, not read."""
        if isinstance(box, AbsolutePlaceholder):
            box = box._box
        tag = self.tags.pop(box, None)
        if tag is not None:
            self.artifacts[tag["mcid"]] = kind
        for child in getattr(box, "children", ()):
            self.silence(child, kind)


def _rewrite(stream: Any, artifacts: dict[int, dict[str, str]]) -> None:
    for index, item in enumerate(stream.stream):
        if isinstance(item, pydyf.Dictionary) and item.get("MCID") in artifacts:
            stream.stream[index - 1] = "/Artifact"
            stream.stream[index] = pydyf.Dictionary(artifacts[item["MCID"]])


def _name_silent_glyphs(pdf: Any) -> None:
    """Give the dots of Arabic letters, glyphs of their own without a text, a text that nobody sees: the word joiner."""
    for item in pdf.objects:
        if isinstance(item, pydyf.Stream) and b"begincmap" in item.stream:
            item.stream = [
                line.replace(b"> <>", b"> <2060>") if isinstance(line, bytes) else line
                for line in item.stream
            ]


class _Once(pydyf.Stream):
    """A stream that is packed at the first look only: pydyf looks twice where a file has an identifier.

    Packed data that happens to end in CR is followed by pydyf's LF, and the two could be read as one line end, so it gets
    an LF of its own: readers stop at the end of the packed data.
    """

    @property
    def data(self) -> bytes:
        if "written" not in self.__dict__:
            self.__dict__["written"] = self._write()
        written: bytes = self.__dict__["written"]
        return written

    def _write(self) -> bytes:
        written: bytes = super().data
        if not written.endswith(b"\r\nendstream"):
            return written
        head, packed = written.split(b"\nstream\n", 1)
        head, _length = head.rsplit(b"/Length ", 1)
        packed = packed.removesuffix(b"\nendstream") + b"\n"
        return b"%s/Length %d>>\nstream\n%s\nendstream" % (head, len(packed), packed)


def _compress_once(pdf: Any) -> None:
    for item in pdf.objects:
        if isinstance(item, pydyf.Stream):
            item.__class__ = _Once


def _settle_link(link: Node) -> None:
    """One annotation per line instead of several on top of each other, and words instead of an address."""
    links = []
    for page, group in groupby(link.links, key=lambda pair: pair[0]):
        annotations = [annotation for _page, annotation in group]
        links += [
            (page, one)
            for one in annotations
            if not any(_covers(other, one) for other in annotations if other is not one)
        ]
    link.links = links
    words = " ".join("".join(link.element.itertext()).split())
    target = link.element.get("href") or ""
    said = (
        words if target.startswith("#") or target.removeprefix("mailto:") == words else f"{words} ({target})"
    )
    for _page, annotation in links:
        annotation["Contents"] = pydyf.String(said)


def _covers(outer: Any, inner: Any) -> bool:
    a, b = outer["Rect"], inner["Rect"]
    inside = (
        a[0] <= b[0]
        and a[2] >= b[2]
        and max(a[1], a[3]) >= max(b[1], b[3])
        and min(a[1], a[3]) <= min(b[1], b[3])
    )
    # Of two equal ones the first stays.
    return inside and (list(a) != list(b) or outer.number < inner.number)


def _keep_annotations(pdf: Any, root: Node) -> None:
    kept = {annotation.reference for node in root.nodes() for _page, annotation in node.links}
    for number in pdf.pages["Kids"][::3]:
        page = pdf.objects[number]
        if "Annots" in page:
            page["Annots"] = pydyf.Array(reference for reference in page["Annots"] if reference in kept)
