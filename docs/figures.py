"""Draw the figures of the explanations and of the gallery from the library itself, on generated systems.

python docs/figures.py
python docs/figures.py dashjax-quickstart
python docs/figures.py NAME=PAGE …

The gallery's are made by the very lines on its page. The second command takes the pictures of the README and of the
first tutorial from a folder of `dashjax quickstart`, the third pictures of pages at two widths, for the gallery's end;
both need chromium. `overview.svg` is written by hand.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from PIL import Image

import dashjax as dj
from dashjax.dynamics import solve_trajectories
from dashjax.evidence.paths import initial_states
from dashjax.inference import infer
from dashjax.plot.style import make_panels
from dashjax.simulate import drop_edges
from dashjax.sparsity import dash_one_layer, prune_lowest

FOLDER = Path(__file__).parent / "figures"
GENES, CUT, TRUST = 12, 0.85, 0.01
TRUE, FALSE = "#0072B2", "#D55E00"


def main() -> None:
    """Draw all of them, or those of the quickstart whose folder is given, or those of pages."""
    FOLDER.mkdir(exist_ok=True)
    if pages := dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word):
        return draw_pages({name: Path(page) for name, page in pages.items()})
    if sys.argv[1:]:
        return draw_quickstart(Path(sys.argv[1]))
    for draw in (draw_dash, draw_posterior, draw_paths):
        figure = draw()
        path = FOLDER / f"{draw.__name__.removeprefix('draw_')}.png"
        figure.savefig(path, dpi=100)
        print(path)
    draw_gallery()
    draw_architecture()


def direct_imports() -> dict[str, set[str]]:
    """Return what each package imports and reaches through no other package that it imports, from the source itself."""
    root = Path(dj.__file__).parent
    parts = {path.stem: [path] if path.is_file() else sorted(path.rglob("*.py")) for path in root.glob("[a-z]*")}
    imports: dict[str, set[str]] = {}
    for name, files in parts.items():
        code = "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix == ".py")
        found = re.findall(r"^\s*(?:from|import) dashjax\.(\w+)", code, flags=re.M)
        if any(path.suffix == ".py" for path in files):
            imports[name] = set(found) - {name}
    reached: dict[str, set[str]] = {}

    def below(name: str) -> set[str]:
        if name not in reached:
            reached[name] = imports[name].union(*(below(part) for part in imports[name]))
        return reached[name]

    return {name: {p for p in parts if not any(p in below(q) for q in parts)} for name, parts in imports.items()}


def draw_architecture() -> None:
    """Draw which package imports which, each below all that import it; a test compares the ids in the file."""
    imports = direct_imports()
    depth: dict[str, int] = {}
    while len(depth) < len(imports):
        for name in imports:
            above = [other for other, parts in imports.items() if name in parts]
            if name not in depth and set(above) <= set(depth):
                depth[name] = 1 + max((depth[other] for other in above), default=-1)
    deepest = max(depth.values())
    places: dict[str, tuple[float, int]] = {}
    for row in range(deepest + 1):
        # Each stands near the mean of those above that import it, as far as there is room.
        near = {
            name: np.mean([places[other][0] for other in places if name in imports[other]] or [0.0])
            for name in imports
            if depth[name] == row
        }
        names = sorted(near, key=lambda name: (near[name], name))
        middle = float(np.mean(list(near.values())))
        across = middle + np.arange(len(names)) - (len(names) - 1) / 2
        places |= {name: (float(x), deepest - row) for name, x in zip(names, across, strict=True)}
    figure, ((axes,),) = make_panels(width=9, height=0.62 * (deepest + 1))
    for name, (x, y) in places.items():
        for part in imports[name]:
            end = places[part]
            arrow = {"arrowstyle": "-|>", "color": "0.6", "linewidth": 0.8, "shrinkA": 9, "shrinkB": 11}
            drawn = axes.annotate("", end, (x, y), arrowprops=arrow)
            drawn.arrow_patch.set_gid(f"{name}->{part}")
        box = {"boxstyle": "round,pad=0.35", "facecolor": "#E8F1F8", "edgecolor": TRUE, "linewidth": 0.8}
        axes.text(x, y, name, ha="center", va="center", fontsize=9, bbox=box)
    axes.set_axis_off()
    axes.set(
        xlim=(min(x for x, _ in places.values()) - 0.6, max(x for x, _ in places.values()) + 0.6),
        ylim=(-0.6, deepest + 0.6),
    )
    path = FOLDER / "architecture.svg"
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "dashjax", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
    print(path)


def save_small(figure, path: Path) -> None:
    """Save a picture in as many colours as a plot has."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=80)
    Image.open(buffer).convert("RGB").quantize(128).save(path, optimize=True)


