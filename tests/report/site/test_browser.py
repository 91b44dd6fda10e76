"""The report in a real browser, opened from disk."""

import base64
import json
import re

import pytest

from tests.report.site.browser import chromium, set_screen
from tests.report.site.conftest import HOSTILE, network_page

pytest.importorskip("selenium")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def index(browser, site):
    """The leaderboard, freshly opened on a desktop screen."""
    set_screen(browser, 1280, 900)
    browser.get((site / "index.html").as_uri())
    return browser


def pages(site):
    """Every page of the site."""
    return sorted(site.rglob("*.html"))


def column(browser, number, table="board"):
    """Texts of one column, of the rows that can be seen."""
    script = """
    return Array.from(document.querySelectorAll(`#${arguments[0]} tbody tr`))
      .filter((row) => row.checkVisibility())
      .map((row) => row.cells[arguments[1]].firstChild?.textContent ?? "");
    """
    return browser.execute_script(script, table, number)


def heading(browser, text, table="board"):
    (found,) = [
        one
        for one in browser.find_elements(By.CSS_SELECTOR, f"#{table} thead th")
        if one.text.strip("↕↑↓ ") == text
    ]
    return found


def leading_numbers(texts):
    return [float(re.match(r"[\d.]+", text)[0]) for text in texts]


def test_no_page_complains_or_asks_for_anything_else(browser, site):
    first, *others = pages(site)
    browser.get(first.as_uri())
    # what the browser asked for while it started was for itself
    browser.get_log("browser")
    browser.get_log("performance")
    for path in (*others, first):
        browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    addresses = {
        message["params"]["request"]["url"].partition(":")[0]
        for message in asked
        if message["method"] == "Network.requestWillBeSent"
    }
    assert addresses == {"file", "data"}


def test_a_heading_sorts_by_its_number(index):
    mpca = heading(index, "MPCA %")
    assert mpca.get_attribute("aria-sort") == "none"
    before = column(index, 3)
    mpca.find_element(By.TAG_NAME, "button").click()
    falling = leading_numbers(column(index, 3))
    assert falling == sorted(leading_numbers(before), reverse=True)
    assert mpca.get_attribute("aria-sort") == "descending"
    mpca.find_element(By.TAG_NAME, "button").click()
    assert leading_numbers(column(index, 3)) == falling[::-1]
    assert mpca.get_attribute("aria-sort") == "ascending"
    name = heading(index, "Network")
    name.find_element(By.TAG_NAME, "button").click()
    assert name.get_attribute("aria-sort") == "ascending"
    assert mpca.get_attribute("aria-sort") == "none"
    names = [text.lower() for text in column(index, 1)]
    assert names[1:] == sorted(names[1:])


def test_what_is_undefined_sorts_last_both_ways(index, site):
    index.get((site / "runs.html").as_uri())
    button = heading(index, "MPCA %", "runs").find_element(By.TAG_NAME, "button")
    for _ in range(2):
        button.click()
        texts = column(index, 4, "runs")
        assert texts[-1] == ""
        assert all(texts[:-1])


def test_the_filter_leaves_what_fits(index):
    total = len(column(index, 1))
    search = index.find_element(By.CSS_SELECTOR, "[data-search]")
    search.send_keys("MCRG first")
    assert column(index, 1) == ["mcrgnet"]
    status = index.find_element(By.CSS_SELECTOR, "[role=status]")
    assert status.text == f"1 of {total} rows"
    hidden = "return document.querySelectorAll('.point.out').length"
    assert index.execute_script(hidden) == total - 1
    search.send_keys(" nothing like it")
    assert column(index, 1) == []
    search.clear()
    search.send_keys("x", Keys.BACKSPACE)
    assert len(column(index, 1)) == total
    Select(index.find_element(By.CSS_SELECTOR, "[data-choice=data]")).select_by_visible_text(
        "first"
    )
    assert sorted(column(index, 1)) == ["convXpress", "mcrgnet", "own"]


def test_rows_that_are_filtered_stay_away_when_sorted(index):
    index.find_element(By.CSS_SELECTOR, "[data-search]").send_keys("first")
    heading(index, "AUC %").find_element(By.TAG_NAME, "button").click()
    assert len(column(index, 1)) == 3


def test_links_lead_through_the_site(index, site):
    index.find_element(By.LINK_TEXT, "mcrgnet").click()
    assert index.find_element(By.TAG_NAME, "h1").text == "mcrgnet"
    index.find_element(By.PARTIAL_LINK_TEXT, "seed 1826").click()
    assert "seed 1826" in index.find_element(By.TAG_NAME, "h1").text
    index.find_element(By.LINK_TEXT, "The network over all its seeds").click()
    assert index.find_element(By.TAG_NAME, "h1").text == "mcrgnet"
    index.find_element(By.LINK_TEXT, "All runs").click()
    odd = "odd <name> & 'more' #1?"
    index.find_element(By.LINK_TEXT, odd).click()
    assert odd in index.find_element(By.TAG_NAME, "main").text
    index.find_element(By.LINK_TEXT, "Leaderboard").click()
    assert index.title == "Leaderboard"


