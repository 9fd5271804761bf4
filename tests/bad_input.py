"""Input that must be refused with 422 (the input kept, nothing written), and names that must pass unchanged."""

import json
from pathlib import Path

NUL = "Herford\x00; DROP TABLE"
ESCAPE = "rot\x1b[31m"
BIDI = "Rechnung\u202egpj.exe"
ISOLATE = "a\u2066b\u2069"
VERY_LONG = "x" * 10_000
NOT_A_CHARACTER = "a\ufffeb"

BAD_LINES = [NUL, ESCAPE, BIDI, ISOLATE, VERY_LONG, NOT_A_CHARACTER]
BAD_LINE_IDS = ["nul", "escape", "bidi-override", "bidi-isolate", "10000-characters", "noncharacter"]
BLANKS = ["", "   ", "\u200b", "\u00a0\u3000"]

# Odd but harmless: stored and shown as text, never run, never a 500.
HARMLESS = [
    "<script>window.__xss=1</script>",
    '"><img src=x onerror=window.__xss=1>',
    "{{ 7*7 }}",
    "{a.__class__}",
    "%s %d %(name)s",
    '=HYPERLINK("http://boese.example")',
    "Robert'); DROP TABLE idea;--",
    "👩🏽‍💻 Vielfalt 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
]
LEGITIMATE_NAMES = [
    "d’Angelo",
    "O'Neill",
    "Müller-Lüdenscheidt",
    "Yılmaz",
    "von der Heide",
    "El Amrani",
    "Nguyễn Thị Hồng",
    "Øster-Ærø",
    "Kowalczyk-Śmigły",
    "Μαρία",
    "Оксана",
    "مريم",
]

# -- classes ----------------------------------------------------------
#
# What people and machines send where a text is asked for, by class. Scripts set `window.__xss` where they run.

