"""An EPUB as a reader opens it: its zip, its package, its pages, and whether every link leads on.

``Epub.check`` refuses whatever a strict reader would: it stands where epubcheck would, which needs
a JVM and isn't on PyPI.
"""

import io
import re
from dataclasses import dataclass
from functools import cached_property
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urldefrag
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
OPS = "{http://www.idpf.org/2007/ops}"
XML = "{http://www.w3.org/XML/1998/namespace}"
PACKAGE = "EPUB/package.opf"

_TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".ncx": "application/x-dtbncx+xml",
}
_MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_ELEMENTS = frozenset(
    {
        *("html", "head", "title", "link", "body", "section", "header", "nav", "div"),
        *("h1", "h2", "h3", "p", "ul", "ol", "li"),
        *("br", "a", "span", "em", "strong", "del", "code"),
    }
)
_BLOCKS = frozenset({"section", "header", "h1", "h2", "h3", "p", "div", "nav", "ul", "ol"})


@dataclass(frozen=True)
class Epub:
    """A file of that format."""

    data: bytes

    @cached_property
    def zip(self) -> ZipFile:
        return ZipFile(io.BytesIO(self.data))

    def xml(self, name: str) -> ET.Element:
        """A document of it, parsed."""
        return ET.fromstring(self.zip.read(name))  # noqa: S314 - our own file

    @cached_property
    def package(self) -> ET.Element:
        return self.xml(PACKAGE)

    def said(self, name: str) -> list[str]:
        """What the metadata has under a name of Dublin Core."""
        return [element.text or "" for element in self.package.iter(f"{DC}{name}")]

    @property
    def spine(self) -> list[str]:
        """The files of its pages, in reading order."""
        items = {item.get("id"): item.get("href", "") for item in self.package.iter(f"{OPF}item")}
        return [f"EPUB/{items[ref.get('idref')]}" for ref in self.package.iter(f"{OPF}itemref")]

    @property
    def direction(self) -> str | None:
        """Which way its pages turn."""
        return self.package.findall(f"{OPF}spine")[0].get("page-progression-direction")

    def page(self, name: str) -> ET.Element:
        """The body of a page."""
        [body] = self.xml(name).iter(f"{XHTML}body")
        return body

    def text(self, name: str) -> str:
        """All words of a page."""
        return "".join(self.page(name).itertext())

    def find(self, id_: str) -> ET.Element:
        """The one element with an id, on any page."""
        [found] = [
            element
            for name in self.spine
            for element in self.page(name).iter()
            if element.get("id") == id_
        ]
        return found

    @property
    def contents(self) -> list[tuple[int, str, str]]:
        """The table of contents: depth, label, file."""
        [nav] = self.xml("EPUB/toc.xhtml").iter(f"{XHTML}nav")
        assert nav.get(f"{OPS}type") == "toc"
        return _entries(nav, 0)

    def check(self) -> None:
        """Raises AssertionError for anything that isn't as it must be."""
        self._check_zip()
        self._check_package()
        for name in (*self.spine, "EPUB/toc.xhtml"):
            self._check_page(name)
        self._check_ncx()

    def _check_zip(self) -> None:
        infos = self.zip.infolist()
        assert self.zip.testzip() is None
        assert infos[0].filename == "mimetype"
        assert infos[0].compress_type == ZIP_STORED
        assert not infos[0].extra
        assert self.data[30:58] == b"mimetypeapplication/epub+zip"
        assert self.zip.read("mimetype") == b"application/epub+zip"
        names = [info.filename for info in infos]
        assert len(set(names)) == len(names)
        assert all(info.compress_type == ZIP_DEFLATED for info in infos[1:])
        [root] = self.xml("META-INF/container.xml").iter(
            "{urn:oasis:names:tc:opendocument:xmlns:container}rootfile"
        )
        assert root.get("full-path") == PACKAGE

    def _check_package(self) -> None:
        package = self.package
        assert package.get("version") == "3.0"
        [identifier] = list(package.iter(f"{DC}identifier"))
        assert identifier.get("id") == package.get("unique-identifier")
        assert (identifier.text or "").startswith("urn:uuid:")
        for once in ("title", "language", "identifier"):
            assert len(self.said(once)) == 1, once
            assert self.said(once)[0].strip(), once
        modified = [
            meta.text or ""
            for meta in package.iter(f"{OPF}meta")
            if meta.get("property") == "dcterms:modified"
        ]
        assert len(modified) == 1
        assert _MODIFIED.fullmatch(modified[0])
        items = list(package.iter(f"{OPF}item"))
        ids = [item.get("id", "") for item in items]
        assert len(set(ids)) == len(ids)
        assert all(_NAME.fullmatch(id_) for id_ in ids)
        hrefs = [f"EPUB/{item.get('href')}" for item in items]
        assert set(hrefs) == set(self.zip.namelist()) - {
            "mimetype",
            "META-INF/container.xml",
            PACKAGE,
        }, "the manifest names each file once"
        assert len(set(hrefs)) == len(hrefs)
        for item in items:
            ending = re.sub(r".*(?=\.)", "", item.get("href", ""))
            assert item.get("media-type") == _TYPES[ending]
        assert [item.get("properties") for item in items].count("nav") == 1
        assert len(set(self.spine)) == len(self.spine) > 0
        [spine] = package.findall(f"{OPF}spine")
        assert spine.get("toc") in ids

    def _check_page(self, name: str) -> None:
        root = self.xml(name)
        ids = [id_ for element in root.iter() if (id_ := element.get("id"))]
        assert len(set(ids)) == len(ids), name
        assert all(_NAME.fullmatch(id_) for id_ in ids)
        [title] = root.iter(f"{XHTML}title")
        assert (title.text or "").strip()
        for element in root.iter():
            assert element.tag.startswith(XHTML), element.tag
            kind = element.tag.removeprefix(XHTML)
            assert kind in _ELEMENTS, f"{kind} in {name}"
            assert not {key for key in element.attrib if key.startswith("on")}
            if kind in {"p", "h1", "h2", "h3", "a", "em", "strong", "del", "code"}:
                inside = {child.tag.removeprefix(XHTML) for child in element.iter()} - {kind}
                assert not inside & _BLOCKS, f"{inside} in {kind}"
            assert element.get("lang") == element.get(f"{XML}lang")
            for attribute in ("href", "src"):
                if (target := element.get(attribute)) is not None:
                    self._check_link(name, target)

    def _check_link(self, page: str, target: str) -> None:
        path, fragment = urldefrag(unquote(target))
        assert ":" not in path, f"{target} leads out of the book"
        assert not path.startswith("/")
        file = normpath(join(dirname(page), path)) if path else page
        assert file in self.zip.namelist(), f"{target} on {page}"
        if fragment:
            ids = {element.get("id") for element in self.xml(file).iter()}
            assert fragment in ids, f"{target} on {page}"

    def _check_ncx(self) -> None:
        ncx = self.xml("EPUB/toc.ncx")
        [uid] = [
            meta.get("content") for meta in ncx.iter(f"{NCX}meta") if meta.get("name") == "dtb:uid"
        ]
        assert uid == self.said("identifier")[0]
        points = list(ncx.iter(f"{NCX}navPoint"))
        order = [int(point.get("playOrder", "0")) for point in points]
        assert order == sorted(set(order)), "the order of play is the order of reading"
        targets = [content.get("src", "") for content in ncx.iter(f"{NCX}content")]
        assert [f"EPUB/{target}" for target in targets] == self.spine
        for target in targets:
            self._check_link("EPUB/toc.ncx", target)
        labels = [point.findtext(f"{NCX}navLabel/{NCX}text") for point in points]
        assert labels == [label for _, label, _ in self.contents]


def _entries(element: ET.Element, depth: int) -> list[tuple[int, str, str]]:
    found: list[tuple[int, str, str]] = []
    for child in element:
        if child.tag == f"{XHTML}a":
            found.append((depth, "".join(child.itertext()), child.get("href", "")))
        else:
            found += _entries(child, depth + (child.tag == f"{XHTML}ol"))
    return found
