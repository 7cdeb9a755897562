"""Pages in a browser without a window: they answer, they ask nobody for anything, and hostile names do nothing."""

import base64
import io
import json
import os
import shutil
import time
from contextlib import suppress

import numpy as np
import pytest
from matplotlib.image import imread

webdriver = pytest.importorskip("selenium.webdriver")
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")
#: Runs before anything of a page, so that whatever a name might call is seen.
WATCH = (
    "window.called = []; for (const name of ['alert', 'confirm', 'prompt']) window[name] = (text) => called.push(text);"
)
#: First view of a page at most, in milliseconds; it takes some 200 where nothing else runs.
FIRST_VIEW = 3000


@pytest.fixture(scope="module")
def browser():
    if BROWSER is None or DRIVER is None:
        if os.environ.get("DASHJAX_NEEDS_BROWSER"):
            pytest.fail("chromium and its chromedriver are needed here")
        pytest.skip("no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1400,900"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=webdriver.ChromeService(DRIVER), options=options)
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, folder):
    """`opened(path, width)`: a page whose views are all made; afterwards nothing was called, logged or asked for."""
    urls = []

    def open_page(path="fit/report.html", width=1400):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        urls.append((folder / path).as_uri())
        browser.get(urls[-1])
        wait(browser, "return [...document.querySelectorAll('.view')].every((view) => view.dataset.ready)")
        return browser

    browser.get_log("performance")
    yield open_page
    assert browser.execute_script("return called") == []
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    told = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in told if one["method"] == "Network.requestWillBeSent"]
    assert {url.split("#")[0] for url in asked if not url.startswith(("data:", "blob:"))} <= set(urls)


def wait(browser, script, seconds=20):
    until = time.monotonic() + seconds
    while not (found := browser.execute_script(script)):
        assert time.monotonic() < until, script
        time.sleep(0.05)
    return found


def find(browser, script):
    return browser.execute_script(f"return {script}")


#: The view of a kind, and in it the field with some label.
VIEW = 'document.querySelector(\'.view[data-view="{}"][data-key="{}"]\')'
EDGES, NETWORK, COURSES = (
    VIEW.format(*one) for one in (("table", "edges"), ("network", "network"), ("courses", "courses"))
)


def field(view, label):
    labels = f"[...{view}.querySelectorAll('label')]"
    return f"{labels}.find((one) => one.textContent.startsWith('{label}')).querySelector('input,select')"


def put(browser, view, label, value):
    """Type a value into a field, or choose it there, as a user's hand would tell the page."""
    browser.execute_script(
        f"const own = {field(view, label)}; own.value = arguments[0];"
        "for (const kind of ['input', 'change']) own.dispatchEvent(new Event(kind, {bubbles: true}));",
        value,
    )


def cells(browser, view, column):
    script = f"[...{view}.querySelectorAll('tbody tr:not(.gap)')].map((row) => row.children[{column}].textContent)"
    return find(browser, script)


@pytest.mark.parametrize("width", [400, 800, 1400])
@pytest.mark.parametrize("path", ["fit/report.html", "asked/response.html", "asked/influence.html"])
def test_nothing_is_wider_than_the_page_or_empty(opened, path, width):
    browser = opened(path, width)
    assert find(browser, "document.documentElement.scrollWidth <= innerWidth")
    assert find(browser, "[...document.querySelectorAll('.view')].every((view) => view.clientHeight > 60)")
    assert find(
        browser,
        "[...document.querySelectorAll('svg.plot')].every((one) => one.querySelectorAll('path,rect,circle').length)",
    )
    assert find(browser, "document.querySelectorAll('section').length") >= 3
    # No name, however long, makes a row or a heading higher than a few lines.
    assert (
        find(browser, "Math.max(...[...document.querySelectorAll('tr,h1,h2,h4')].map((one) => one.clientHeight))") < 160
    )


