"""A headless Chromium for tests, without network; tests skip where there is none."""

import contextlib
import os
import shutil

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--disable-extensions", "--mute-audio", "--window-size=1280,900",
    # whatever a page asks for outside of the disk is refused, and shows in the console
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def programs():
    """Paths of Chromium and of its driver; skips the test where one is missing."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium")
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its driver here (Debian: apt install chromium-driver)")
    return browser, driver


@contextlib.contextmanager
def chromium(profile):
    """A running browser with a new profile in the folder `profile`."""
    browser, driver = programs()
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


def set_screen(browser, width, height, *, dark=False):
    """Emulate a screen: a phone's below 500 pixels."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
