"""The tag tree: what a screen reader is told."""

import pikepdf
import pytest

from conference.kit.pdf import render
from tests.kit.pdf_pages import FRAME, elements, failures, kinds, opened, read_aloud

ROWS = 200
LONG_TABLE = (
    "<h1>Liste</h1><table><thead><tr><th scope='col'>Name</th><th scope='col'>Ort</th></tr></thead><tbody>"
    + "".join(f"<tr><th scope='row'>Person {row}</th><td>Ort {row}</td></tr>" for row in range(ROWS))
    + "</tbody></table>"
)
CONTENTS = (
    "<nav><ol role='doc-toc'><li><a href='#eins'>Eins</a></li><li><a href='#zwei'>Zwei</a></li></ol></nav>"
    "<h1 id='eins'>Eins</h1><p>Text mit <a href='https://x.example/a'>einem <strong>langen</strong> Verweis</a>.</p>"
    "<h2 id='zwei'>Zwei</h2><p>Schreiben Sie an <a href='mailto:kim@x.example'>kim@x.example</a>.</p>"
)


@pytest.fixture(scope="module")
def long_table() -> bytes:
    return render(FRAME % LONG_TABLE)


@pytest.fixture(scope="module")
def contents() -> bytes:
    return render(FRAME % CONTENTS)


def test_a_table_over_several_pages_stays_one_table(long_table):
    assert len(opened(long_table).pages) > 3
    found = kinds(long_table)
    assert [found.count(kind) for kind in ("Table", "THead", "TBody", "TR", "TH", "TD")] == [
        1,
        1,
        1,
        201,
        202,
        200,
    ]
    assert failures(long_table) == []


def test_repeated_headers_are_drawn_on_each_page_but_read_once(long_table):
    assert read_aloud(long_table).count("Ort") == 1
    for page in opened(long_table).pages:
        drawn = pikepdf.parse_content_stream(page)
        furniture = [
            operands
            for operands, operator in drawn
            if str(operator) == "BDC" and str(operands[0]) == "/Artifact"
        ]
        assert len(furniture) >= (0 if page.index == 0 else 2)


def test_each_header_cell_has_a_scope_and_each_data_cell_its_headers(long_table):
    scopes = [str(cell.A.Scope) for cell in elements(long_table, "TH")]
    assert scopes == ["/Column", "/Column"] + ["/Row"] * ROWS
    names = {str(cell.ID) for cell in elements(long_table, "TH")}
    assert all({str(name) for name in cell.A.Headers} <= names for cell in elements(long_table, "TD"))
    assert [str(name) for name in elements(long_table, "TD")[9].A.Headers] == ["t0r0c1", "t0r10c0"]


def test_header_ids_lead_to_their_cells(long_table):
    names = list(opened(long_table).Root.StructTreeRoot.IDTree.Names)
    assert [str(name) for name in names[::2]] == sorted(str(cell.ID) for cell in elements(long_table, "TH"))
    assert all(str(cell.ID) == str(name) for name, cell in zip(names[::2], names[1::2], strict=True))


def test_cells_over_several_columns_and_rows_get_the_right_headers():
    pdf = render(
        FRAME % "<h1>T</h1><table><thead><tr><th>A</th><th>B</th><th>C</th></tr></thead><tbody>"
        "<tr><th scope='row' rowspan='2'>x</th><td colspan='2'>beide</td></tr><tr><td>b</td><td>c</td></tr></tbody></table>"
    )
    headers = [[str(name) for name in cell.A.Headers] for cell in elements(pdf, "TD")]
    assert headers == [["t0r0c1", "t0r0c2", "t0r1c0"], ["t0r0c1", "t0r1c0"], ["t0r0c2", "t0r1c0"]]
    assert failures(pdf) == []


def test_empty_cells_are_cells():
    pdf = render(
        FRAME
        % "<h1>T</h1><table><thead><tr><th>A</th><th></th></tr></thead><tbody><tr><td></td><td></td></tr></tbody></table>"
    )
    assert kinds(pdf) == ["Document", "H1", "Table", "THead", "TR", "TH", "TH", "TBody", "TR", "TD", "TD"]


def test_contents_are_a_contents_list(contents):
    assert kinds(contents)[:10] == [
        "Document", "TOC", "TOCI", "Lbl", "Reference", "Link", "TOCI", "Lbl", "Reference", "Link",
    ]  # fmt: skip
    assert failures(contents) == []


def test_a_link_is_one_stop_and_says_its_words(contents):
    annotations = [str(one.Contents) for page in opened(contents).pages for one in page.Annots]
    assert annotations == ["Eins", "Zwei", "einem langen Verweis (https://x.example/a)", "kim@x.example"]


def test_each_link_annotation_belongs_to_its_element(contents):
    pdf = opened(contents)
    numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
    owners = {int(number): owner for number, owner in zip(numbers[::2], numbers[1::2], strict=True)}
    annotations = [one for page in pdf.pages for one in page.Annots]
    assert [str(owners[int(one.StructParent)].S) for one in annotations] == ["/Link"] * 4


