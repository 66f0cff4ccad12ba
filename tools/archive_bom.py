"""The bill of materials of the archive (CycloneDX), by CycloneDX's own library."""

import datetime
import json
import uuid
from typing import Dict, Iterable, List, NamedTuple, Optional

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, LicenseChoice, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import get_instance
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL


class Part(NamedTuple):
    """One thing that the archive holds.

    Attributes:
      kind: the type of its package URL: ``pypi``, ``deb`` or ``generic``.
      name: of the package or the library.
      version: of it; empty where nothing says it.
      licence: an SPDX name or the authors' own words; empty where there are none.
      sha256: of its file; empty where it is many files.
      file: its name in the archive.
    """

    kind: str
    name: str
    version: str
    licence: str
    sha256: str
    file: str


def component(part: Part) -> Component:
    """A part in CycloneDX's words."""
    url = PackageURL(part.kind, "debian" if part.kind == "deb" else None, part.name, part.version or None)
    return Component(
        name=part.name,
        version=part.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"{url.to_string()}#{part.file}",
        purl=url,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else None,
        licenses=[_licence(part.licence)] if part.licence else None,
        properties=[Property(name="tf1-lstm:file", value=part.file)],
    )


def _licence(words: str) -> LicenseChoice:
    return LicenseChoice(license=LicenseFactory().make_from_string(words))


def bill(version: str, commit: str, time: int, parts: Iterable[Part]) -> bytes:
    """The bill as a JSON document; the same parts give the same bytes."""
    ordered: List[Part] = sorted(set(parts))
    whole = Component(
        name="tf1-lstm",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="tf1-lstm",
        licenses=[_licence("MIT")],
        properties=[Property(name="tf1-lstm:commit", value=commit)],
    )
    bom = Bom(
        components=[component(part) for part in ordered],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, repr((commit, ordered))),
        metadata=BomMetaData(
            component=whole, timestamp=datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
        ),
    )
    bom.register_dependency(whole, bom.components)
    text = get_instance(bom, OutputFormat.JSON, SchemaVersion.V1_4).output_as_string()
    document = json.loads(text)
    # The library leaves the order of two libraries of one package to chance.
    document["components"].sort(key=lambda entry: entry["bom-ref"])
    document["dependencies"].sort(key=lambda entry: entry["ref"])
    for entry in document["dependencies"]:
        entry.get("dependsOn", []).sort()
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def licence_table(
    parts: Iterable[Part], texts: Dict[str, List[str]], project: Optional[str] = "MIT"
) -> bytes:
    """A table of every part with its licence, for people."""
    lines = ["# Licences of everything in this archive", "", "| part | version | licence | texts |"]
    lines += ["| --- | --- | --- | --- |", f"| tf1-lstm | | {project} | ../../LICENSE |"]
    for part in sorted(set(parts)):
        named = ", ".join(texts.get(part.file, [])) or "none in the package"
        lines.append(f"| {part.name} | {part.version} | {part.licence or 'not said'} | {named} |")
    return ("\n".join(lines) + "\n").encode()
