"""Plug-ins: what other installed packages offer under the entry-point group ``lightbox``, and what keeps one out.

An entry point is ``KIND.NAME = "package.module"`` or ``… = "package.module:Object"``; without a kind it may define
anything. Each is imported at most once, when something of its kind is first asked for. One that cannot be used is left
out and named (`left_out`); it never stops anything else.
"""

import importlib
import re
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from core import VERSION
from core.errors import BadInput
from core.settings import ROOT, settings

GROUP = "lightbox"
#: Name of this product's own distribution.
PRODUCT = "lightbox"
#: Its top-level packages.
PRODUCT_PACKAGES = ("core", "dashboard", "pages")
#: What there can be more of. A plug-in without a kind may define any of the first; of the others the entry point says
#: the name, so that they are listed without importing anybody's code.
DEFINED = ("explainers", "architectures", "recipes", "studies", "run-kinds", "metrics", "formats", "workers")
NAMED = ("benches", "commands", "pages", "kinds")

_LONGEST_REASON = 300
_VALUE = re.compile(r"\s*[\w.]+\s*(:\s*[\w.]+\s*)?")


@dataclass(frozen=True)
class Plugin:
    """One entry point.

    Parameters
    ----------
    kind : str
        One of `DEFINED` or `NAMED`; empty when it may define anything.
    name : str
        Its name without the kind.
    value : str
        ``package.module`` or ``package.module:Object``.
    package, version : str
        The distribution that brought it.
    """

    kind: str
    name: str
    value: str
    package: str
    version: str

    @property
    def module(self) -> str:
        """Dotted name of the module that it names."""
        return self.value.partition(":")[0].strip()

    @property
    def label(self) -> str:
        """What it is called in sentences: ``explainers.blackout of sample-plugin 1.0``."""
        return f"{self.kind}.{self.name} of {self.origin}" if self.kind else f"{self.name} of {self.origin}"

    @property
    def origin(self) -> str:
        """Package and version."""
        return f"{self.package} {self.version}".strip()

    @property
    def ours(self) -> bool:
        """Whether it is the product's own: what lies above the core is found in the same way as what is added."""
        return self.package == PRODUCT


@dataclass(frozen=True)
class LeftOut:
    """What is not used, and why: ``what`` names plug-in and thing, ``reason`` is a sentence's end."""

    what: str
    reason: str

    @property
    def sentence(self) -> str:
        """For people, one line."""
        return f"{self.what} is left out: {self.reason}."


_lock = threading.RLock()
_targets: dict[Plugin, Any] = {}
_failed: dict[Plugin, str] = {}
_loading = threading.local()


def plugins(kind: str | None = None) -> list[Plugin]:
    """Plug-ins that may define something of `kind` (None: all), the product's own first; imports none of them."""
    known, _ = _found()
    return [plugin for plugin in known if kind is None or plugin.kind == kind or _may_define(plugin, kind)]


def load(plugin: Plugin) -> Any:
    """What a plug-in names: a module or an object in it. None when it is left out.

    Whatever importing it raises is kept as the reason; what it had defined until then is forgotten.
    """
    with _lock:
        if plugin not in _targets and plugin not in _failed:
            _import(plugin)
        return _targets.get(plugin)


def loading() -> Plugin | None:
    """The plug-in that this thread is importing at the moment."""
    return getattr(_loading, "plugin", None)


def failed(plugin: Plugin) -> bool:
    """Whether a plug-in was tried and left out."""
    return plugin in _failed


def left_out() -> list[LeftOut]:
    """Plug-ins that cannot be used, as far as they have been tried."""
    _, broken = _found()
    return [*broken, *(LeftOut(f"The plug-in {plugin.label}", reason) for plugin, reason in _failed.items())]


def is_ours(module: str) -> bool:
    """Whether a module, by its dotted name, belongs to the product."""
    return module.partition(".")[0] in PRODUCT_PACKAGES


def origin_of(module: str) -> Plugin | None:
    """The plug-in whose package a module belongs to; None for the product's and for whatever else was imported."""
    if is_ours(module):
        return None
    top = module.partition(".")[0]
    return next((plugin for plugin in plugins() if plugin.module.partition(".")[0] == top), None)


