"""deploy/ says what the product says: names of settings, units for each process, links kept out of logs."""

import importlib.util
import re
import runpy
from pathlib import Path

import pytest

from conference import config
from conference.kit import child, headers, pdf, sheets

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SITE = (DEPLOY / "nginx" / "folgetermin.conf").read_text()
NOTHING = {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'"}
HARDENED = {
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "CapabilityBoundingSet=",
    "UMask=0077",
    "User=folgetermin",
    "InaccessiblePaths=-/opt/folgetermin/.git",
}


def environment():
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    settings = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: value.strip("'") for name, value in settings}


def test_systemd_and_a_shell_read_the_same_settings():
    """A blank, a `$` or a remark after a value: the example and the guide leave room for none of them."""
    guide = (DEPLOY.parent / "docs" / "betrieb.md").read_text().splitlines()
    lines = [*guide, *(DEPLOY / "environment.example").read_text().splitlines()]
    settings = [line for line in lines if re.match(r"(# )?FOLGETERMIN_\w+=", line)]
    assert len(settings) > 20
    assert [line for line in settings if not re.fullmatch(r"(# )?\w+=('[^']*'|\d+)", line)] == []


def test_the_example_names_settings_that_exist_and_starts_only_with_a_key_of_ones_own(tmp_path):
    known = {*config.FLAGS, *config.TEXTS, *config.NUMBERS, "INSTANCE"}
    example = environment()
    assert {name.removeprefix("FOLGETERMIN_") for name in example} <= known
    read = config.read(example, {}, tmp_path)
    assert read["PRODUCTION"] and read["TRUSTED_PROXIES"] == 1 and read["LOG_FORMAT"] == "json"
    with pytest.raises(config.UnsafeSettings):
        config.read(
            example | {"FOLGETERMIN_SECRET_KEY": "change-me-change-me-change-me-change-me"}, {}, tmp_path
        )


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_service_is_hardened(unit):
    assert set(unit.read_text().splitlines()) >= HARDENED


def test_f13_a_child_that_needs_too_much_memory_does_not_stop_its_unit():
    """Children of 512 MB each, so many at once, and room for the unit itself; one of them killed is one failed page."""
    for unit in UNITS:
        words = unit.read_text()
        assert "MemoryMax" not in words or {"MemoryMax=2G", "OOMPolicy=continue"} <= set(words.splitlines())
    assert child.AT_ONCE * max(pdf.MEGABYTES, sheets.MEGABYTES) <= 1024


def test_gunicorns_settings_exist():
    from gunicorn.config import KNOWN_SETTINGS

    settings = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    ours = {name for name in settings if not name.startswith("_")}
    assert ours <= {setting.name for setting in KNOWN_SETTINGS}
    assert settings["accesslog"] is None


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("/invitation/" + "aB3-" * 11, "/invitation/…"),
        ("/invitation/" + "aB3-" * 11 + "/visit?x=1", "/invitation/…/visit"),
        ("/sign-in?next=/series", "/sign-in"),
        ("/conferences/june-2023/guests", "/conferences/june-2023/guests"),
    ],
)
def test_nginx_writes_no_personal_link(address, written):
    """The patterns of the map, tried in nginx's order; `make smoke-production` looks into the real logs."""
    for pattern, value in re.findall(r'^\s+"~(\^.+)" "(.+)";$', SITE, re.MULTILINE):
        match = re.search(pattern.replace("(?<", "(?P<"), address)
        if match:
            for name, found in match.groupdict().items():
                value = value.replace(f"${name}", found)
            break
    assert value == written


def test_what_a_visitor_claims_of_proxies_and_numbers_is_thrown_away():
    for line in ("X-Forwarded-For $remote_addr;", "X-Forwarded-Proto $scheme;", "X-Request-Id $request_id;"):
        assert f"proxy_set_header {line}" in SITE
    assert "$proxy_add_x_forwarded_for" not in SITE and "error_log" in SITE
    assert all(" crit;" in line for line in SITE.splitlines() if line.strip().startswith("error_log"))


def test_t10_what_nginx_says_by_itself_carries_the_headers_of_the_app():
    """Word for word: redirects, 404, 413 and 502, and static files. Tried with nginx: each once, on pages of the app, too."""
    plain, safe = SITE.split("server {")[1:]
    pages, static = safe.split("location /static/ {")
    by_itself = dict(
        re.findall(r'^map \$upstream_http_\w+ (\$\w+) \{\s+"" ("[^"]+"|\S+);', SITE, re.MULTILINE)
    )
    for name, value in {**headers.ALWAYS, "Cache-Control": "no-store"}.items():
        for part in (plain, pages):
            variable = re.search(rf"^ {{4}}add_header {name} (\$\w+) always;$", part, re.MULTILINE)
            assert variable, name
            said = by_itself[variable[1]].strip('"')
            assert said == value or (name == "Content-Security-Policy" and set(said.split("; ")) >= NOTHING)
        said = re.search(rf"add_header {name} (.+) always;", static.split("}")[0])[1].strip('"')
        assert said == value or name == "Cache-Control" or set(said.split("; ")) >= NOTHING, name
    assert "Strict-Transport-Security" not in plain, "it counts over TLS only"
    assert "Strict-Transport-Security" in pages and "Strict-Transport-Security" in static
    assert all(line.rstrip().endswith(" always;") for line in SITE.splitlines() if "add_header" in line)
    assert SITE.count("server_tokens off;") == 2


def test_without_tls_only_people_are_led_to_https():
    plain = SITE.split("server {")[1]
    for line in ("return 405;", "location ~ \\.ics$ { return 404; }", "location = /metrics { return 404; }"):
        assert line in plain, line
    assert "charset utf-8;" in SITE and "charset_types text/css" in SITE
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in SITE
    assert all(
        "GCM" in suite and "ECDHE" in suite for suite in re.search("ssl_ciphers (.+);", SITE)[1].split(":")
    )


def test_the_guide_names_every_unit():
    guide = (ROOT / "docs" / "betrieb.md").read_text()
    missing = [unit.name for unit in UNITS if unit.stem.rstrip("@") not in guide]
    assert not missing


LISTS = [
    "requirements.txt",
    "requirements-dev.txt",
    "tools/semgrep/requirements.txt",
    "tools/audit/requirements.txt",
    "tools/sign_in_service/requirements.txt",
]


@pytest.mark.parametrize("name", LISTS)
def test_t30_every_library_is_pinned_and_comes_with_its_hashes(name):
    """`make lock` writes them. In setup.sh pip is told to take nothing without."""
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    libraries = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert len(libraries) > 20
    assert [line.split()[0] for line in libraries if "==" not in line or "--hash=sha256:" not in line] == []
    calls = re.findall(r"^.* -m pip .*$", (ROOT / "tools" / "setup.sh").read_text(), re.MULTILINE)
    assert len(calls) == 2
    assert [call for call in calls if "--require-hashes" not in call] == []


def test_t30_an_audit_that_could_ask_nobody_is_no_good_news():
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit" / "audit.py")
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    good = {"name": "flask", "version": "3.1.3", "vulns": []}
    silent = {
        "name": "werkzeug",
        "skip_reason": "Dependency not found on PyPI and could not be audited: werkzeug (2.2.2)",
    }
    weak = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    assert audit.complaints({"dependencies": [good]}) == []
    assert audit.complaints({"dependencies": [good, silent]}) == ["werkzeug could not be audited"]
    assert audit.complaints({"dependencies": [weak]}) == ["x 1: PYSEC-1, mended in 2"]
    assert audit.complaints({"dependencies": []}), "nothing asked is nothing known"
