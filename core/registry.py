"""What there is of each kind: found in folders of the product and in plug-ins, by one mechanism.

A `Registry` knows things that make themselves known when their file is imported (explainers, recipes …); a
`NamedModules` knows things by the names of their files (benches, commands), which are only imported when wanted.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core import plugins
from core.errors import BadInput, LightboxError
from core.plugins import LeftOut, Plugin
from core.settings import ROOT

Item = TypeVar("Item")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NAME_RULE = "is no name: small letters, digits, - and _, at most 64"


def look_up(name: str, known: Mapping[str, Item], what: str, hint: str = "") -> Item:
    """What is known by `name`; `what` says in words what kind of thing it is.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    if name not in known:
        raise BadInput(f"There is no {what} {name!r}; there is {', '.join(known)}{hint}.")
    return known[name]


def not_a_subclass(item: Any, base: type, *texts: str) -> str | None:
    """Why something is no usable subclass of `base`, as a sentence's end: it is none, or lacks one of its `texts`."""
    if not (isinstance(item, type) and issubclass(item, base)):
        return f"{getattr(item, '__qualname__', 'it')} is no subclass of {base.__module__}.{base.__qualname__}"
    missing = next((text for text in texts if not isinstance(getattr(item, text, None), str)), None)
    return f"it lacks the text {missing!r}" if missing is not None else None


