#!/usr/bin/env python3
"""Describes the contract to the argument sweep: reads include/mullama/*.h with their comments and
writes a C++ header that has, of each function, its parameters and the error codes that it documents;
of each struct, its fields; of each enum, its range.

    describe.py --out FILE [--include DIR]
    describe.py --self-test                  see declarations read, and what it can't read refused

What it can't read is an error, so that no declaration is left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include" / "mullama"

COMMENT = r"/\*\*((?:[^*]|\*(?!/))*)\*/\s*"
FUNCTION = re.compile(COMMENT + r"MULLAMA_API\s+([^;(]*?)\b(mullama_\w+)\s*\(([^;]*?)\)\s*;")
STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\n\} (\w+);", re.DOTALL)
ENUM = re.compile(r"typedef enum (\w+) \{(.*?)\n\} (\w+);", re.DOTALL)
OPAQUE = re.compile(r"typedef struct (\w+) (\w+_t);")
# A field, or a callback written out: "bool (*apply)(int value);".
FIELD = re.compile(COMMENT + r"(?:([^;(]*?)(\w+)|([^;(]*)\(\*(\w+)\)\([^;]*\));")
ENUMERATOR = re.compile(r"^\s*(MULLAMA_\w+) = (\d+)", re.MULTILINE)
PARAMETER = re.compile(r"@param(?:\[([\w,]+)\])?\s+(\w+)\s+((?:(?!@param|@return).)*)", re.DOTALL)
RETURN = re.compile(r"@return\s+(.*)", re.DOTALL)
# "NULL when the ring is empty" says what comes out; these say what may go in.
MAY_BE_NULL = re.compile(r"\bor NULL\b|\bmay be NULL\b|\bNULL for\b|\bNULL does\b|\bNULL:|\bNULL, ")


class Unreadable(Exception):
    pass


@dataclasses.dataclass
class Value:
    """A parameter or a field."""

    name: str
    type: str
    text: str
    direction: str = "in"
    count: str = ""  # of a pointer: which value has the number of its elements

    @property
    def nullable(self) -> bool:
        return bool(MAY_BE_NULL.search(self.text))


@dataclasses.dataclass
class Function:
    name: str
    result: str
    parameters: list[Value]
    returns: str


@dataclasses.dataclass
class Contract:
    functions: list[Function] = dataclasses.field(default_factory=list)
    structs: dict[str, list[Value]] = dataclasses.field(default_factory=dict)
    enums: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    opaque: list[str] = dataclasses.field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [name.removeprefix("MULLAMA_ERROR_")
                for name in self.enums.get("mullama_error_code_t", {}) if "_ERROR_" in name]


def plain(comment: str) -> str:
    """A comment's words, without its stars and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"^\s*\*", " ", comment, flags=re.MULTILINE)).strip()


def pair(values: list[Value], singles: set[str]) -> None:
    """Finds the count that belongs to each array: x_size, x_count, or the next size or count.
    `singles`: what pointers to them point at one of."""
    for index, value in enumerate(values):
        element = value.type.removeprefix("const ").removesuffix("*").strip()
        if not value.type.endswith("*") or value.direction != "in" or element in singles:
            continue
        later = {other.name for other in values[index + 1:] if other.type == "size_t"}
        own = [f"{value.name}_size", f"{value.name}_count",
               f"{value.name.removesuffix('_sizes')}_count", "size", "count"]
        value.count = next((name for name in own if name in later), "")


def split_declaration(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)(\w+)", text.strip(), re.DOTALL)
    if not match or not match[1].strip():
        raise Unreadable(f"no name and type in \"{text.strip()}\"")
    return match[2], re.sub(r"\s+", " ", match[1]).strip()


def read_function(match: re.Match[str]) -> Function:
    comment, name = plain(match[1]), match[3]
    texts = {found[2]: (found[1] or "in", found[3].strip())
             for found in PARAMETER.finditer(comment)}
    parameters = []
    for declaration in match[4].split(","):
        if declaration.strip() == "void":
            continue
        parameter, type_name = split_declaration(declaration)
        if parameter not in texts:
            raise Unreadable(f"{name}: {parameter} has no @param")
        direction, text = texts[parameter]
        parameters.append(Value(parameter, type_name, text, direction.replace(",", "_")))
    returns = RETURN.search(comment)
    return Function(name, re.sub(r"\s+", " ", match[2]).strip(), parameters,
                    returns[1] if returns else "")


