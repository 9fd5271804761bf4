"""QR codes as inline SVG for pages: no file, no request, no other server."""

from markupsafe import Markup

from .pdf_qr import qr


def qr_svg(url: str) -> Markup:
    """The code of an address as an SVG that takes the size of its place. Its words stand beside it, so it is silent itself."""
    code = qr(url)
    return Markup(
        '<svg viewBox="0 0 {size} {size}" width="{pixels}" height="{pixels}" aria-hidden="true" focusable="false">'
        '<rect width="{size}" height="{size}" fill="#ffffff"/><path d="{path}" fill="#000000"/></svg>'
    ).format(size=code.size, pixels=code.size * 5, path=code.path)
