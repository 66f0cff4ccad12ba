"""Parts: frozen dataclasses whose fields are settings that check and describe themselves.

An experiment is composed of parts. A choice among kinds is a choice among classes, so what does not
apply to a kind cannot be written. Every field made by ``setting`` is a setting: it has a meaning, a
range, and a path such as ``recurrent.cell.units`` by which ``--set`` changes it.
"""

import ast
import dataclasses
import difflib
import math
import operator
from typing import (
    Any,
    ClassVar,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Type,
    TypeVar,
    Union,
    get_type_hints,
)

from tf1_lstm.errors import InputError

P = TypeVar("P", bound="Part")
Document = Dict[str, Any]
NONE_WORDS = ("none", "null", "")
LONGEST_VALUE = 10_000


def setting(
    meaning: str,
    default: Any = dataclasses.MISSING,
    *,
    low: Optional[float] = None,
    above: Optional[float] = None,
    high: Optional[float] = None,
    below: Optional[float] = None,
    choices: Tuple[str, ...] = (),
    flat: str = "",
    later: bool = False,
) -> Any:
    """A dataclass field that is a setting.

    Args:
      meaning: one sentence for people.
      default: its value where none is given.
      low, above, high, below: the numbers allowed, bounds included (low, high) or not; of a tuple, of
        each of its items.
      choices: the words allowed; of a tuple, of each of its items.
      flat: the name that it had when all settings were in one list; accepted still.
      later: it came when there were records already: they lack it, and so do documents where it has its
        default, so that those of before and of now are equal.
    """
    metadata = {
        "meaning": meaning,
        "low": low,
        "above": above,
        "high": high,
        "below": below,
        "choices": choices,
        "flat": flat,
        "later": later,
    }
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


class Part:
    """Base of every part; a concrete one is a frozen dataclass.

    Attributes:
      abstract: a family of kinds, not a kind itself.
      flat_kind: the word for this kind when all settings were in one list; accepted still.
    """

    abstract: ClassVar[bool] = True
    flat_kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.abstract = cls.__dict__.get("abstract", False)

    def __post_init__(self) -> None:
        """Check every field by its type and range, then the part as a whole.

        Raises:
          InputError: a value that the field does not take.
        """
        hints = get_type_hints(type(self))
        for field in setting_fields(type(self)):
            value = checked(field, hints[field.name], getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self) -> None:
        """Refuse values that contradict each other; raises InputError."""


def setting_fields(kind: type) -> List["dataclasses.Field[Any]"]:
    """The fields of a part that are settings, in their order."""
    return [field for field in dataclasses.fields(kind) if "meaning" in field.metadata]


def kinds(family: Type[P]) -> Dict[str, Type[P]]:
    """Every concrete class of a family by its name, those of users included."""
    found: Dict[str, Type[P]] = {}
    for kind in (family, *family.__subclasses__()):
        if kind is not family:
            found.update(kinds(kind))
        elif not kind.abstract:
            found[kind.__name__] = kind
    return found


def part_type(hint: Any) -> Tuple[Optional[Type[Part]], bool]:
    """The family of parts that a type hint names, or None; and whether it may be left out."""
    options = getattr(hint, "__args__", ()) if getattr(hint, "__origin__", None) is Union else (hint,)
    found = [option for option in options if isinstance(option, type) and issubclass(option, Part)]
    return (found[0] if found else None), type(None) in options


def checked(field: "dataclasses.Field[Any]", hint: Any, value: Any) -> Any:
    """A field's value as its type; raises InputError for one that it does not take."""
    family, optional = part_type(hint)
    if family is not None:
        if isinstance(value, family) or (optional and value is None):
            return value
        names = ", ".join([*kinds(family), *(["none"] if optional else [])])
        raise InputError(f"setting {field.name}: found {_short(value)}, expected one of {names}")
    if optional_scalar(hint) is not None:
        if value is None:
            return None
        hint = optional_scalar(hint)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if getattr(hint, "__origin__", None) is tuple:
        value = tuple(value) if isinstance(value, (list, tuple)) else value
        kind = hint.__args__[0]
        good = isinstance(value, tuple) and all(
            isinstance(item, kind) and not isinstance(item, bool) for item in value
        )
    else:
        good = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    if not good:
        raise InputError(f"setting {field.name}: found {_short(value)}, expected {type_words(hint)}")
    _check_range(field, value)
    return value


