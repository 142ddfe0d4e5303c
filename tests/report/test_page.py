"""The page in a browser: what it draws, what a person can do with it, and no error."""

import math
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import JournalWriter
from tests.report.browser import Browser, Tab
from tests.report.conftest import HOSTILE, write_page
from tests.report.sweeps import BEGAN, GRID, attempt, copy, freeze, train

_SIZED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA"
DOT = _SIZED + "DUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""

ROWS = "[...document.querySelectorAll('#table .tabulator-row')]"
NOTHING = "\N{EN DASH}"
"""What stands where there is no value."""

CELLS = f"{ROWS}.map(row => [...row.querySelectorAll('.tabulator-cell')].map(c => c.innerText))"


@pytest.fixture
def tab(browser: Browser, small: Path) -> Iterator[Tab]:
    """The small page, wide and light; it must end without an error."""
    tab = browser.tab()
    tab.size(1280, 900)
    tab.open(small)
    yield tab
    assert tab.errors == []
    tab.close()


def inked(tab: Tab, selector: str) -> int:
    """How many pixels of a canvas have been drawn on."""
    return int(
        tab.evaluate(
            f"(() => {{ const c = document.querySelector('{selector}');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()"
        )
    )


def test_everything_is_drawn(tab: Tab) -> None:
    assert tab.evaluate("document.querySelector('#states').innerText").split("\n") == [
        "22 done",
        "2 failed",
    ]
    assert inked(tab, "#curves canvas") > 2000
    assert inked(tab, "#parallel canvas") > 2000
    assert tab.evaluate("document.querySelectorAll('#scatters canvas').length") == 3
    assert tab.evaluate("document.querySelectorAll('#importance .effect').length") >= 3
    assert tab.evaluate(f"{ROWS}.length") == 24


def test_no_line_crosses_a_label_of_the_axes_together(tab: Tab) -> None:
    _, _, _, height = tab.place("#parallel")
    # To the right of the first axis, and between its ends three labels of at least four signs.
    left, wide = 72 + 10, 16
    pixels = tab.evaluate(
        "(() => { const c = document.querySelector('#parallel canvas');"
        f"return [...c.getContext('2d').getImageData({left}, 0, {wide}, c.height).data]; }})()"
    )
    for share in (1 / 6, 3 / 6, 5 / 6):
        middle = round(40 + (height - 40 - 26) * share)
        part = pixels[4 * wide * (middle - 4) : 4 * wide * (middle + 4)]
        colours = [part[place : place + 3] for place in range(0, len(part), 4)]
        assert any(max(colour) < 150 for colour in colours)  # the letters
        assert all(max(colour) - min(colour) < 30 for colour in colours)  # all is grey


def test_curves_and_points_say_of_what_they_are(tab: Tab) -> None:
    assert tab.evaluate("document.querySelector('#curves').plot.axes[1].label") == "val/loss"
    titles = (
        "[...document.querySelectorAll('.scatter')].map(e => e.chart.getOption().yAxis[0].name)"
    )
    assert tab.evaluate(titles) == ["val/loss"] * 3
    tab.evaluate(
        "(() => { const kind = document.querySelector('#kind'); kind.value = 'best';"
        "kind.dispatchEvent(new Event('change')); })()"
    )
    assert tab.evaluate(titles) == ["val/loss:min"] * 3
    # Which way another metric is better, nobody has said.
    cards = "document.querySelector('#cards').innerText"
    assert tab.evaluate(cards).startswith("best val/loss")
    tab.evaluate(
        "(() => { const metric = document.querySelector('#metric'); metric.value = 'train/loss';"
        "metric.dispatchEvent(new Event('change')); })()"
    )
    assert tab.evaluate(cards).startswith("least train/loss")


def test_the_table_has_what_each_run_took(tab: Tab) -> None:
    titles = "[...document.querySelectorAll('#table .tabulator-col-title')].map(c => c.innerText)"
    places = {title: place for place, title in enumerate(tab.evaluate(titles))}
    done, failed = tab.evaluate(CELLS)[0], tab.evaluate(CELLS)[5]
    taken = [(row[places["cores used"]], row[places["memory (MB)"]]) for row in (done, failed)]
    assert taken == [("1.5", "1234"), (NOTHING, NOTHING)]
    # Nobody had a GPU or waited in a queue.
    assert not {"GPU use (%)", "queued (h)"} & set(places)