def names_in(package: str, without: Collection[str] = ()) -> list[str]:
    """Names of the public files and folders of a package; those that begin with an underscore are parts of others."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(module.name for module in found if module.name not in without and not module.name.startswith("_"))


def import_files_of(package: str, without: Collection[str] = ()) -> None:
    """Import every public file of a package (but `without`), so that the classes in them make themselves known.

    A module that is no package is imported itself.
    """
    if not hasattr(importlib.import_module(package), "__path__"):
        return
    for name in names_in(package, without):
        importlib.import_module(f"{package}.{name}")


@dataclass(eq=False)
class _Offer(Generic[Item]):
    """Something that made itself known.

    ``reference`` gives it, or None when it is gone; ``plugin`` brought it, None for the product and for whatever a
    test or a notebook defines; ``order`` is lower for what wins over a namesake.
    """

    reference: Callable[[], Item | None]
    name: str | None
    plugin: Plugin | None
    order: int
    reason: str | None = None


class Registry(Generic[Item]):
    """Everything of one kind.

    Parameters
    ----------
    kind : str
        Plural, as in `core.plugins.DEFINED`; what entry points and ``list`` call it.
    noun : str
        What one is called in sentences.
    folders : collection of str
        Packages of the product whose files define some, or single modules.
    without : collection of str
        Files in them that define none.
    judge : callable
        Why something cannot be one, as a sentence's end; None when it can.
    attribute : str
        Attribute that holds the name of one.
    describe : callable
        What there is to say of one beside its name, as plain data.
    """

    def __init__(
        self,
        kind: str,
        noun: str,
        folders: Collection[str] = (),
        without: Collection[str] = (),
        judge: Callable[[Any], str | None] = lambda item: None,
        attribute: str = "name",
        describe: Callable[[Any], dict[str, Any]] = lambda item: {},
    ) -> None:
        self.kind = kind
        self.noun = noun
        self._describe = describe
        self._folders = folders
        self._without = without
        self._attribute = attribute
        self._imported = False
        self._judge = judge
        self._offers: list[_Offer[Item]] = []
        self._left_out: list[LeftOut] = []
        self._lock = threading.RLock()

    def offer(self, item: Item, name: str | None = None, module: str | None = None) -> None:
        """Make something known: called by whatever defines it (a base class, a decorator, an entry point).

        Parameters
        ----------
        item
            A class is held weakly: one that a test or a notebook drops is no longer there.
        name : str, optional
            Its name; by default its own attribute, read when it is asked for.
        module : str, optional
            Which module defines it; by default its own attribute.
        """
        module = module or getattr(item, "__module__", "") or ""
        ours = plugins.is_ours(module)
        plugin = None if ours else plugins.loading() or plugins.origin_of(module)
        self._keep(item, name, plugin, 0 if ours else 1 if plugin else 2)

    def _keep(self, item: Item, name: str | None, plugin: Plugin | None, order: int) -> None:
        reference: Callable[[], Item | None] = weakref.ref(item) if isinstance(item, type) else lambda: item
        with self._lock:
            if not any(offer.reference() is item for offer in self._offers):
                self._offers.append(_Offer(reference, name, plugin, order))

    def all(self) -> dict[str, Item]:
        """Everything by name, in alphabetical order; imports what defines it."""
        with self._lock:
            self._import_folders()
            broken = [reason for plugin in plugins.plugins(self.kind) if (reason := self._take(plugin))]
            found = self._settled(broken)
        return dict(sorted(found.items()))

    def get(self, name: str) -> Item:
        """One of them.

        Raises
        ------
        BadInput
            When there is none; lists the ones there are.
        """
        return look_up(name, self.all(), self.noun, _hint(self.left_out()))

    def rows(self) -> list[dict[str, Any]]:
        """Every one as plain data: ``name``, what there is to say of it, and ``plugin``, the package it comes from."""
        return [
            {"name": name, "title": first_line(item.__doc__), **self._describe(item), "plugin": self._origin(item)}
            for name, item in self.all().items()
        ]

    def _origin(self, item: Item) -> str | None:
        """Package and version of the plug-in that brought it; None for the product's own."""
        return next((o.plugin.origin for o in self._offers if o.reference() is item and o.plugin), None)

    def left_out(self) -> list[LeftOut]:
        """What could not be used, as far as it was tried: plug-ins of this kind, and things in them."""
        with self._lock:
            return [*plugins.left_out(), *self._left_out]

    def _import_folders(self) -> None:
        if not self._imported:
            self._imported = True
            for folder in self._folders:
                import_files_of(folder, self._without)

    def _take(self, plugin: Plugin) -> LeftOut | None:
        """Import a plug-in; what is wrong with one that names this kind and has nothing of it."""
        target = plugins.load(plugin)
        if target is None or not plugin.kind:
            return None
        if ":" in plugin.value:
            self._keep(target, None, plugin, 1)
            return None
        top = plugin.module.partition(".")[0]
        if any(offer.plugin and offer.plugin.module.partition(".")[0] == top for offer in self._offers):
            return None
        return LeftOut(f"The plug-in {plugin.label}", f"{plugin.module} defines no {self.noun}")

    def _settled(self, broken: Iterable[LeftOut]) -> dict[str, Item]:
        """One thing a name; the rest is kept as left out."""
        found: dict[str, Item] = {}
        self._left_out = list(broken)
        self._offers = [offer for offer in self._offers if offer.reference() is not None]
        # of two that somebody typed in, the later is meant: a cell of a notebook that was run again
        typed = [offer for offer in reversed(self._offers) if offer.order == 2]
        for offer in [*sorted((o for o in self._offers if o.order < 2), key=lambda o: o.order), *typed]:
            item = offer.reference()
            if item is None or (offer.plugin and plugins.failed(offer.plugin)) or _is_a_base(item, offer.plugin):
                continue
            name = offer.name if offer.name is not None else getattr(item, self._attribute, None)
            if offer.reason is None:
                offer.reason = self._complaint(item, name)
            reason = offer.reason
            if not reason and name in found:
                if offer.order == 2:
                    continue
                reason = f"the name {name!r} is taken: give it another"
            if reason:
                brought = f" of {offer.plugin.origin}" if offer.plugin else ""
                self._left_out.append(LeftOut(f"The {self.noun} {_called(item, name)}{brought}", reason))
            else:
                found[str(name)] = item
        return found

    def _complaint(self, item: Any, name: object) -> str:
        """Why something cannot be used; empty when it can."""
        if not isinstance(name, str):
            return f"it has no name: a {self.noun} says it in its attribute {self._attribute!r}"
        if not _NAME.fullmatch(name):
            return f"{name[:80]!r} {_NAME_RULE}"
        if inspect.isabstract(item):
            return f"it lacks {', '.join(sorted(item.__abstractmethods__))}"
        try:
            return self._judge(item) or ""
        except Exception as error:
            # a stranger's class: whatever looking at it raises, it is only this one that is left out
            return f"it is no {self.noun} ({plugins.as_reason(error)})"


