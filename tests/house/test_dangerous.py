"""What is dangerous in a web application like this one, each with the few places that may and a sample that must be caught."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "conference"
CODE = [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]
PDF = {
    "kit/pdf.py",
    "kit/pdf_claims.py",
    "kit/pdf_child.py",
    "kit/pdf_tags.py",
    "kit/pdf_tree.py",
    "kit/pdf_text.py",
}


def called(node):
    """The dotted name of what is called: `datetime.now`, `Markup`."""
    if not isinstance(node, ast.Call):
        return ""
    words, part = [], node.func
    while isinstance(part, ast.Attribute):
        words.insert(0, part.attr)
        part = part.value
    return ".".join([part.id if isinstance(part, ast.Name) else "…", *words])


def ends(node, *names):
    return called(node).rpartition(".")[2] in names


def keyword(node, name, value):
    return isinstance(node, ast.Call) and any(
        word.arg == name and isinstance(word.value, ast.Constant) and word.value.value == value
        for word in node.keywords
    )


def imports(node, *modules):
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
    return any(name.split(".")[0] in modules for name in names)


def from_request(node):
    """True where what a browser sent is used as it came."""
    return any(
        isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id == "request"
        and part.attr in {"args", "form", "values", "files", "cookies", "headers", "referrer", "url", "json"}
        for argument in node.args
        for part in ast.walk(argument)
    )


def is_request_attribute(node, *names):
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
    )


def formats_a_variable(node):
    """`body.format(…)` or `letter.body.format(…)`: a text of somebody's reads attributes by it; constants are ours."""
    if not ends(node, "format", "format_map") or not isinstance(node.func, ast.Attribute):
        return False
    text = node.func.value
    return isinstance(text, ast.Attribute) or (isinstance(text, ast.Name) and not text.id.isupper())


# name: (what to do instead, the rule, places that may, a sample that must be caught)
RULES = {
    "markup": (
        "Let templates escape; Markup only around what was cleaned or is our own.",
        lambda n: called(n) == "Markup" and bool(n.args) and not isinstance(n.args[0], ast.Constant),
        {"kit/language.py", "kit/mail/wrapper.py", "kit/markdown.py", "kit/qr.py", "kit/pdf_qr.py"},
        "Markup(name)",
    ),
    "template-string": (
        "Render a file of templates/; a text of somebody's is never a template.",
        lambda n: ends(n, "render_template_string", "from_string"),
        set(),
        "render_template_string('<b>' + name)",
    ),
    "shell": (
        "Start programs with a list of words.",
        lambda n: keyword(n, "shell", True) or called(n) in {"os.system", "os.popen"},
        set(),
        "subprocess.run(words, shell=True)",
    ),
    "external-address": (
        "Use kit.addresses.absolute: it knows FOLGETERMIN_BASE_URL; the Host header is anybody's.",
        lambda n: (
            keyword(n, "_external", True)
            or is_request_attribute(n, "host", "host_url", "url_root", "base_url")
        ),
        {"kit/origins.py"},  # compares what the browser says, and makes no address of it
        "url_for('x', _external=True)",
    ),
    "host": (
        "Use kit.addresses.absolute.",
        lambda n: is_request_attribute(n, "host"),
        {"kit/origins.py"},
        "link = request.host + path",
    ),
    "format": (
        "Use core.letters: names in braces from a fixed list.",
        formats_a_variable,
        set(),
        "letter.body.format(name=name)",
    ),
    "unpickle": (
        "Store JSON.",
        lambda n: imports(n, "pickle", "marshal", "shelve", "yaml", "dill"),
        set(),
        "import pickle",
    ),
    "evaluate": (
        "Parse what you expect.",
        lambda n: called(n) in {"eval", "exec", "compile", "__import__"},
        set(),
        "eval(text)",
    ),
    "guessable": (
        "Use secrets; random repeats itself for whoever knows the seed.",
        lambda n: imports(n, "random"),
        {"core/grouping"},
        "import random",
    ),
    "naive-time": (
        "Give a zone: datetime.now(UTC).",
        lambda n: (
            called(n) in {"datetime.utcnow", "datetime.utcfromtimestamp"}
            or (called(n) == "datetime.now" and not n.args and not n.keywords)
        ),
        set(),
        "datetime.now()",
    ),
    "open-redirect": (
        "Put core.text.safe_next around it.",
        lambda n: (
            ends(n, "redirect")
            and from_request(n)
            and not any(ends(inner, "safe_next") for a in n.args for inner in ast.walk(a))
        ),
        set(),
        "redirect(request.args['next'])",
    ),
    "path-of-a-request": (
        "Files have names that we make.",
        lambda n: ends(n, "send_file", "send_from_directory", "open", "Path") and from_request(n),
        set(),
        "send_file(request.args['name'])",
    ),
    "pdf": (
        "Use kit.pdf.render_in_child: it fetches nothing and has limits.",
        lambda n: imports(n, "weasyprint", "pydyf"),
        PDF,
        "import weasyprint",
    ),
    "mail": (
        "Queue a letter with outbox.operations.queue.",
        lambda n: imports(n, "smtplib"),
        {"kit/mail/smtp.py"},
        "import smtplib",
    ),
    "network": (
        "Nothing here asks other servers; talk about it first (docs/decisions.md).",
        lambda n: (
            imports(n, "requests", "httpx", "urllib3", "aiohttp", "ftplib")
            or (isinstance(n, ast.ImportFrom) and n.module == "urllib.request")
        ),
        set(),
        "from urllib.request import urlopen",
    ),
    "weak-hash": (
        "Use hashlib.sha256.",
        lambda n: called(n) in {"hashlib.md5", "hashlib.sha1"},
        set(),
        "hashlib.md5(x)",
    ),
    "xml": (
        "Use defusedxml.",
        lambda n: (
            isinstance(n, (ast.Import, ast.ImportFrom)) and re.search(r"'xml\.(sax|dom|etree)", ast.dump(n))
        ),
        PDF,
        "from xml.sax import parse",
    ),
}


def hits(tree, rule):
    return [node for node in ast.walk(tree) if rule(node)]


@pytest.fixture(scope="module")
def trees():
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in CODE}


@pytest.mark.parametrize("name", RULES)
def test_nothing_dangerous_is_done(trees, name):
    advice, rule, may, sample = RULES[name]
    assert hits(ast.parse(sample), rule), "the rule does not catch its own sample"
    guilty = [
        f"conference/{place}:{node.lineno}"
        for place, tree in trees.items()
        if not any(place == one or place.startswith(f"{one}/") for one in may)
        for node in hits(tree, rule)
    ]
    assert not guilty, f"{advice} {guilty}"


UNSAFE = re.compile(r"(?<!')\|\s*safe\b|autoescape\s+false|\|\s*urlize|<[a-z][^>]*\s[a-z-]+=\{\{")


@pytest.mark.parametrize(
    "sample", ["{{ x|safe }}", "{% autoescape false %}", "<a title={{ x }}>", "{{ x | safe }}"]
)
def test_dangerous_templates_would_be_caught(sample):
    assert UNSAFE.search(sample)


def test_templates_escape_everything_and_quote_their_attributes():
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if path.name != "icons.html"  # drawings of our own
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNSAFE.search(line)
    ]
    assert not guilty, f"Let Jinja escape, and put attributes into quotation marks: {guilty}"