def optional_scalar(hint: Any) -> Any:
    """``int`` of ``Optional[int]``; None where the hint is no such thing."""
    if getattr(hint, "__origin__", None) is Union and type(None) in hint.__args__:
        others = [option for option in hint.__args__ if option is not type(None)]
        return others[0] if len(others) == 1 and not part_type(hint)[0] else None
    return None


def type_words(hint: Any) -> str:
    """A type for people."""
    if getattr(hint, "__origin__", None) is tuple:
        return "words with commas between" if hint.__args__[0] is str else "numbers with commas between"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(hint, str(hint))


def _check_range(field: "dataclasses.Field[Any]", value: Any) -> None:
    allowed = field.metadata
    choices = allowed["choices"]
    if choices:
        for word in value if isinstance(value, tuple) else (value,):
            if word not in choices:
                raise InputError(
                    f"setting {field.name}: found {_short(word)}, expected {_one_of(choices, value)}"
                )
    for number in value if isinstance(value, tuple) else (value,):
        _check_number(field, number)


def _check_number(field: "dataclasses.Field[Any]", value: Any) -> None:
    allowed = field.metadata
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        finite = not isinstance(value, float) or math.isfinite(value)
        bounds = (
            (allowed["low"], operator.ge),
            (allowed["above"], operator.gt),
            (allowed["high"], operator.le),
            (allowed["below"], operator.lt),
        )
        if not finite or any(bound is not None and not holds(value, bound) for bound, holds in bounds):
            raise InputError(f"setting {field.name}: found {value}, expected {range_words(field)}")


def _one_of(choices: Tuple[str, ...], value: Any) -> str:
    words = ", ".join(choice or "''" for choice in choices)
    return f"some of {words}" if isinstance(value, tuple) else f"one of {words}"


def range_words(field: "dataclasses.Field[Any]") -> str:
    """The numbers that a field takes, for people."""
    allowed = field.metadata
    words = []
    if allowed["low"] is not None:
        words.append(f"{allowed['low']:g} or more")
    if allowed["above"] is not None:
        words.append(f"above {allowed['above']:g}")
    if allowed["high"] is not None:
        words.append(f"up to {allowed['high']:,}")
    if allowed["below"] is not None:
        words.append(f"below {allowed['below']:g}")
    return ", ".join(words) or "a finite number"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


# ---- documents: parts as JSON and back -----------------------------------------------------------


def to_document(part: Part) -> Document:
    """A part as JSON: its kind, and every setting by its name."""
    found: Document = {"kind": type(part).__name__}
    for field in setting_fields(type(part)):
        value = getattr(part, field.name)
        if field.metadata["later"] and value == field.default:
            continue
        if isinstance(value, Part):
            value = to_document(value)
        found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def from_document(document: Any, family: Type[P]) -> P:
    """The part that a document describes.

    Raises:
      InputError: an unknown kind or setting, a setting that is missing, or a value out of range.
    """
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InputError(f"found {_short(document)}, expected a part with its kind")
    known = kinds(family)
    kind = known.get(document["kind"])
    if kind is None:
        raise InputError(unknown(f"kind {document['kind']!r:.80}", document["kind"], list(known)))
    hints = get_type_hints(kind)
    fields = {field.name: field for field in setting_fields(kind)}
    values: Dict[str, Any] = {}
    for name, value in document.items():
        if name == "kind":
            continue
        if name not in fields:
            raise InputError(unknown(f"setting {name!r} of {kind.__name__}", name, list(fields)))
        inner, _ = part_type(hints[name])
        values[name] = from_document(value, inner) if inner and isinstance(value, dict) else value
    missing = [
        name for name, field in fields.items() if name not in values and field.default is dataclasses.MISSING
    ]
    if missing:
        raise InputError(f"{kind.__name__}: the setting {missing[0]} is missing")
    return kind(**values)


def unknown(what: str, name: str, known: List[str]) -> str:
    """One line for a name that is not known, with the nearest that are."""
    near = difflib.get_close_matches(name, known, 3, 0.55)
    if near:
        return f"{what}: unknown; did you mean {' or '.join(near)}?"
    shown = ", ".join(known[:40])
    return f"{what}: unknown; expected one of {shown}{', …' if len(known) > 40 else ''}"