@pytest.mark.parametrize("shade", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 800, 1400])
def test_a_picture_of_the_page_has_something_everywhere_and_nothing_cut_off(opened, width, shade):
    browser = opened("fit/report.html", width)
    feature = {"features": [{"name": "prefers-color-scheme", "value": shade}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    height = find(browser, "document.documentElement.scrollHeight")
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot",
        {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}},
    )
    picture = (255 * imread(io.BytesIO(base64.b64decode(shot["data"])))[..., :3]).round().astype(int)
    assert picture.shape[:2] == (height, width)
    ground = picture[0, 0]
    assert (ground.mean() > 128) == (shade == "light")
    drawn = (np.abs(picture - ground) > 12).any(axis=2)
    # Nothing runs into the page's edges, but for rules from one to the other.
    inside = drawn[~drawn.all(axis=1)]
    assert len(inside) > height - 5
    assert not inside[:, :4].any()
    assert not inside[:, -4:].any()
    # No stretch of half a window stands empty, and what is drawn is drawn in more than the ground's shades.
    stretches = drawn[: height // 450 * 450].reshape(-1, 450, width).mean(axis=(1, 2))
    assert stretches.min() > 0.005
    coloured = np.ptp(picture, axis=2) > 60
    assert 0.001 < coloured.mean() < 0.5
    place = f"{NETWORK}.querySelector('canvas').getBoundingClientRect()"
    left, top, wide, high = (round(find(browser, f"{place}.{part}")) for part in ("left", "top", "width", "height"))
    assert coloured[top : top + high, left : left + wide].mean() > 0.001


def test_the_first_view_comes_at_once(opened):
    browser = opened()
    (painted,) = find(browser, "performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)")
    assert painted < FIRST_VIEW


def test_edges_are_searched_filtered_and_sorted(opened, hostile):
    browser = opened()
    edges = hostile[0].edges
    assert cells(browser, EDGES, 0)[0].startswith("<img src=x")
    put(browser, EDGES, "Search", "g1")
    wait(browser, f"return {EDGES}.querySelector('.status').textContent.includes(' of ')")
    expected = edges[[("g1" in f"{a} {b}".lower()) for a, b in zip(edges["source"], edges["target"], strict=True)]]
    assert cells(browser, EDGES, 0) == list(expected["source"])
    put(browser, EDGES, "in prior", "1")
    expected = expected[expected["in_prior"]]
    assert cells(browser, EDGES, 0) == list(expected["source"])
    put(browser, EDGES, "Search", "")
    put(browser, EDGES, "in prior", "")
    put(browser, EDGES, "probability", "0.5")
    wait(
        browser,
        f"return {EDGES}.querySelector('.status').textContent.startsWith('{(edges['probability'] >= 0.5).sum()} of')",
    )
    browser.execute_script(
        f"{EDGES}.querySelectorAll('thead button')[2].click(); {EDGES}.querySelectorAll('thead button')[2].click()"
    )
    shown = [float(text) for text in cells(browser, EDGES, 2)]
    assert shown == sorted(shown)
    assert find(browser, f"{EDGES}.querySelectorAll('th')[2].getAttribute('aria-sort')") == "ascending"


def test_a_spreadsheet_finds_no_formula_in_what_is_downloaded(opened, hostile_names):
    browser = opened()
    browser.execute_script(
        "window.saved = [];"
        "URL.createObjectURL = (blob) => { blob.text().then((text) => saved.push(text)); return 'blob:x'; };"
        "HTMLAnchorElement.prototype.click = () => {};"
        f"[...{EDGES}.querySelectorAll('button')].find((one) => one.textContent === 'Download CSV').click()"
    )
    (text,) = wait(browser, "return saved.length && saved")
    assert '\'=HYPERLINK(""http://evil"")' in text
    assert "\n'-1+2," in text
    assert hostile_names[4] in text
    assert not [line for line in text.splitlines() if line.startswith(("=", "-", "+", "@"))]
    # Numbers stay numbers.
    assert ",-0.5," in text


def test_the_network_shows_neighbours_and_what_passes_the_filters(opened, hostile):
    browser = opened()
    edges = hostile[0].edges
    drawn = f"{NETWORK}.cy.edges().length"
    assert find(browser, drawn) == len(edges)
    put(browser, NETWORK, "Origin", "new")
    assert find(browser, drawn) == (~edges["in_prior"]).sum()
    put(browser, NETWORK, "Sign", "-")
    assert find(browser, drawn) == (~edges["in_prior"] & (edges["effect"] < 0)).sum()
    put(browser, NETWORK, "Sign", "")
    put(browser, NETWORK, "Origin", "")
    put(browser, NETWORK, "Least probability", "0.5")
    wait(browser, f"return {drawn} === {(edges['probability'] >= 0.5).sum()}")
    put(browser, NETWORK, "Least probability", "0")
    wait(browser, f"return {drawn} === {len(edges)}")
    # With the keyboard alone: letters, an arrow, the enter key.
    search = find(browser, field(NETWORK, "Gene and its neighbours"))
    search.send_keys("g3", "\ue015", "\ue007")
    assert find(browser, f"{NETWORK}.cy.nodes().map((node) => node.data('short')).sort()") == ["G2", "G3", "G4"]
    assert "edges of G3" in find(browser, f"{NETWORK}.querySelector('.status').textContent")


def test_a_gene_of_the_table_leads_to_its_course_and_its_regulator(opened):
    browser = opened()
    put(browser, EDGES, "Search", "G7")
    wait(browser, f"return {EDGES}.querySelector('.status').textContent.includes(' of ')")
    browser.execute_script(
        f"[...{EDGES}.querySelectorAll('button.gene')].find((one) => one.textContent === 'G7').click()"
    )
    headings = find(browser, f"[...{COURSES}.querySelectorAll('h4')].map((one) => one.textContent)")
    assert headings == ["G7", "G6"]
    assert find(browser, f"{COURSES}.querySelector('.panels .hint').textContent").startswith(
        "activates it, probability 0."
    )
    assert find(browser, f"{COURSES}.querySelectorAll('svg.plot')[0].querySelectorAll('circle').length") == 5
    put(browser, COURSES, "Trajectory", "2")
    assert "run <2>" in find(browser, f"{COURSES}.querySelector('.status').textContent")


def test_a_hostile_gene_is_shown_as_the_text_it_is(opened, hostile_names):
    browser = opened()
    for name in hostile_names:
        search = find(browser, field(COURSES, "Gene"))
        browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", search, name
        )
        search.send_keys("\ue007")
        shown = find(browser, f"{COURSES}.querySelector('h4').textContent")
        assert shown.rstrip("…") == name[: len(shown.rstrip("…"))]
        assert len(shown) <= 60
    assert find(browser, "document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_text_can_be_read_against_its_ground(opened, shade):
    browser = opened()
    feature = {"features": [{"name": "prefers-color-scheme", "value": shade}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    with suppress(AssertionError):
        wait(browser, "return false", 0.3)
    ratio = """
      const style = getComputedStyle(document.documentElement);
      const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      const light = (name) => {
        const hex = style.getPropertyValue('--' + name).trim();
        const [r, g, b] = [1, 3, 5].map((at) => linear(parseInt(hex.slice(at, at + 2), 16) / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const against = ([one, other]) => {
        const [a, b] = [light(one), light(other)].sort((x, y) => x - y);
        return (b + 0.05) / (a + 0.05);
      };
      const texts = [['text', 'page'], ['soft', 'page'], ['soft', 'card'], ['link', 'page'], ['text', 'mark']];
      const drawn = [...Array(8).keys()].map((at) => ['c' + at, 'page']);
      return [...texts.map(against), ...drawn.map((pair) => 1.5 * against(pair))];"""  # drawings need 3, text 4.5
    assert min(browser.execute_script(ratio)) >= 4.5
    assert find(
        browser,
        "getComputedStyle(document.body).colorScheme !== '' && matchMedia('(prefers-color-scheme: dark)').matches",
    ) == (shade == "dark")