class NamedModules:
    """Everything of one kind, by the names of files: none is imported before it is wanted.

    Parameters
    ----------
    kind, noun : str
        As for `Registry`; the kind is one of `core.plugins.NAMED`.
    folder : str, optional
        Package of the product: each public file is one.
    judge : callable
        Why a module (or the object that an entry point names) cannot be one; None when it can.
    """

    def __init__(
        self, kind: str, noun: str, folder: str | None = None, judge: Callable[[Any], str | None] = lambda item: None
    ) -> None:
        self.kind = kind
        self.noun = noun
        self._folder = folder
        self._judge = judge

    def names(self) -> list[str]:
        """Every name, in alphabetical order."""
        return sorted(self._sources()[0])

    def get(self, name: str) -> Any:
        """The module, or the object that an entry point names.

        Raises
        ------
        BadInput
            When there is none; lists the ones there are.
        LightboxError
            When a plug-in's cannot be used; says why.
        """
        sources, broken = self._sources()
        source = look_up(name, dict(sorted(sources.items())), self.noun, _hint(broken))
        if not isinstance(source, Plugin):
            return importlib.import_module(source)
        target = plugins.load(source)
        reason = self._complaint(target) if target is not None else ""
        if target is None or reason:
            label = f"The plug-in {source.label}"
            told = [left.sentence for left in plugins.left_out() if left.what == label]
            raise LightboxError(told[0] if told else LeftOut(label, reason).sentence)
        return target

    def usable(self) -> dict[str, Any]:
        """Every one that can be used by name; imports all of them."""
        found = {}
        for name in self.names():
            try:
                found[name] = self.get(name)
            except LightboxError:
                continue
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Every one as plain data: ``name``, ``title``, ``plugin``; reads the product's own sources for it."""
        found = []
        for name, source in sorted(self._sources()[0].items()):
            module = source.module if isinstance(source, Plugin) else source
            if plugins.is_ours(module):
                found.append({"name": name, "title": _first_line_of(module), "plugin": None})
                continue
            assert isinstance(source, Plugin)
            target = plugins.load(source)
            if target is not None and not self._complaint(target):
                title = first_line(getattr(target, "__doc__", None))
                found.append({"name": name, "title": title, "plugin": source.origin})
        return found

    def left_out(self) -> list[LeftOut]:
        """What cannot be used; imports all of them."""
        sources, broken = self._sources()
        for source in sources.values():
            if isinstance(source, Plugin) and (target := plugins.load(source)) is not None:
                reason = self._complaint(target)
                broken += [LeftOut(f"The plug-in {source.label}", reason)] if reason else []
        return [*plugins.left_out(), *broken]

    def _sources(self) -> tuple[dict[str, str | Plugin], list[LeftOut]]:
        """Name → module of the product, or plug-in; and what has no name of its own."""
        found: dict[str, str | Plugin] = {}
        if self._folder is not None:
            found = {name: f"{self._folder}.{name}" for name in names_in(self._folder)}
        broken = []
        for plugin in plugins.plugins(self.kind):
            reason = f"the name {plugin.name!r} is taken: give it another" if plugin.name in found else ""
            if not _NAME.fullmatch(plugin.name):
                reason = f"{plugin.name[:80]!r} {_NAME_RULE}"
            if reason:
                broken.append(LeftOut(f"The plug-in {plugin.label}", reason))
            else:
                found[plugin.name] = plugin
        return found, broken

    def _complaint(self, target: Any) -> str:
        try:
            return self._judge(target) or ""
        except Exception as error:
            return f"it is no {self.noun} ({plugins.as_reason(error)})"


def first_line(text: object) -> str:
    """First line of a docstring, without its full stop; empty where there is none."""
    return str(text).strip().partition("\n")[0].removesuffix(".") if text else ""


def _first_line_of(module: str) -> str:
    """First line of the docstring of a module of the product, which is not imported for it."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return first_line(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))


def _is_a_base(item: object, plugin: Plugin | None) -> bool:
    """Whether a class is there to build on. A plug-in's that nobody builds on was meant, and is unfinished."""
    return isinstance(item, type) and inspect.isabstract(item) and (plugin is None or bool(item.__subclasses__()))


def _called(item: object, name: object) -> str:
    return str(name)[:80] if isinstance(name, str) else getattr(item, "__qualname__", type(item).__name__)


def _hint(broken: Collection[LeftOut]) -> str:
    return " (plug-ins were left out: doctor says why)" if broken else ""
