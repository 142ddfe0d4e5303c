"""Fetch what the page of `pcm report` draws with, over npm, into launch/report/page/vendor.

    .venv/bin/python scripts/page_libraries.py

Only what the page uses is bundled: of ECharts a third, of Tabulator a half. The versions below
decide; the same ones give the same bytes, and `manifest.json` has their hashes.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

VENDOR = Path(__file__).parents[1] / "launch" / "report" / "page" / "vendor"

ESBUILD = "0.28.2"

ECHARTS = """
import { init, use } from "echarts/core";
import { ParallelChart, ScatterChart } from "echarts/charts";
import { GridComponent, ParallelComponent, TooltipComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
use([ParallelChart, ScatterChart, GridComponent, ParallelComponent, TooltipComponent,
  CanvasRenderer]);
export { init };
"""

TABULATOR = """
import { Tabulator, AccessorModule, FilterModule, FormatModule, FrozenColumnsModule,
  InteractionModule, PageModule, ResizeColumnsModule, ResizeTableModule, SelectRowModule,
  SortModule } from "tabulator-tables";
Tabulator.registerModule([AccessorModule, FilterModule, FormatModule, FrozenColumnsModule,
  InteractionModule, PageModule, ResizeColumnsModule, ResizeTableModule, SelectRowModule,
  SortModule]);
export { Tabulator };
"""

PACKAGES = [
    {
        "name": "uplot",
        "version": "1.6.32",
        "licence": "MIT",
        "copied": {
            "dist/uPlot.iife.min.js": "uplot.min.js",
            "dist/uPlot.min.css": "uplot.min.css",
            "LICENSE": "uplot.LICENSE",
        },
    },
    {
        "name": "echarts",
        "version": "6.1.0",
        "licence": "Apache-2.0",
        "bundled": {"echarts.min.js": ECHARTS},
        "copied": {"LICENSE": "echarts.LICENSE", "NOTICE": "echarts.NOTICE"},
    },
    {
        "name": "zrender",
        "version": "6.1.0",
        "licence": "BSD-3-Clause",
        "copied": {"LICENSE": "zrender.LICENSE"},
    },
    {
        "name": "tabulator-tables",
        "version": "6.5.3",
        "licence": "MIT",
        "bundled": {"tabulator.min.js": TABULATOR},
        "copied": {
            "dist/css/tabulator_simple.min.css": "tabulator.min.css",
            "LICENSE": "tabulator.LICENSE",
        },
    },
]


def main() -> None:
    """Fetch, bundle, copy, write the manifest."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to fetch the page's libraries; install Node.js")
    with TemporaryDirectory() as name:
        folder = Path(name)
        wanted = [f"{each['name']}@{each['version']}" for each in PACKAGES]
        quiet = ["--no-audit", "--no-fund", "--no-save", "--silent"]
        subprocess.run(
            [npm, "install", *quiet, *wanted, f"esbuild@{ESBUILD}"], cwd=folder, check=True
        )
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        records = [_vendored(package, folder) for package in PACKAGES]
    manifest = {"esbuild": ESBUILD, "packages": records}
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _vendored(package: dict, folder: Path) -> dict:
    """Put a package's files in their place; its record in the manifest."""
    home = folder / "node_modules" / package["name"]
    version = json.loads((home / "package.json").read_text())["version"]
    if version != package["version"]:
        raise SystemExit(f"npm gave {package['name']} {version} instead of {package['version']}")
    for source, target in package["copied"].items():
        # Some files end without a line's end, some have Windows' ones; the repository has neither.
        (VENDOR / target).write_text((home / source).read_text().rstrip() + "\n")
    for target, entry in package.get("bundled", {}).items():
        _bundle(folder, entry, VENDOR / target)
    files = [*package["copied"].values(), *package.get("bundled", {})]
    hashes = {
        file: hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() for file in sorted(files)
    }
    return {key: package[key] for key in ("name", "version", "licence")} | {"files": hashes}


def _bundle(folder: Path, entry: str, target: Path) -> None:
    source = folder / "entry.js"
    source.write_text(entry)
    name = target.name.partition(".")[0]
    flags = ["--bundle", "--minify", "--format=iife", "--legal-comments=none", "--charset=ascii"]
    subprocess.run(
        [
            folder / "node_modules" / ".bin" / "esbuild",
            source,
            *flags,
            f"--global-name={name}",
            f"--outfile={target}",
            "--log-level=error",
        ],
        cwd=folder,
        check=True,
    )


if __name__ == "__main__":
    main()
