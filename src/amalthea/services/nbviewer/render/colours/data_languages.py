"""Languages that describe things: data, pages, styles, differences."""

from __future__ import annotations

from amalthea.services.nbviewer.render.colours.lexical import C_COMMENTS, Language

JSON = Language(
    keywords="true false null", quotes='"', special=(("t", r"\"(?:[^\"\\\n]++|\\[^\n])*+\"(?=\s{0,100}:)"),)
)
YAML = Language(
    keywords="true false null yes no",
    line=("#",),
    special=(
        ("t", r"(?:^|(?<=[ \t{,]))[\w./][\w./\-]*+(?=[ \t]{0,20}:(?:[ \t\n]|\Z))"),
        ("s", r"(?<=: )(?![ \t])[^\s#&*!|>{\['\"\-\d][^\n#]*+|(?<=- )[^\s#&*!|>{\['\"\-\d][^\n#:]*+(?=\n|\Z)"),
        ("o", r"^---"),
    ),
)
TOML = Language(
    keywords="true false on off",
    line=("#", ";"),
    long=('"""', "'''"),
    special=(("k", r"^[ \t]*+\[{1,2}[^\]\n]{1,200}\]{1,2}"), ("", r"^[ \t]*+[\w.\-]++(?=[ \t]{0,20}=)")),
)
MARKUP = Language(
    keywords="",
    quotes="",
    block=(("<!--", "-->"), ("<![CDATA[", "]]>")),
    special=(
        ("t", r"(?:(?<=<)|(?<=</))[^\W\d][\w:.\-]*+"),
        ("m", r"<[!?][^>]{0,1000}>"),
        ("e", r"&(?:\w{1,31}|\#\w{1,8});"),
        ("s", r"(?<==)(?:\"[^\"]*+\"?|'[^']*+'?)"),
        ("d", r"[^\W\d][\w:.\-]*+(?==)"),
        ("", r"[^\s<>&=]++"),
    ),
    name=r"(?!)",
)
CSS = Language(
    keywords="!important",
    block=C_COMMENTS,
    special=(
        ("k", r"@[\w\-]++"),
        ("n", r"\#[0-9a-fA-F]{3,8}(?=[\s;,)])|[+\-]?(?:\d++(?:\.\d++)?|\.\d++)(?:%|[a-z]{1,4}\b)?"),
        ("k", r"(?<![:\w.\#\-])-{0,2}[^\W\d][\w\-]*+(?=[ \t]{0,20}:[^:{}]{0,500}[;}])"),
        ("t", r"[.\#]?[^\W\d][\w\-]*+(?=[^;{}]{0,300}\{)"),
        ("k", r"(?<=[:\s,])[^\W\d][\w\-]*+(?=[\s;,}!])"),
    ),
    name=r"!?[^\W\d][\w\-]*+",
)
LATEX = Language(
    keywords="",
    quotes="",
    line=("%",),
    special=(("k", r"\\(?:[a-zA-Z@]++\*?|[^\n])"), ("b", r"[{}]++"), ("s", r"\${1,2}")),
    name=r"(?!)",
)
DIFF = Language(
    keywords="",
    quotes="",
    special=(
        ("m", r"^(?:diff|index|---|\+\+\+|@@)[^\n]*+"),
        ("s", r"^\+[^\n]*+"),
        ("d", r"^-[^\n]*+"),
        ("", r"^[^\n]++"),
    ),
    name=r"(?!)",
)