# ---- settings by their paths --------------------------------------------------------------------


class Leaf(NamedTuple):
    """One setting of a composed part.

    Attributes:
      path: e.g. ``recurrent.cell.units``; of a choice among kinds, the path of the part.
      value: JSON-ready; of a choice, the kind's name or None.
      field: the dataclass field.
      hint: its type.
    """

    path: str
    value: Any
    field: "dataclasses.Field[Any]"
    hint: Any

    @property
    def expected(self) -> str:
        """The values it takes, for people."""
        family, optional = part_type(self.hint)
        if family is not None:
            return ", ".join([*kinds(family), *(["none"] if optional else [])])
        if self.field.metadata["choices"]:
            return ", ".join(choice or "''" for choice in self.field.metadata["choices"])
        hint = optional_scalar(self.hint) or self.hint
        words = range_words(self.field) if hint in (int, float) else type_words(hint)
        return words if words != "a finite number" else type_words(hint)


def leaves(part: Part, prefix: str = "") -> Iterator[Leaf]:
    """Every setting of a part and of the parts inside it, in their order."""
    hints = get_type_hints(type(part))
    for field in setting_fields(type(part)):
        value, path = getattr(part, field.name), prefix + field.name
        if part_type(hints[field.name])[0] is None:
            shown = list(value) if isinstance(value, tuple) else value
            yield Leaf(path, shown, field, hints[field.name])
            continue
        yield Leaf(path, None if value is None else type(value).__name__, field, hints[field.name])
        if value is not None:
            yield from leaves(value, path + ".")


def changed(part: P, changes: Mapping[str, Any]) -> P:
    """A copy of a part with some settings replaced, all at once.

    Args:
      part: what is changed.
      changes: path, end of a path, or flat name -> value, or a value's text as typed in
        ``--set NAME=VALUE``; of a part, a kind (``GRU``) or a whole part (``GRU(units=64)``).

    Raises:
      InputError: an unknown name, one that fits several settings, or a value that it does not take.
    """
    document = to_document(part)
    for name, value in changes.items():
        _change(document, type(part), name, value)
    return from_document(document, type(part))


def _places(
    document: Document, kind: type, prefix: str = ""
) -> Iterator[Tuple[str, Document, "dataclasses.Field[Any]", Any]]:
    """(path, document it stands in, field, type) of every setting of a document."""
    hints = get_type_hints(kind)
    for field in setting_fields(kind):
        hint = hints[field.name]
        yield prefix + field.name, document, field, hint
        family, _ = part_type(hint)
        inner = document.get(field.name)
        if family is not None and isinstance(inner, dict):
            inner_kind = kinds(family).get(str(inner.get("kind")))
            if inner_kind is not None:
                yield from _places(inner, inner_kind, f"{prefix}{field.name}.")


def _change(document: Document, kind: type, name: str, value: Any) -> None:
    places = list(_places(document, kind))
    found = [place for place in places if place[0] == name]
    found = found or [place for place in places if name and place[2].metadata["flat"] == name]
    found = found or [place for place in places if place[0].endswith("." + name)]
    if not found:
        raise InputError(_unknown_setting(name, places))
    if len(found) > 1:
        paths = " or ".join(place[0] for place in found)
        raise InputError(f"setting {name!r}: several settings end in it; expected {paths}")
    path, holder, field, hint = found[0]
    try:
        holder[field.name] = _parsed(path, field, hint, value, holder.get(field.name))
    except RecursionError as error:
        raise InputError(f"setting {path}: found a value that is nested too deeply") from error