def draw_quickstart(results: Path) -> None:
    """Keep the figure of a quickstart, and two parts of its network's page as a browser shows them."""
    shutil.copy(results / "figures" / "sparsity_accuracy.png", FOLDER / "quickstart.png")
    parts = photograph(
        results / "network" / "report.html", ["What did the data add to the prior?", "What is the network?"]
    )
    page = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), "white")
    for number, part in enumerate(parts):
        page.paste(part, (0, sum(above.height for above in parts[:number])))
    page.quantize(64, dither=Image.Dither.NONE).save(FOLDER / "page.png", optimize=True)


def draw_pages(pages: dict[str, Path]) -> None:
    """Keep the first sections of pages as a wide window and a phone show them, side by side."""
    folder = FOLDER / "pages"
    folder.mkdir(exist_ok=True)
    for name, page in pages.items():
        wide, narrow = (first_screens(page, width) for width in (1400, 400))
        both = Image.new("RGB", (wide.width + 40 + narrow.width, wide.height), "#888888")
        both.paste(wide, (0, 0))
        both.paste(narrow, (wide.width + 40, 0))
        path = folder / f"{name}.png"
        both.quantize(160, dither=Image.Dither.NONE).save(path, optimize=True)
        print(path)


def first_screens(page: Path, width: int, height: int = 2000) -> Image.Image:
    """Return a picture of the top of a page."""
    with open_browser(page, width, height) as browser:
        time.sleep(4)  # until the network is laid out
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")


@contextmanager
def open_browser(page: Path, width: int, height: int):
    """Open a page in a browser of this size, without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    with webdriver.Chrome(options) as browser:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.resolve().as_uri())
        yield browser


def photograph(page: Path, headings: list[str], width: int = 1400) -> list[Image.Image]:
    """Return pictures of the sections of a page under these headings; the first with what stands above it."""
    pictures = []
    with open_browser(page, width, 1300) as browser:
        for number, heading in enumerate(headings):
            (section,) = [part for part in browser.find_elements("tag name", "section") if heading in part.text]
            browser.execute_script("arguments[0].scrollIntoView()", section)
            time.sleep(3)  # until the network is laid out
            above = browser.execute_script("return scrollY")
            top, bottom = section.rect["y"] - above, section.rect["y"] + section.rect["height"] - above
            shot = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
            pictures.append(shot.crop((0, 0 if number == 0 else int(top), width, int(bottom))))
    return pictures


def draw_gallery() -> None:
    """Run the gallery's lines in their order, and keep the axes that stand before each picture."""
    parts = re.findall(r"```(\w+)\n(.*?)```|\((figures/\w+\.png)\)", (FOLDER.parent / "gallery.md").read_text(), re.S)
    scope: dict = {}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for language, lines, picture in parts:
                if language == "python":
                    exec(lines, scope)
                elif language == "bash":
                    words = lines.strip().removeprefix("dashjax ").split()
                    subprocess.run([sys.executable, "-m", "dashjax", *words], check=True)
                else:
                    save_small(scope["axes"].figure, FOLDER.parent / picture)
                    print(FOLDER.parent / picture)
        finally:
            os.chdir(before)


def draw_dash():
    """One DASH cut of an edge-resolved field: magnitude and prior make a score, the lowest scores go."""
    system = dj.generate_system(GENES, seed=4)
    data = dj.simulate_study(system, seed=0, train=40, validation=5, test=5)
    prior = dj.make_prior(dj.relocate_edges(np.random.default_rng(0), system.truth, share=0.2))
    config = dj.FitConfig(field=dj.DirectSpec(), epochs=40)
    never = dj.make_hyperparameters(schedule=dj.no_pruning(), noise=0.05)
    field = dj.fit(jax.random.key(0), data, prior, never, config).field

    magnitude = field.magnitudes()[0][0]
    score = dash_one_layer(magnitude, prior.edges.T, jnp.float32(TRUST))
    mask = prune_lowest(jnp.ones(score.shape, bool), score, CUT)
    panels = (
        ("magnitude |W|", magnitude, "Blues", LogNorm(1e-3, float(magnitude.max()))),
        ("prior |P|", jnp.abs(prior.edges.T), ListedColormap(["white", "#009E73"]), None),
        (f"score, λ = {TRUST:g}", score, "Blues", LogNorm(1e-3, float(score.max()))),
        (f"mask: {1 - CUT:.0%} stay", mask, ListedColormap(["white", "#555555"]), None),
    )
    figure, (axes,) = make_panels(4, width=11, height=3.2)
    for number, (panel, (title, values, colours, norm)) in enumerate(zip(axes, panels, strict=True)):
        panel.imshow(np.asarray(values, float), cmap=colours, norm=norm)
        target, regulator = np.nonzero(system.truth.T)
        panel.scatter(regulator, target, s=70, facecolors="none", edgecolors=FALSE, linewidths=1.2)
        panel.set(title=title, xticks=[], yticks=[], xlabel="regulator")
        panel.spines[:].set_visible(True)
        if number == 0:
            panel.set_ylabel("target")
    figure.suptitle("circles: true edges", fontsize=9, color=FALSE)
    return figure