def test_hostile_names_and_values_stay_text(tab: Tab) -> None:
    assert HOSTILE in tab.evaluate("document.querySelector('#table').innerText")
    tab.evaluate("document.querySelector('#failures details').open = true")
    failure = tab.evaluate("document.querySelector('#failures').innerText")
    assert failure.split("\n")[1].endswith(f"RuntimeError: bad {HOSTILE} at 5")
    assert tab.evaluate("document.querySelectorAll('img, b').length") == 0
    assert tab.evaluate("document.title") == "small"


def test_a_click_on_a_title_sorts_by_exact_values(tab: Tab) -> None:
    loss = "document.querySelector('#table [tabulator-field=last]')"
    tab.click("#table .tabulator-col[tabulator-field=last] .tabulator-col-title")
    tab.wait_for(f"{loss}.getAttribute('aria-sort') === 'ascending'")
    place = tab.evaluate(
        "[...document.querySelectorAll('#table .tabulator-col')]"
        ".findIndex(c => c.getAttribute('tabulator-field') === 'last')"
    )
    values = [row[place] for row in tab.evaluate(CELLS)]
    known = [float(value) for value in values if value != NOTHING]
    assert len(known) == 22
    assert known == sorted(known)
    assert values[22:] == [NOTHING, NOTHING]


def type_filter(tab: Tab, text: str) -> None:
    tab.click("#filter")
    tab.evaluate("document.querySelector('#filter').select()")
    tab.call("Input.insertText", text=text)


def test_the_filter_cuts_table_and_curves(tab: Tab) -> None:
    type_filter(tab, "lr<1e-3 activation=relu state=done")
    tab.wait_for(f"{ROWS}.length === 4")
    assert tab.evaluate("document.querySelector('#count').innerText") == "4 of 24"
    tab.wait_for("document.querySelector('#curves').curves.length === 4")
    type_filter(tab, "nonsense<3")
    tab.wait_for("document.querySelector('#filter').getAttribute('aria-invalid') === 'true'")


def test_brushing_an_axis_cuts_table_and_curves_until_it_is_taken_back(tab: Tab) -> None:
    left, top, _, height = tab.place("#parallel")
    # The first axis stands 72 pixels from the left; its greatest value, a third, is at the top.
    tab.drag((left + 72, top + 45), (left + 72, top + height * 0.33))
    tab.wait_for("document.querySelector('#count').innerText === '7 of 24'")
    tab.wait_for(f"{ROWS}.length === 7")
    assert {row[2] for row in tab.evaluate(CELLS)} == {"0.01"}
    tab.wait_for("document.querySelector('#curves').curves.length === 7")
    tab.click("#clear")
    tab.wait_for(f"{ROWS}.length === 24")


def test_a_curve_that_is_pointed_at_is_named_and_kept_by_a_click(tab: Tab) -> None:
    left, top, width, height = tab.place("#curves .u-over")
    x, y = left + width * 0.9, top + height * 0.9
    tab.mouse("mouseMoved", x, y)
    tab.wait_for("!document.querySelector('#tip').hidden")
    named = tab.evaluate("document.querySelector('#tip strong').innerText")
    for kind in ("mousePressed", "mouseReleased"):
        tab.mouse(kind, x, y)
    tab.wait_for("document.querySelectorAll('#table .marked').length === 1")
    assert tab.evaluate("document.querySelector('#table .marked').innerText").startswith(named)
    assert inked(tab, "#curves canvas.over") > 100


