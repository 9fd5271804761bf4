"""Input that must be refused with 422 (the input kept, nothing written), and names that must pass unchanged."""

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