def test_names_with_markup_are_shown_as_they_are(browser, site):
    browser.get(network_page(site, "b-net").as_uri())
    assert browser.find_element(By.TAG_NAME, "h1").text == HOSTILE
    assert browser.title.startswith("<b>net</b>")
    assert browser.title != "taken"
    for path in pages(site):
        browser.get(path.as_uri())
        assert browser.title != "taken"


def test_everything_can_be_done_with_the_keyboard(index):
    def focused():
        return index.switch_to.active_element

    keys = ActionChains(index)
    keys.send_keys(Keys.TAB).perform()
    assert focused().text == "Skip to content"
    outline = index.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert focused().location["x"] >= 0
    ActionChains(index).send_keys(Keys.ENTER).perform()
    assert focused().get_attribute("id") == "content"
    reached = []
    for _ in range(12):
        ActionChains(index).send_keys(Keys.TAB).perform()
        reached.append(focused())
        if focused().tag_name == "button" and focused().text.startswith("MPCA"):
            break
    # what is left out, the search field, the list of data, the table's box, its headings
    assert [one.tag_name for one in reached[:5]] == ["a", "input", "select", "div", "button"]
    ActionChains(index).send_keys(Keys.SPACE).perform()
    assert heading(index, "MPCA %").get_attribute("aria-sort") == "descending"


def test_a_phone_needs_no_sideways_scrolling(browser, site):
    set_screen(browser, 360, 740)
    for path in pages(site):
        browser.get(path.as_uri())
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, path
    browser.get((site / "index.html").as_uri())
    box = browser.find_element(By.CSS_SELECTOR, ".box")
    script = "return [arguments[0].scrollWidth, arguments[0].clientWidth]"
    inside, outside = browser.execute_script(script, box)
    assert inside > outside
    assert outside <= 360


# luminance and contrast as in WCAG 2
CONTRAST = """
const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255);
const light = (text) => parts(text)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const page = light(getComputedStyle(document.body).backgroundColor);
const ratio = (text) => {
  const one = light(text);
  return (Math.max(one, page) + 0.05) / (Math.min(one, page) + 0.05);
};
return Array.from(document.querySelectorAll(arguments[0]))
  .map((one) => ratio(getComputedStyle(one)[arguments[1]]));
"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_lines_stand_out_in_light_and_dark(browser, site, dark):
    set_screen(browser, 1280, 900, dark=dark)
    browser.get(network_page(site, "convXpress-first").as_uri())
    page = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", page)[:3])) < 150) is dark
    texts = browser.execute_script(CONTRAST, "p, td, th, a, figcaption, caption, h2", "color")
    assert min(texts) >= 4.5
    lines = browser.execute_script(CONTRAST, ".line:not(.faint)", "stroke")
    assert min(lines) >= 3.0


def test_every_chart_and_image_has_a_name(browser, site):
    browser.get(network_page(site, "turning").as_uri())
    script = """
    return Array.from(document.querySelectorAll("svg[role=img]")).map((svg) => {
      const ids = svg.getAttribute("aria-labelledby").split(" ");
      return ids.map((id) => document.getElementById(id).textContent.length > 10);
    });
    """
    named = browser.execute_script(script)
    assert len(named) == 7
    assert named == [[True, True]] * 7
    images = browser.find_elements(By.TAG_NAME, "img")
    assert images
    for image in images:
        assert "taken for" in image.get_attribute("alt")
        assert browser.execute_script("return arguments[0].naturalWidth", image) == 24
    regions = browser.find_elements(By.CSS_SELECTOR, "[tabindex='0']")
    assert all(one.get_attribute("aria-label") for one in regions)


def test_it_prints_without_what_only_a_screen_needs(index):
    pdf = index.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    assert base64.b64decode(pdf["data"]).startswith(b"%PDF")
    index.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not index.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    assert index.find_element(By.ID, "board").is_displayed()
    # 17 cm of paper hold the whole table
    set_screen(index, 680, 900)
    index.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    width = "return document.getElementById('board').getBoundingClientRect().width"
    assert index.execute_script(width) <= 680
    index.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_without_scripts_everything_can_still_be_read(browser, site):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((site / "index.html").as_uri())
        assert not browser.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
        assert len(browser.find_elements(By.CSS_SELECTOR, "#board tbody tr")) == 6
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
