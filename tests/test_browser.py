"""The pages in a real browser: hostile text in every place runs nothing and asks nobody for anything."""

import http.server
import threading

import pytest
from made_up import TITLES, made_up_class, make_course, manual, question, result
from markupsafe import escape
from playwright.sync_api import Error

from autograder.reports.class_report import class_report
from autograder.reports.feedback import feedback_page
from autograder.reports.words import clean

HALF = [i % 2 == 0 for i in range(len(TITLES["adam_step"]))]
SETTLE_MS = 300
RUN = "window.owned=1"
PAYLOADS = {
    "script": f"<script>{RUN}</script>",
    "closed style": f"</style></title></textarea><script>{RUN}</script>",
    "image": f"<img src=x onerror={RUN}>",
    "svg": f"<svg onload={RUN}><animate onbegin={RUN} attributeName=x dur=1s><foreignObject><img src=/ask></foreignObject></svg>",
    "math": f'<math><mtext><table><mglyph><style><img src=x onerror="{RUN}">',
    "frame": f'<iframe srcdoc="<script>parent.owned=1</script>"></iframe><iframe src="javascript:parent.{RUN}"></iframe>',
    "attribute": f'" onmouseover="{RUN}" autofocus onfocus="{RUN}" x="',
    "attribute, single": f"' onmouseover='{RUN}' style='background:url(/ask)",
    "link": f'<a href="javascript:{RUN}" id=victim>x</a> [x](javascript:{RUN}) ![x](http://127.0.0.1/ask)',
    "refresh": '<meta http-equiv=refresh content="0;url=/ask"><base href="http://127.0.0.1/"><link rel=stylesheet href=/ask>',
    "style": "<style>@import url(/ask); body{background:url(/ask)}</style><p style='background:url(/ask)'>",
    "mathjax": r"$$\href{javascript:window.owned=1}{x}$$ \(\unicode{<img src=/ask>}\)",
    "template": "{{ 7*7 }}{% for x in y %}${7*7}<%= 7*7 %>",
    "comment": f"--><script>{RUN}</script><!--",
    "cdata": f"]]><script>{RUN}</script>",
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;img src=x onerror={RUN}&#62;",
    "details": f"<details open ontoggle={RUN}><video><source onerror={RUN}></video></details>",
    "form": "<form action=/ask id=f><button form=f></form><input autofocus onfocus=window.owned=1>",
    "terminal": "\x1b]0;owned\x07\x1b[2J\x9b31m \u202egnp.exe \x00 <\x00script>window.owned=1</script>",
    "workflow": "::set-output name=x::y ##[error]z %0A::warning::w",
}


@pytest.fixture(scope="module")
def site():
    """A server on loopback: {path: page} is served, and every path that was asked for is kept."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            page = served.get(self.path)
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "").encode("utf-8", "replace"))

        def log_message(self, *_):
            """Keep the tests' output clean."""

    served, asked = {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", served, asked
    server.shutdown()


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("browser"))[1]


def visit(browser, site, page):
    """Open ``page`` and touch everything on it; return what it did that a page should not do."""
    address, served, asked = site
    served["/page"] = page
    asked.clear()
    tab = browser.new_page()
    did, requested = [], []
    tab.on("dialog", lambda dialog: (did.append("a dialog"), dialog.dismiss()))
    tab.on("requestfinished", lambda request: requested.append(request.url))
    tab.on("requestfailed", lambda request: requested.append(request.url) if request.failure != "csp" else None)
    tab.on("console", lambda message: did.append(f"console: {message.text}") if "favicon" not in message.text else None)
    tab.goto(f"{address}/page")
    try:
        for element in tab.query_selector_all(
            "details, button, input, [onmouseover], [onfocus], a[href^='javascript']"
        ):
            element.dispatch_event("mouseover")
            element.dispatch_event("click")
        tab.wait_for_timeout(SETTLE_MS)
        if tab.evaluate("window.owned"):
            did.append("a script ran")
    except Error as error:
        did.append(f"it left: {error.message}")
    if not tab.url.split("#")[0].endswith("/page"):
        did.append(f"it went to {tab.url}")
    tab.close()
    allowed = (f"{address}/page", f"{address}/favicon.ico")
    did += [f"asked for {url}" for url in requested if url.split("#")[0] not in allowed and not url.startswith("data:")]
    did += [f"asked the server for {path}" for path in asked if path not in ("/page", "/favicon.ico")]
    return did


def nasty_result(text):
    """Return a result with ``text`` wherever a student's text can be."""
    one = question("adam_step", HALF, "no_bias_correction", message=text)
    for check in one.checks:
        check.hint, check.title = text, text
        check.example = dict.fromkeys(("call", "got", "expected", "where", "message"), text)
    one.message = one.reread = text
    return result(text, [one, manual()], notes=[text])


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_hostile_text_does_nothing(browser, site, assignment, payload):
    """A feedback page with the payload in every field looks after itself."""
    assert visit(browser, site, feedback_page(nasty_result(payload), assignment)) == []


def test_a_class_of_hostile_texts_does_nothing(browser, site, assignment):
    """Nor does the class report do what one of its students wrote."""
    page = class_report([*map(nasty_result, PAYLOADS.values()), *made_up_class(5)], assignment)
    assert all(str(escape(clean(payload))) in page for payload in PAYLOADS.values())
    assert visit(browser, site, page) == []


@pytest.mark.parametrize("name", ["script", "image", "frame", "style", "refresh"])
def test_this_browser_would_notice(browser, site, name):
    """The same payloads in a page that does not look after itself do something, and it is seen."""
    assert visit(browser, site, f"<!DOCTYPE html><title>x</title><p>{PAYLOADS[name]}</p>") != []


@pytest.mark.parametrize("name", [n for n in PAYLOADS if n != "refresh"])
def test_the_policy_alone_holds(browser, site, assignment, name):
    """Were the escaping to fail, the pages' Content-Security-Policy would still stop script and requests."""
    page = feedback_page(result("x", [manual()]), assignment).replace("</main>", f"<div>{PAYLOADS[name]}</div></main>")
    assert PAYLOADS[name] in page
    done = visit(browser, site, page)
    assert [what for what in done if not what.startswith("console:")] == []