def test_the_keyboard_goes_through_curves_and_rows(tab: Tab) -> None:
    tab.evaluate("document.querySelector('#curves').focus()")
    tab.press("ArrowRight")
    tab.press("Enter")
    tab.wait_for("document.querySelectorAll('#table .marked').length === 1")
    tab.evaluate(f"{ROWS}[3].focus()")
    tab.press("ArrowDown")
    tab.press("Enter")
    tab.wait_for(f"{ROWS}[4].classList.contains('marked')")
    # Rows that are drawn anew, as when the page becomes wider, keep the keyboard's place.
    tab.evaluate(
        "(() => { window.drawn = 0; new MutationObserver(() => window.drawn++)"
        ".observe(document.querySelector('#table .tabulator-table'), {childList: true}); })()"
    )
    tab.size(1100, 900)
    tab.wait_for("window.drawn > 0")
    tab.press("ArrowDown")
    tab.press("Enter")
    tab.wait_for(f"{ROWS}[5].classList.contains('marked')")


def test_means_over_seeds_other_metrics_and_hours(tab: Tab) -> None:
    tab.click("#seeds")
    tab.wait_for("document.querySelector('#curves').curves.length === 6")
    assert tab.evaluate("document.querySelector('#curves').curves[0].lows.length") > 100
    before = tab.evaluate("document.querySelector('#curves').curves[0].xs[159]")
    tab.evaluate(
        "(() => { const x = document.querySelector('#x'); x.value = 'hour';"
        "x.dispatchEvent(new Event('change')); })()"
    )
    tab.wait_for("document.querySelector('#curves').curves[0].xs[159] < 1")
    assert before == 400


def test_two_points_show_what_differs(tab: Tab) -> None:
    text = tab.evaluate("document.querySelector('#differences').innerText")
    assert "batch_size" not in text
    assert "val/loss" in text
    tab.click("#same")
    tab.wait_for("document.querySelector('#differences').innerText.includes('batch_size')")
    # And what they ran with.
    everything = tab.evaluate("document.querySelector('#differences').innerText")
    assert "machine\tnode-1\tnode-1" in everything


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_laptop_and_phone_light_and_dark(
    browser: Browser, small: Path, width: int, dark: bool
) -> None:
    tab = browser.tab()
    tab.size(width, 900, dark=dark)
    tab.open(small)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(21, 23, 27)" if dark else "rgb(252, 252, 250)")
    assert inked(tab, "#curves canvas") > 500
    assert tab.errors == []
    tab.close()


def test_paper_is_light_and_has_no_controls(tab: Tab) -> None:
    tab.click("#theme")
    tab.wait_for("document.documentElement.dataset.theme === 'dark'")
    # Printed is what is there when that has been heard: the browser waits for nothing.
    assert tab.evaluate(f"dispatchEvent(new Event('beforeprint')) && {ROWS}.length") == 24
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"
    assert tab.evaluate("document.querySelector('#failures details').open")
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.evaluate("getComputedStyle(document.querySelector('#controls')).display") == "none"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not tab.evaluate("document.querySelector('#failures details').open")


@pytest.mark.parametrize("entries", [{"seed": 3}, {"grid": {"seed": [0, 1]}}])
def test_before_anything_has_run_there_is_a_page_too(
    browser: Browser, tmp_path: Path, entries: dict[str, Any]
) -> None:
    page = write_page(freeze(tmp_path, "new", **entries), tmp_path / "new.html")
    tab = browser.tab()
    tab.size(800, 600)
    tab.open(page)
    assert "nothing to draw: no metric has been logged yet" in tab.evaluate(
        "document.querySelector('#curves').innerText"
    )
    # Nothing can be chosen where there is nothing to choose.
    for selector in ("#metric", "#curve-controls", "#pair"):
        assert not tab.evaluate(f"document.querySelector('{selector}').checkVisibility()")
    assert tab.errors == []
    tab.close()


def test_one_run_has_no_parts_that_compare(browser: Browser, tmp_path: Path) -> None:
    experiments = freeze(tmp_path, "one")
    train(experiments[0], 5, ("val/loss",))
    tab = browser.tab()
    tab.size(800, 600)
    tab.open(write_page(experiments, tmp_path / "one.html"))
    shown = "[...document.querySelectorAll('section')].filter((e) => !e.hidden).map((e) => e.id)"
    assert tab.evaluate(shown) == ["summary-section", "curves-section", "table-section"]
    cards = tab.evaluate("document.querySelector('#cards').innerText")
    assert "1 attempt\n" in cards
    assert f"{experiments[0].id}\n" in cards
    assert tab.errors == []
    tab.close()