def _unknown_setting(name: str, places: Any) -> str:
    """One line for a name that no part here has: which kind has it, or which names are near."""
    last = name.rsplit(".", 1)[-1]
    owners = [
        kind.__name__
        for kind in kinds(Part).values()
        if any(last in (field.name, field.metadata["flat"]) for field in setting_fields(kind))
    ]
    if owners:
        here = [place[0] for place in places if place[0].rsplit(".", 1)[-1] == last]
        near = f"; did you mean {here[0]}?" if here else ""
        return f"setting {name!r}: unknown here; it is one of {', '.join(sorted(set(owners))[:4])}{near}"
    words = {word: path for path, _, field, _ in places for word in (path.rsplit(".", 1)[-1], path)}
    words.update({field.metadata["flat"]: path for path, _, field, _ in places if field.metadata["flat"]})
    close = difflib.get_close_matches(name, words, 3, 0.5) or difflib.get_close_matches(last, words, 3, 0.0)
    hint = " or ".join(dict.fromkeys(words[word] for word in close))
    return f"setting {name!r}: unknown; did you mean {hint}?"


def _parsed(path: str, field: "dataclasses.Field[Any]", hint: Any, value: Any, old: Any) -> Any:
    """A typed value as it stands in a document."""
    family, optional = part_type(hint)
    if family is not None:
        return _parsed_part(path, family, optional, value, old)
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple) else value
    if optional_scalar(hint) is not None:
        if value.lower() in NONE_WORDS:
            return None
        hint = optional_scalar(hint)
    if getattr(hint, "__origin__", None) is tuple:
        words = [word.strip() for word in value.strip("()[]").split(",") if word.strip()]
        kind = hint.__args__[0]
        return [word.strip("'\"") for word in words] if kind is str else _numbers(path, words, kind)
    if hint is bool:
        words_of = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if value.lower() not in words_of:
            raise InputError(f"setting {path}: found {_short(value)}, expected true or false")
        return words_of[value.lower()]
    try:
        return value if hint is str else hint(value.replace("_", "") if hint is int else value)
    except ValueError as error:
        raise InputError(f"setting {path}: found {_short(value)}, expected {type_words(hint)}") from error


def _numbers(path: str, words: List[str], kind: type) -> List[float]:
    try:
        return [kind(word) for word in words]
    except ValueError as error:
        expected = "whole numbers" if kind is int else "numbers"
        raise InputError(f"setting {path}: found {words!r}, expected {expected}") from error


def _parsed_part(path: str, family: Type[Part], optional: bool, value: Any, old: Any) -> Any:
    if isinstance(value, Part):
        return to_document(value)
    if value is None or (isinstance(value, str) and value.lower() in NONE_WORDS):
        if optional:
            return None
        raise InputError(f"setting {path}: found none, expected one of {', '.join(kinds(family))}")
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise InputError(f"setting {path}: found {_short(value)}, expected one of {', '.join(kinds(family))}")
    name, arguments = _call(path, value)
    known = kinds(family)
    by_flat = {kind.flat_kind: key for key, kind in known.items() if kind.flat_kind}
    name = by_flat.get(name, name)
    if name not in known:
        raise InputError(unknown(f"setting {path}: {name!r}", name, list(known)))
    fields = setting_fields(known[name])
    # Parts that the kind has of itself stand in the document, so that a setting of theirs can be named.
    inner = {one.name: to_document(one.default) for one in fields if isinstance(one.default, Part)}
    names = {one.name for one in fields}
    kept = {key: kept for key, kept in (old or {}).items() if key in names} if not arguments else {}
    return {**inner, **kept, **arguments, "kind": name}


def _call(path: str, text: str) -> Tuple[str, Document]:
    """``GRU`` or ``GRU(units=64)`` taken apart."""
    if "(" not in text:
        return text.strip(), {}
    expected = "a kind such as GRU, or GRU(units=64)"
    if len(text) > LONGEST_VALUE:
        raise InputError(f"setting {path}: found a value of {len(text):,} characters, expected {expected}")
    try:
        return _of_call(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, MemoryError) as error:
        raise InputError(f"setting {path}: found {_short(text)}, expected {expected}") from error


def _of_call(node: Any) -> Tuple[str, Document]:
    if isinstance(node, ast.Name):
        return node.id, {}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.args:
        raise ValueError("no call with named arguments")
    arguments: Document = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError("no name")
        if isinstance(keyword.value, ast.Call):
            kind, inner = _of_call(keyword.value)
            arguments[keyword.arg] = {**inner, "kind": kind}
        else:
            value = ast.literal_eval(keyword.value)
            arguments[keyword.arg] = list(value) if isinstance(value, tuple) else value
    return node.func.id, arguments