def read_header(path: pathlib.Path, into: Contract) -> None:
    text = path.read_text(encoding="utf-8")
    body = re.sub(r"^\s*#.*(?:\\\n.*)*$", "", text, flags=re.MULTILINE)
    found = [read_function(match) for match in FUNCTION.finditer(body)]
    if len(found) != len(re.findall(r"\bMULLAMA_API\b", re.sub(COMMENT, "", body))):
        raise Unreadable(f"{path.name}: a declaration with MULLAMA_API that is no documented function")
    into.functions += found
    for match in STRUCT.finditer(body):
        fields = [Value(item[3] or item[5],
                        re.sub(r"\s+", " ", item[2] if item[3] else item[4] + "(*)").strip(),
                        plain(item[1]))
                  for item in FIELD.finditer(match[2])]
        if len(fields) != re.sub(COMMENT, "", match[2]).count(";"):
            raise Unreadable(f"{path.name}: a field of {match[1]} without a comment")
        into.structs[match[3]] = fields
    for match in ENUM.finditer(body):
        into.enums[match[3]] = {item[1]: int(item[2]) for item in ENUMERATOR.finditer(match[2])}
    opaque = [match[2] for match in OPAQUE.finditer(body)]
    into.opaque += opaque
    typedefs = len(re.findall(r"^typedef (?:struct|enum)\b", body, re.MULTILINE))
    if typedefs != len(STRUCT.findall(body)) + len(ENUM.findall(body)) + len(opaque):
        raise Unreadable(f"{path.name}: a typedef that is no struct, enum or opaque type")


def read(include: pathlib.Path) -> Contract:
    contract = Contract()
    for path in sorted(include.glob("*.h")):
        read_header(path, contract)
    growing = [name for name, fields in contract.structs.items() if fields[0].name == "struct_size"]
    # Of a struct that can grow there are no arrays.
    singles = {*contract.opaque, *growing,
               *(f"struct {name.removesuffix('_t')}" for name in growing)}
    for function in contract.functions:
        pair(function.parameters, singles)
        for parameter in function.parameters:
            target = parameter.type.removesuffix("**").strip()
            if parameter.type.endswith("**") and target in contract.opaque and not re.search(
                    r"owned by the caller|borrowed", parameter.text):
                raise Unreadable(f"{function.name}: who owns {parameter.name}?")
    for fields in contract.structs.values():
        pair(fields, singles)
    return contract


def documented_codes(contract: Contract) -> dict[str, list[str]]:
    """The codes that each function's @return names; "as mullama_x()" brings those of x along."""
    by_name = {function.name: function for function in contract.functions}
    known = set(contract.codes)

    def codes_of(name: str, seen: frozenset[str]) -> set[str]:
        if name in seen:
            return set()
        if name not in by_name:
            raise Unreadable(f"a @return refers to {name}(), which does not exist")
        text = by_name[name].returns
        codes = {code for code in re.findall(r"\b(?:MULLAMA_ERROR)?_([A-Z][A-Z0-9_]*)", text)
                 if code in known}
        for other in re.findall(r"\b(mullama_\w+)\(\)", text):
            if other in by_name and by_name[other].result != "mullama_error_t *":
                continue
            codes |= codes_of(other, seen | {name})
        return codes

    return {function.name: sorted(codes_of(function.name, frozenset()))
            for function in contract.functions if function.result == "mullama_error_t *"}


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def value_of(value: Value) -> str:
    flags = [str(flag).lower() for flag in
             (value.nullable, "owned by the caller" in value.text, "UTF-8" in value.text)]
    return (f"{{{literal(value.name)}, {literal(value.type)}, Direction::{value.direction}, "
            f"{', '.join(flags)}, {literal(value.count)}}}")


def write(contract: Contract) -> str:
    codes = documented_codes(contract)
    lines = ["// Written by tests/sweep/describe.py from include/mullama/*.h.",
             "#pragma once", "", "#include <array>", "#include <vector>", "",
             '#include "mullama/mullama.h"', '#include "sweep/description.hpp"', "",
             "namespace mullama::sweep {", "", "inline const std::vector<Function> &contract() {",
             "    static const std::vector<Function> functions{"]
    for function in contract.functions:
        lines.append(f"        {{reinterpret_cast<void (*)()>({function.name}),")
        lines.append(f"         {literal(function.name)}, {literal(function.result)},")
        lines.append("         {" + ",\n          ".join(map(value_of, function.parameters)) + "},")
        lines.append("         {" + ", ".join(f"MULLAMA_ERROR_{code}" for code in
                                              codes.get(function.name, [])) + "}},")
    lines += ["    };", "    return functions;", "}", ""]
    for name, fields in contract.structs.items():
        lines += ["template <>", f"struct Fields<{name}> {{",
                  f"    static constexpr std::string_view name = {literal(name)};",
                  "    template <class Visitor>", "    static void visit(Visitor &&visitor) {"]
        for field in fields:
            if field.name != "struct_size":
                lines.append(f"        visitor(&{name}::{field.name}, Value{value_of(field)});")
        lines += ["    }", "};", ""]
    for name, values in contract.enums.items():
        lines += ["template <>", f"struct EnumRange<{name}> {{",
                  f"    static constexpr int first = {min(values.values())};",
                  f"    static constexpr int last = {max(values.values())};", "};", ""]
    for kind in ("init", "free"):
        lines += ["template <class Visitor>", f"void visit_{kind}_functions(Visitor &&visitor) {{"]
        for function in contract.functions:
            if is_standard(function, kind):
                lines.append(f"    visitor({literal(function.name)}, {function.name});")
        lines += ["}", ""]
    for function in contract.functions:
        if is_standard(function, "free"):
            lines.append(f"inline void release({function.parameters[0].type}object) "
                         f"{{ {function.name}(object); }}")
    lines += ["", "} // namespace mullama::sweep", ""]
    return "\n".join(lines)


