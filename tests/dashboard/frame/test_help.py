"""The documentation as the app serves it: built or not, complete, and nothing beside it."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import ROOT
from dashboard.frame import help
from dashboard.frame.pages import pages
from tests.dashboard.frame.asking import get


def ask(path, **headers):
    return get(path, [help.help_route()], headers)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site as MkDocs builds one, beside a file that is nobody's business."""
    built = tmp_path / "dashboard" / "site"
    (built / "how-to" / "explain-a-scan").mkdir(parents=True)
    (built / "pictures").mkdir()
    (built / "index.html").write_text("<title>Lightbox</title>")
    (built / "how-to" / "explain-a-scan" / "index.html").write_text("<h1>How to explain a scan</h1>")
    (built / "pictures" / "one.svg").write_text("<svg/>")
    (tmp_path / "dashboard" / "secret.html").write_text("secret")
    (built / "link.html").symlink_to(tmp_path / "dashboard" / "secret.html")
    monkeypatch.setattr(help, "SITE", built)
    return built


def test_every_page_of_the_app_has_a_page_of_documentation():
    for page in pages().values():
        assert page.help
        assert (ROOT / "docs" / f"{page.help}.md").is_file()


def test_the_help_of_a_page_is_its_page_of_the_site(site):
    status, headers, body = ask(help.address_of("how-to/explain-a-scan"))
    assert (status, body) == (200, b"<h1>How to explain a scan</h1>")
    assert headers["content-type"].startswith("text/html")
    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_page_without_a_page_of_its_own_leads_to_the_first(site):
    assert ask(help.address_of(""))[2] == b"<title>Lightbox</title>"


@pytest.mark.parametrize("page", pages().values(), ids=lambda page: page.name)
def test_without_a_site_the_page_is_there_as_it_was_written(page, tmp_path, monkeypatch):
    monkeypatch.setattr(help, "SITE", tmp_path)
    status, headers, body = ask(help.address_of(page.help))
    assert status == 200
    assert body == (ROOT / "docs" / f"{page.help}.md").read_bytes()
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert ask(help.address_of(""))[2] == (ROOT / "docs" / "index.md").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.html",
        "..%2fsecret.html",
        "%2e%2e/secret.html",
        "how-to/../../secret.html",
        "..\\secret.html",
        "//secret.html",
        "link.html",
        "pictures/",
        "how-to/",
        "\0",
        "no-such-page/",
    ],
)
def test_nothing_outside_of_the_site_is_served_and_no_folder_is_listed(site, path):
    status, _, body = ask(f"/lightbox/docs/{path}")
    assert status == 404
    assert b"secret" not in body
    assert b"one.svg" not in body


@pytest.mark.parametrize("path", ["../README", "../pyproject.toml", "hooks.py", "how-to/", "../core/__init__.py"])
def test_nothing_but_pages_is_served_where_there_is_no_site(path, tmp_path, monkeypatch):
    monkeypatch.setattr(help, "SITE", tmp_path)
    assert ask(f"/lightbox/docs/{path}")[0] == 404


def test_below_an_address_of_the_server_help_is_there_as_well(site, monkeypatch):
    monkeypatch.setattr(help, "base_path", lambda: "/behind/this")
    assert help.address_of("how-to/explain-a-scan") == "/behind/this/lightbox/docs/how-to/explain-a-scan/"
    assert ask(help.address_of("how-to/explain-a-scan"))[0] == 200


def test_the_app_serves_help_and_the_link_stands_on_every_page(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=90).run()
    links = {}
    for page in pages():
        app.switch_page(f"../pages/{page}.py").run()
        (link,) = (found for found in app.get("link_button") if found.proto.label == "Help")
        links[page] = link.proto.url
    assert links == {name: help.address_of(page.help) for name, page in pages().items()}


def test_the_built_site_takes_nothing_from_outside():
    """Fonts, scripts and styles of the pages are their own; links that a person may click are not meant."""
    pages = list(help.SITE.rglob("*.html")) or pytest.skip("the site is not built here: make docs")
    for page in pages:
        html = page.read_text(encoding="utf-8")
        taken = re.findall(r"<(?:script|img|iframe)[^>]*?src=\"?([^\s\">]+)", html)
        taken += re.findall(r"<link[^>]*?rel=\"?(?:stylesheet|icon|preconnect)[^>]*?href=\"?([^\s\">]+)", html)
        assert taken
        assert [address for address in taken if "//" in address] == []
        for address in taken:
            assert (page.parent / Path(address.split("?")[0])).resolve().is_file(), address