def as_reason(error: BaseException) -> str:
    """An error as the end of a sentence: one line of printable characters, not too long."""
    plain = "".join(character if character.isprintable() else " " for character in str(error))
    said = " ".join(plain.split()).rstrip(". ")
    told = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return told if len(told) <= _LONGEST_REASON else told[: _LONGEST_REASON - 1] + "…"


def _may_define(plugin: Plugin, kind: str) -> bool:
    return not plugin.kind and kind in DEFINED


def _import(plugin: Plugin) -> None:
    before, outer = set(sys.modules), loading()
    _loading.plugin = plugin
    try:
        target: Any = importlib.import_module(plugin.module)
        for part in filter(None, plugin.value.partition(":")[2].strip().split(".")):
            target = getattr(target, part)
        _targets[plugin] = target
    except (Exception, SystemExit) as error:
        _failed[plugin] = as_reason(error)
        # as if it had never been imported, so that what it shares with another plug-in is defined there
        top = plugin.module.partition(".")[0]
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == top and not is_ours(name):
                del sys.modules[name]
    finally:
        _loading.plugin = outer


# ---- finding them


@lru_cache(maxsize=1)
def _found() -> tuple[tuple[Plugin, ...], tuple[LeftOut, ...]]:
    """Every plug-in that can be tried, and those that need not be."""
    found, broken = _our_own(ROOT), []
    for distribution in _others() if _wanted() else ():
        try:
            package, version = canonicalize_name(distribution.name), distribution.version
            declared = {point.name: point.value for point in distribution.entry_points if point.group == GROUP}
            unwanted = _other_version(distribution)
        except Exception as error:
            # somebody else's damaged metadata: whatever reading it raises, it is only this package that is left out
            broken.append(LeftOut("A plug-in package", f"its metadata cannot be read ({as_reason(error)})"))
            continue
        for plugin in _as_plugins(declared, package, version):
            reason = unwanted or _misnamed(plugin)
            if reason:
                broken.append(LeftOut(f"The plug-in {plugin.label}", reason))
            else:
                found.append(plugin)
    return tuple(found), tuple(broken)


def _wanted() -> bool:
    """Whether plug-ins are used at all; not while the settings are wrong, which every command then says by itself."""
    try:
        return settings().plugins
    except BadInput:
        return False


def _our_own(checkout: Path) -> list[Plugin]:
    """What the product itself declares: in a checkout its pyproject.toml says so, else what was installed."""
    file = checkout / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
        return _as_plugins(project.get("entry-points", {}).get(GROUP, {}), PRODUCT, VERSION)
    points = (point for found in distributions(name=PRODUCT) for point in found.entry_points if point.group == GROUP)
    return _as_plugins({point.name: point.value for point in points}, PRODUCT, VERSION)


def _others() -> Iterator[Distribution]:
    """Other installed packages that declare something, in the order of their names; of one found twice the first."""
    met: dict[str, Distribution] = {}
    for distribution in distributions():
        # the text first: parsing the metadata of everything installed would cost each start a tenth of a second
        if f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or ""):
            met.setdefault(canonicalize_name(distribution.name or ""), distribution)
    return (met[name] for name in sorted(met) if name != PRODUCT)


def _as_plugins(declared: Mapping[str, str], package: str, version: str) -> list[Plugin]:
    made = []
    for name in sorted(declared):
        kind, dot, rest = name.partition(".")
        made.append(Plugin(kind if dot else "", rest if dot else name, declared[name], package, version))
    return made


def _misnamed(plugin: Plugin) -> str:
    if plugin.kind and plugin.kind not in (*DEFINED, *NAMED):
        return f"there is no kind {plugin.kind!r}; there is {', '.join((*DEFINED, *NAMED))}"
    return "" if _VALUE.fullmatch(plugin.value) else f"{plugin.value!r} names no module and no object of one"


def _other_version(distribution: Distribution) -> str:
    """Why a package does not go with this version of Lightbox, by what it requires itself; empty when it does."""
    for text in distribution.requires or ():
        try:
            required = Requirement(text)
        except InvalidRequirement:
            continue
        wanted = canonicalize_name(required.name) == PRODUCT and (required.marker is None or required.marker.evaluate())
        if wanted and not required.specifier.contains(VERSION, prereleases=True):
            return f"it needs lightbox {required.specifier}, and this is {VERSION}"
    return ""