def test_what_has_diverged_is_told_from_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    lasts = [math.nan, math.inf, -1e300, 1e300, 0.5, 1e-300]
    names = [f"model.init_args.kw{index}" for index in range(30)]
    points = [dict.fromkeys(names, value) for value in range(len(lasts))]
    experiments = freeze(tmp_path, "wild", include=points)
    for experiment, last in zip(experiments, lasts, strict=True):
        journal = JournalWriter(experiment.create_run_dir().metrics, 1, None)
        for step, loss in ((1, 1.0), (2, last)):
            journal.append(step, 0, BEGAN + step, {"val/loss": loss})
        journal.close()
        attempt(experiment, ended=BEGAN + 9)
    tab = browser.tab()
    tab.size(360, 740)
    tab.open(write_page(experiments, tmp_path / "wild.html"))
    lasts_shown = [row[2 + len(names)] for row in tab.evaluate(CELLS)]
    assert lasts_shown == ["nan", "inf", "-1e300", "1e300", "0.5", "1e-300"]
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    assert tab.evaluate("document.querySelector('#curves').plot.axes[1]._values.length") > 2
    said = "document.querySelector('#curves').innerText"
    type_filter(tab, "val/loss=nan state=done")
    tab.wait_for(f"{said} === 'nothing to draw: no run with values of val/loss'")
    assert tab.errors == []
    tab.close()


def test_a_curve_of_one_point_is_a_dot_and_a_long_or_empty_value_is_named(
    browser: Browser, tmp_path: Path
) -> None:
    experiments = freeze(tmp_path, "dots", grid={"model.init_args.kw": ["y" * 400, ""]})
    train(experiments[0], 1, ("val/loss",))
    tab = browser.tab()
    tab.size(800, 600)
    tab.open(write_page(experiments, tmp_path / "dots.html"))
    # Anything that is not of a shade of grey, as the grid is.
    coloured = (
        "(() => { const c = document.querySelector('#curves canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 0; i < d.length; i += 4)"
        "n += d[i + 3] > 100 && Math.abs(d[i] - d[i + 2]) > 90;"
        "return n; })()"
    )
    assert tab.evaluate(coloured) > 4
    chips = "[...document.querySelectorAll('#legend .chip')].map((chip) => chip.innerText)"
    assert tab.evaluate(chips) == ["y" * 30 + "…" + "y" * 29, '""']
    # A label of 16 letters ends before the next axis; there are two.
    assert tab.evaluate("parseFloat(document.querySelector('#parallel').style.minWidth)") > 2 * 120
    assert tab.errors == []
    tab.close()


def test_500_points_with_8_metrics_are_small_and_drawn(browser: Browser, tmp_path: Path) -> None:
    experiments = freeze(tmp_path, "large", grid=GRID)
    assert len(experiments) == 500
    # Some of the points as training would leave them, the others with copies of their rows.
    for experiment in experiments[:25]:
        train(experiment, 1000)
    for index, experiment in enumerate(experiments[25:]):
        copy(experiments[index % 25], experiment)
    folder = experiments[0].run_dir.plots / "val"
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(b64decode(DOT))
    page = write_page(experiments, tmp_path / "large.html")
    assert page.stat().st_size < 15e6
    tab = browser.tab()
    tab.size(1280, 900)
    tab.open(page)
    assert inked(tab, "#curves canvas") > 10_000
    tab.place("#pictures img")
    tab.wait_for("document.querySelector('#pictures img').naturalWidth === 1")
    assert tab.evaluate(f"{ROWS}.length") == 25
    # Paper has no pages to turn, and is printed at once.
    assert tab.evaluate(f"dispatchEvent(new Event('beforeprint')) && {ROWS}.length") == 500
    assert tab.evaluate(f"dispatchEvent(new Event('afterprint')) && {ROWS}.length") == 25
    assert tab.errors == []
    tab.close()