def test_a_link_over_two_lines_has_one_annotation_for_each():
    pdf = render(FRAME % f"<h1>T</h1><p>Lies <a href='https://x.example'>{'sehr ' * 30}viel</a></p>")
    assert len(opened(pdf).pages[0].Annots) == 2
    assert kinds(pdf).count("Link") == 1


def test_a_paragraph_over_two_pages_is_one_paragraph():
    pdf = render(FRAME % f"<h1>T</h1><p>{'Wort ' * 3000}</p>")
    assert len(opened(pdf).pages) > 1
    assert kinds(pdf) == ["Document", "H1", "P"]
    assert failures(pdf) == []


def test_lists_say_how_they_are_counted_and_keep_their_marks():
    pdf = render(FRAME % "<h1>T</h1><ol><li>eins</li><li>zwei<ul><li>innen</li></ul></li></ol>")
    assert [str(one.A.ListNumbering) for one in elements(pdf, "L")] == ["/Decimal", "/Circle"]
    assert kinds(pdf)[2:] == ["L", "LI", "Lbl", "LBody", "LI", "Lbl", "LBody", "L", "LI", "Lbl", "LBody"]
    assert failures(pdf) == []


def test_loose_list_items_and_text_without_paragraph_are_mended():
    pdf = render(
        FRAME % "<h1>T</h1><div>los</div><ul><li><p>a</p><p>b</p></li></ul><blockquote>Zitat</blockquote>"
    )
    assert kinds(pdf) == ["Document", "H1", "P", "L", "LI", "Lbl", "LBody", "P", "P", "BlockQuote", "P"]
    assert failures(pdf) == []


def test_a_drawing_has_words_and_a_place_on_the_page():
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='100'><title>A: 3;\n B: 5.</title><rect width='9' height='9'/></svg>"
    pdf = render(FRAME % f"<h1>T</h1><p>{drawing}</p>")
    [figure] = elements(pdf, "Figure")
    box = [float(number) for number in figure.A.BBox]
    assert str(figure.Alt) == "A: 3; B: 5."
    assert (round(box[2] - box[0]), round(box[3] - box[1])) == (150, 75)
    assert 0 < box[0] < box[2] < 595 and 0 < box[1] < box[3] < 842
    assert failures(pdf) == []


def test_decoration_is_not_read():
    drawing = "<svg aria-hidden='true' xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    pdf = render(FRAME % f"<h1>T</h1>{drawing}<p>da<span aria-hidden='true'>still</span></p>")
    assert kinds(pdf) == ["Document", "H1", "P"]
    assert read_aloud(pdf) == ["T", "da"]
    assert failures(pdf) == []


def test_page_furniture_is_silent():
    css = "@page { @top-left { content: 'Kopf' } @bottom-right { content: 'Seite ' counter(page) ' von ' counter(pages) } }"
    pdf = render(FRAME % f"<h1>T</h1><p>{'Wort ' * 3000}</p>", stylesheets=[css])
    assert set(" ".join(read_aloud(pdf)).split()) == {"T", "Wort"}
    assert failures(pdf) == []


def test_empty_elements_leave_no_trace():
    pdf = render(
        FRAME % "<h1>T</h1><p> </p><section><h2></h2><ul></ul></section><div><div></div></div><p>x</p>"
    )
    assert kinds(pdf) == ["Document", "H1", "P"]


def test_other_languages_and_abbreviations_are_announced():
    pdf = render(
        FRAME
        % "<h1>T</h1><p>Ein <span lang='en'>meeting</span> der <abbr title='Agentur für Arbeit'>AA</abbr></p>"
    )
    meeting, agency = elements(pdf, "Span")
    assert (str(meeting.Lang), str(agency.E)) == ("en", "Agentur für Arbeit")
    assert failures(pdf) == []


def test_the_file_knows_its_language_pages_and_title(contents, long_table):
    root = opened(contents).Root
    assert (str(root.Lang), bool(root.MarkInfo.Marked), bool(root.ViewerPreferences.DisplayDocTitle)) == (
        "de-DE",
        True,
        True,
    )
    assert str(root.PageLabels.Nums[1].S) == "/D"
    assert "/PageMode" not in root
    assert str(opened(long_table).Root.PageMode) == "/UseOutlines"


def test_weasyprint_still_has_the_private_parts_on_which_our_tags_rely():
    """If this fails, read WeasyPrint's pdf/tags.py again before touching pdf_tags.py."""
    from inspect import signature

    from weasyprint import pdf as engine
    from weasyprint.formatting_structure import boxes
    from weasyprint.pdf.stream import Stream
    from weasyprint.pdf.tags import add_tags

    assert engine.add_tags is add_tags
    assert list(signature(add_tags).parameters) == ["pdf", "document", "pdf_version", "page_streams"]
    assert "_tags" in Stream.marked.__wrapped__.__code__.co_names
    assert boxes.Box.link_annotation is None
    assert boxes.TableRowGroupBox.is_header is False