RUN = "window.__xss=1"
LEGITIMATE = {
    "legit-names": [*LEGITIMATE_NAMES, "Prof. Dr. h. c. Anna-Lena Freifrau von und zu Guttenberg", "李 小龍", "Ng", "Null", "Test"],
    "legit-organisations": [
        "Müller & Söhne GmbH", "AWO Bezirksverband OWL e. V.", "bfw – Unternehmen für Bildung", "<net>werk 50+", "100 % Zukunft",
        "IHK Ostwestfalen: Akademie", "C# und C++ Schule", "=Chance e. V.",
    ],
    "legit-texts": [
        "Kosten: 5 € < 10 €, d. h. 50 %!", "1. Quartal – was bleibt offen?", "Zitat: „So geht's“, sagte sie.", "a=1&b=2",
        "https://agentur.example/kurse?id=1#oben", "Schüler*innen / Lehrer:innen", "½ Stelle, 38,5 Std.", "\\\\server\\freigabe",
    ],
}  # fmt: skip
CLASSES = LEGITIMATE | {
    "control": [NUL, ESCAPE, "a\x07b", "a\x85b", "\x7f", "a\x0bb\x0cc", NOT_A_CHARACTER],
    "surrogate": ["a\ud800b", "\udfff", "\ud83d und \ude00"],
    "bidi": [BIDI, ISOLATE, "\u202dAda\u202c", "\u200fעברית\u200f", "مرحبا Ada 123"],
    "zero-width": ["\u200b", "A\u200bda", "\ufeffAda", "\u2060", "\u00ad", "\u115f", "\u2800", "Ada\u200d\u200dMuster"],
    "normalisation": ["Mu\u0308ller", "Müller", "ﬁnanzen", "Ａｄａ", "İstanbul", "ſtraße", "ẞ", "e" + "\u0301" * 60, "\u212b", "Ǆ"],
    "length": [VERY_LONG, "x" * 201, "Wort " * 60, "ä" * 300, "👩🏽‍💻" * 70],
    "emoji": ["👩🏽‍💻 Vielfalt 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👨‍👩‍👧‍👦", "🇩🇪", "1️⃣", "❤️", "🫩"],
    "template": ["{{ 7*7 }}", "{% include '/etc/passwd' %}", "{a.__class__}", "{name.__init__.__globals__}", "${7*7}", "#{7*7}", "%(name)s %s %n", "~link-" + "0" * 64 + "~"],
    "spam": ["Gewinn! https://boese.example/x", "Rufen Sie an: +49 900 123456", "www.boese.example", "<a href=https://boese.example>Hier</a>", "[hier](javascript:alert(1))"],
    "formula": ["=1+1", '=HYPERLINK("http://boese.example")', "+49 30 1", "-2+3", "@SUM(A1)", "\uff1d1+1", " =1", "=cmd|' /C calc'!A0", "'=1"],
    "mail-header": ["a\r\nBcc: x@boese.example", "a\nBcc: x@boese.example", "a\rBcc: x@boese.example", "=?utf-8?q?a=0ABcc:_x@boese.example?=", "a\u2028Bcc: x@boese.example"],
    "mail-displayname": ['Müller, "Eva" <x@boese.example>', "<x@boese.example>", 'a" <x@boese.example>, "b', "x@boese.example, y@boese.example", "(Kommentar) a; b: c;"],
    "mail-address": ["a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", '"a b"@c.example', "a@[127.0.0.1]", "@", "a@b", "a@b..example", "ä@b.example", "a" * 65 + "@b.example", "=?utf-8?q?a?=@b.example"],
    "filename": ["../../etc/passwd", "..\\..\\boot.ini", "CON", "aux.pdf", "a\u202egpj.exe", ".htaccess", "a/b", "x" * 300 + ".pdf", "file:///etc/passwd", "a;b.pdf"],
    "json": ['{"a": NaN}', "[" * 500, '"\\ud800"', '{"__proto__": {"x": 1}}', "[]", "null", "1e400"],
    "redos": ["a" * 5000 + "!", "<" * 3000, "=?" * 2000, "@" * 3000, "1." * 2000, " " * 4000 + "x", "((((" * 800, "https://" * 500, "-" * 4000, "\t" * 3000 + "x"],
    "csv": ['a";"b', "a;b,c\td", '"', "a\nb", "sep=;"],
    "ics": ["a\r\nEND:VEVENT\r\nBEGIN:VALARM", "a;CN=b:c", "a\\nb\\,c", "x" * 74 + "ä", "ATTENDEE:mailto:x@boese.example"],
    "sql": ["Robert'); DROP TABLE idea;--", "' OR 1=1 --", "%", "_", "a' UNION SELECT 1--", "\\'; SELECT pg_sleep(9)--"],
    "open-redirect": ["//boese.example", "/\\boese.example", "https:boese.example", "/%09/boese.example", "javascript://boese.example/%0aalert(1)"],
    "ssrf": ["http://127.0.0.1:1/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://127.0.0.1"],
    "pdf-html": ["<link rel=attachment href=file:///etc/passwd>", "<img src=http://127.0.0.1:1/x>", "<iframe src=file:///etc/passwd>", "<style>@import url(http://127.0.0.1:1/)</style>", "<div>" * 400],
    "xss-tags": [f"<script>{RUN}</script>", f'"><img src=x onerror={RUN}>', f"<svg onload={RUN}>", f"<svg><script>{RUN}</script>", f"<details open ontoggle={RUN}>", f"<iframe srcdoc='<script>parent.{RUN}</script>'>"],
    "xss-attributes": [f'" autofocus onfocus="{RUN}', f"' onmouseover='{RUN}", f"x` onfocus={RUN} autofocus ", f'"><input autofocus onfocus={RUN}>', f'" style="animation-name:x" onanimationstart="{RUN}'],
    "xss-contexts": [f"</title><script>{RUN}</script>", f"</textarea><script>{RUN}</script>", f"--><script>{RUN}</script>", f"</script><script>{RUN}</script>", f"]]><script>{RUN}</script>", f"</style><script>{RUN}</script>"],
    "xss-links": [f"javascript:{RUN}", f"java\tscript:{RUN}", f"data:text/html,<script>{RUN}</script>", f"vbscript:{RUN}", f"[x](javascript:{RUN})"],
    "xss-encoded": [f"&lt;script&gt;{RUN}&lt;/script&gt;", f"%3Cscript%3E{RUN}%3C/script%3E", f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e", f"＜script＞{RUN}＜/script＞", f"<scr<script>ipt>{RUN}</scr</script>ipt>"],
    "xss-mutation": [f"<math><mtext><table><mglyph><style><!--</style><img src=x onerror={RUN}>", f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>", f"<template><script>{RUN}</script></template>", f"<x contenteditable onblur={RUN}>"],
    "htmx": [f"<div hx-get='/' hx-trigger='load' hx-on:load='{RUN}'>", f"<b hx-on::before-request={RUN} hx-get=/ hx-trigger=load>", f"<i data-hx-on:load={RUN} data-hx-post=/sign-out data-hx-trigger=load>", f"<a hx-vals='js:{RUN}' hx-get=/ hx-trigger=load>", "<base href=https://boese.example/>"],
    "dom-clobber": ["<form id=csrf_token><input name=value>", "<img name=getElementById>", "<a id=htmx><a id=htmx name=config href=x>", "<input name=body>", "<form name=documentElement>", "<meta http-equiv=refresh content='0;url=https://boese.example'>"],
}  # fmt: skip
SCRIPTS = [
    text for name in CLASSES if name.startswith(("xss-", "htmx", "dom-clobber")) for text in CLASSES[name]
]


def naughty_strings() -> list[str]:
    """The big list of naughty strings."""
    path = Path(__file__).parent / "vendor" / "blns.json"
    return list(json.loads(path.read_text(encoding="utf-8")))