def draw_posterior():
    """Probability of every edge against what the prior says of it, with a fifth of the prior false, some missing."""
    rng = np.random.default_rng(1)
    system = dj.generate_system(40, seed=3)
    stated = dj.relocate_edges(rng, drop_edges(rng, system.truth, share=0.1), share=0.2)
    clean = dj.simulate_study(system, seed=0, train=60, validation=5, test=5).train
    noisy = np.asarray(clean.expression) + 0.05 * rng.normal(size=clean.expression.shape)
    observed = dj.make_trajectories(list(np.asarray(clean.times)), list(noisy))
    network = infer(dj.make_problem(observed, system.genes, dj.make_prior(stated)), epochs=40)
    probability, returned = np.abs(network.scores), network.returned

    truth, prior = system.truth != 0, stated != 0
    off = ~np.eye(len(truth), dtype=bool)
    groups = (
        ("true, in the prior", truth & prior, TRUE),
        ("true, not in the prior", truth & ~prior, TRUE),
        ("false, in the prior", ~truth & prior & off, FALSE),
        ("false, not in the prior", ~truth & ~prior & off, FALSE),
    )
    figure, ((axes,),) = make_panels(width=8, height=3.2)
    for height, (_, members, colour) in enumerate(groups):
        jitter = rng.uniform(-0.28, 0.28, members.sum())
        axes.plot(probability[members], -height + jitter, ".", color=colour, alpha=0.5)
    axes.axvline(probability[returned].min(), color="black", linestyle="--", linewidth=1)
    axes.set_yticks(
        [-height for height in range(4)],
        [f"{name}: {returned[m].sum()} of {m.sum():,} returned" for name, m, _ in groups],
    )
    axes.set(xlabel="probability that the edge exists", xlim=(-0.02, 1.02))
    axes.set_title("right of the dashed line: returned at an expected precision of .9", fontsize=9)
    return figure


def draw_paths():
    """One gene of one noisy trajectory: steps from each observation, and a path through all of them."""
    system = dj.generate_system(GENES, seed=4)
    times = np.linspace(0.0, 9.0, 10)
    data = dj.simulate_study(system, seed=0, train=40, validation=5, test=5, times=times)
    prior = dj.make_prior(system.truth)
    hyper = dj.make_hyperparameters(schedule=dj.no_pruning(), learning_rate=5e-3)
    config = dj.FitConfig(field=dj.DirectSpec(), objective=dj.WholeTrajectory(), epochs=60)
    field = dj.fit(jax.random.key(0), data, prior, hyper, config).field

    clean = np.asarray(data.test.expression)
    noisy = clean + 0.08 * np.random.default_rng(2).normal(size=clean.shape)
    observed = dj.make_trajectories([times] * len(clean), list(noisy))
    solve = dj.FixedSteps()
    fine = np.linspace(0.0, 1.0, 12)
    starts = jnp.asarray(noisy[0, :-1], jnp.float32)
    steps = np.asarray(solve_trajectories(field, starts, jnp.asarray(fine, jnp.float32)[None], solve))
    dense = jnp.linspace(0.0, 9.0, 91)[None]
    path = np.asarray(solve_trajectories(field, initial_states(field, observed, solve), dense, solve))[0]

    gene = int(np.argmax(np.ptp(clean[0], axis=0)))
    figure, (panels,) = make_panels(2, width=9.5, height=3.3, sharey=True)
    for panel, title in zip(panels, ("single steps", "whole path"), strict=True):
        panel.plot(times, clean[0, :, gene], ":", color="#777777", label="truth")
        panel.plot(times, noisy[0, :, gene], "o", color="black", markersize=4, label="observations")
        panel.set(title=title, xlabel="time")
    for number, step in enumerate(steps):
        panels[0].plot(times[number] + fine, step[:, gene], color=TRUE, label="prediction" if number == 0 else None)
    panels[1].plot(dense[0], path[:, gene], color=TRUE, label="prediction")
    panels[0].set_ylabel("expression of one gene")
    panels[1].legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