def is_standard(function: Function, kind: str) -> bool:
    """Whether it is one of the functions that all do alike: fill a struct, or give an object back."""
    types = [parameter.type for parameter in function.parameters]
    if function.result != "void" or not function.name.endswith("_" + kind):
        return False
    return types[1:] == (["size_t"] if kind == "init" else [])


GOOD = """
typedef enum mullama_error_code {
    /** No error. */
    MULLAMA_OK = 0,
    /** Bad. */
    MULLAMA_ERROR_BAD = 1,
    /** Worse. */
    MULLAMA_ERROR_WORSE = 2
} mullama_error_code_t;

/** Opaque. */
typedef struct mullama_x mullama_x_t;

/** Options. */
typedef struct mullama_o {
    /** Its size. */
    size_t struct_size;
    /** Things; NULL: none. */
    const float *things;
    /** How many. */
    size_t things_count;
    /** Hears. */
    bool (*heard)(int what, void *user_data);
} mullama_o_t;

/**
 * Does.
 *
 * @param x the x, or
 *          NULL.
 * @param bytes the bytes.
 * @param bytes_size how many, 1 to 256.
 * @param[out] out the result, owned by the caller.
 * @return NULL, or MULLAMA_ERROR_BAD (needs _GOOD).
 */
MULLAMA_API mullama_error_t *mullama_x_do(mullama_x_t *x, const char *bytes,
                                          size_t bytes_size, mullama_x_t **out);

/**
 * Does more.
 *
 * @param x the x.
 * @return as mullama_x_do(), and
 *         MULLAMA_ERROR_OTHER or _WORSE.
 */
MULLAMA_API mullama_error_t *mullama_x_more(mullama_x_t *x);

/**
 * Gives it back.
 *
 * @param x the x, or NULL.
 */
MULLAMA_API void mullama_x_free(mullama_x_t *x);
"""

BAD = {
    "undocumented": "MULLAMA_API int mullama_y(int a);",
    "no_parameter": "/** Y.\n * @return y */\nMULLAMA_API int mullama_y(int a);",
    "field": "/** S. */\ntypedef struct mullama_s {\n    int a;\n} mullama_s_t;",
    "reference": "/** Y.\n * @return as mullama_z(). */\n"
                 "MULLAMA_API mullama_error_t *mullama_y(void);",
    "typedef": "typedef struct { int a; } mullama_s_t;",
    "owner": "/** X. */\ntypedef struct mullama_x mullama_x_t;\n"
             "/** Y.\n * @param[out] x the x.\n * @return NULL. */\n"
             "MULLAMA_API mullama_error_t *mullama_y(mullama_x_t **x);",
}


def self_test() -> list[str]:
    failures = []

    def expect(what: str, found: object, wanted: object) -> None:
        if found != wanted:
            failures.append(f"{what}: {found!r} instead of {wanted!r}")

    with tempfile.TemporaryDirectory() as folder:
        header = pathlib.Path(folder, "x.h")
        header.write_text(GOOD)
        contract = read(pathlib.Path(folder))
        do, more, free = contract.functions
        expect("codes", documented_codes(contract),
               {"mullama_x_do": ["BAD"], "mullama_x_more": ["BAD", "WORSE"]})
        expect("nullable", [p.nullable for p in do.parameters + more.parameters],
               [True, False, False, False, False])
        expect("count", [p.count for p in do.parameters], ["", "bytes_size", "", ""])
        expect("direction", [p.direction for p in do.parameters], ["in", "in", "in", "out"])
        expect("fields", [(f.name, f.count, f.nullable) for f in contract.structs["mullama_o_t"]],
               [("struct_size", "", False), ("things", "things_count", True),
                ("things_count", "", False), ("heard", "", False)])
        expect("opaque", contract.opaque, ["mullama_x_t"])
        expect("free", is_standard(free, "free"), True)
        for name, text in BAD.items():
            header.write_text(text)
            try:
                write(read(pathlib.Path(folder)))
                failures.append(f"{name}: was read")
            except Unreadable:
                pass
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", type=pathlib.Path, default=INCLUDE)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        found = self_test()
        print(*found, sep="\n", end="\n" if found else "")
        return 1 if found else 0
    if arguments.out is None:
        parser.error("--out is missing")
    try:
        arguments.out.write_text(write(read(arguments.include)), encoding="utf-8")
    except Unreadable as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
