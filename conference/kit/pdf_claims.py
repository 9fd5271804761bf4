"""What the file says about itself: PDF/UA-1 for readers and PDF/A-2a for the archive, in one XMP record.

WeasyPrint knows one variant per file. It writes the PDF/A one; here the other claim is added, with the description of its
name space that PDF/A asks for.
"""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

_UA = """
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
  xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 to which the file conforms</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""


def claim_both(metadata: Any) -> None:
    """Make the metadata of a laid-out document claim PDF/UA-1 too, in clear text: not every archive unpacks it."""
    theirs: Callable[..., bytes] = metadata.generate_rdf_metadata
    ours = _UA.format(language=escape(metadata.lang or "")).encode()

    def both(*args: Any) -> bytes:
        record = theirs(*args)
        end = record.rindex(b"</rdf:RDF>")
        return record[:end] + ours + record[end:]

    include: Callable[..., None] = metadata.include_in_pdf

    def uncompressed(pdf: Any, variant: str, version: int, conformance: str, _compress: bool) -> None:
        include(pdf, variant, version, conformance, False)

    metadata.generate_rdf_metadata = both
    metadata.include_in_pdf = uncompressed
