"""What the scanner in `code` has to know of a language: its words, comments and strings.

A table of the languages that kernels are mostly written for. A language that is not here is shown without colours.
"""

from __future__ import annotations

import msgspec

from amalthea.services.nbviewer.render.words import words


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """The lexical habits of a language.

    keywords, builtins:  words, by blanks
    line:                what starts a comment to the end of the line
    block:               what starts and ends a longer comment
    quotes:              the characters around strings
    long:                strings over several lines, by what starts and ends them
    name:                the pattern of a name, with the characters that it may start with, as in `$x` or `@x`
    any_case:            words count in any case
    """

    keywords: str
    builtins: str = ""
    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    quotes: str = "\"'"
    long: tuple[str, ...] = ()
    name: str = r"[^\W\d]\w*+"
    any_case: bool = False


_HASHED = r"\#?[^\W\d]\w*+"
_C_COMMENTS = (("/*", "*/"),)
_C_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile "
    "while bool"
)
_C = Language(
    keywords=_C_WORDS + " #include #define #ifdef #ifndef #if #endif #else #pragma",
    builtins="NULL true false size_t printf malloc free",
    line=("//",),
    block=_C_COMMENTS,
    name=_HASHED,
)
_CPP = Language(
    keywords=_C.keywords
    + " class namespace template typename public private protected virtual override new delete this using try "
    "catch throw constexpr noexcept operator friend explicit mutable nullptr static_cast dynamic_cast "
    "const_cast reinterpret_cast decltype concept requires co_await co_return co_yield final",
    builtins="NULL true false size_t std cout cin cerr endl string vector map set pair unique_ptr shared_ptr",
    line=("//",),
    block=_C_COMMENTS,
    name=_HASHED,
)
_JAVASCRIPT = Language(
    keywords="async await break case catch class const continue debugger default delete do else export extends "
    "finally for from function if import in instanceof let new of return static super switch this throw try "
    "typeof var void while with yield enum implements interface private protected public readonly type "
    "abstract declare namespace as is keyof",
    builtins="true false null undefined NaN Infinity Array Boolean Date Error JSON Map Math Number Object "
    "Promise Proxy RegExp Set String Symbol console document globalThis window require module any string "
    "number boolean never unknown",
    line=("//",),
    block=_C_COMMENTS,
    long=("`",),
    name=r"\$?[^\W\d]\w*+",
)
_JAVA = Language(
    keywords="abstract assert boolean break byte case catch char class const continue default do double else "
    "enum extends final finally float for goto if implements import instanceof int interface long native new "
    "package private protected public return short static strictfp super switch synchronized this throw throws "
    "transient try void volatile while var record sealed yield",
    builtins="true false null String Integer Double Boolean Object List Map System",
    line=("//",),
    block=_C_COMMENTS,
    long=('"""',),
)
_JULIA = Language(
    keywords="abstract baremodule begin break catch const continue do else elseif end export finally for "
    "function global if import in isa let local macro module mutable outer primitive quote return struct try "
    "type using where while",
    builtins="true false nothing missing NaN Inf pi Int Int64 Int32 Float64 Float32 Bool String Char Array "
    "Vector Matrix Dict Set Tuple Any Number Real println print length size push! map filter zeros ones typeof "
    "collect range sum",
    line=("#",),
    block=(("#=", "=#"),),
    quotes='"',
    long=('"""',),
    name=r"@?[^\W\d]\w*+(?:!(?!=))?+",
)
_R = Language(
    keywords="if else repeat while function for in next break return TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_",
    builtins="library require c list data.frame matrix print cat paste length names sum mean lapply sapply "
    "apply seq rep factor summary plot ggplot aes str head read.csv is.na which",
    line=("#",),
    long=("`",),
    name=r"[^\W\d][\w.]*+",
)
_RUBY = Language(
    keywords="BEGIN END alias and begin break case class def defined? do else elsif end ensure false for if in "
    "module next nil not or redo rescue retry return self super then true undef unless until when while yield",
    builtins="puts print p require require_relative include extend attr_accessor attr_reader attr_writer raise "
    "lambda proc Array Hash String Integer Float",
    line=("#",),
    name=r"[@$]{0,2}[^\W\d]\w*+[?!]?+(?!=)|[^\W\d]\w*+",
)
_SHELL = Language(
    keywords="if then else elif fi case esac for while until do done in function select time return exit break "
    "continue",
    builtins="echo cd pwd export source alias read set unset local declare test eval exec trap shift printf ls "
    "cat grep sed awk mkdir rm cp mv chmod curl wget git pip conda python sudo apt",
    line=("#",),
    name=r"\$?[^\W\d]\w*+",
)
_SQL = Language(
    keywords="select from where and or not in is null as on join left right inner outer full cross group by "
    "order having limit offset insert into values update set delete create table view index drop alter add "
    "column primary key foreign references distinct union all exists between like case when then else end with "
    "asc desc default constraint if begin commit rollback over partition",
    builtins="count sum avg min max coalesce cast substr round abs int integer text varchar char date "
    "timestamp float real boolean numeric decimal",
    line=("--",),
    block=_C_COMMENTS,
    any_case=True,
)
_SCALA = Language(
    keywords="abstract case catch class def do else enum extends final finally for forSome given if implicit "
    "import lazy match new object override package private protected return sealed super this throw trait try "
    "type val var while with yield",
    builtins="true false null Int Long Double Float Boolean String Unit Any List Map Set Option Some None Seq println",
    line=("//",),
    block=_C_COMMENTS,
    long=('"""',),
    name=r"@?[^\W\d]\w*+",
)
_CSHARP = Language(
    keywords="abstract as async await base bool break byte case catch char checked class const continue "
    "decimal default delegate do double else enum event explicit extern finally fixed float for foreach get "
    "goto if implicit in init int interface internal is let lock long match member module mutable namespace "
    "new null object of open operator out override params private protected public readonly record ref rec "
    "return sealed set short sizeof static string struct switch then this throw try type typeof uint ulong "
    "unchecked unsafe using var virtual void volatile when where while with yield",
    builtins="true false Console Math String List Dictionary Task Some None printfn display",
    line=("//",),
    block=(("/*", "*/"), ("(*", "*)")),
    long=('"""',),
    name=_HASHED,
)
_RUST = Language(
    keywords="as async await break const continue crate dyn else enum extern fn for if impl in let loop match "
    "mod move mut pub ref return self Self static struct super trait type unsafe use where while",
    builtins="true false i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 bool char str String Vec Option "
    "Some None Result Ok Err Box println! vec! format! print!",
    line=("//",),
    block=_C_COMMENTS,
    quotes='"',
    name=r"[^\W\d]\w*+(?:!(?!=))?+",
)
_GO = Language(
    keywords="break case chan const continue default defer else fallthrough for func go goto if import "
    "interface map package range return select struct switch type var",
    builtins="true false nil iota bool byte error float32 float64 int int32 int64 rune string uint append cap "
    "close copy delete len make new panic print println recover fmt",
    line=("//",),
    block=_C_COMMENTS,
    long=("`",),
)
_POWERSHELL = Language(
    keywords="begin break catch class continue data do dynamicparam else elseif end enum exit filter finally "
    "for foreach from function hidden if in param process return static switch throw trap try until using while",
    builtins="Write-Host Write-Output Get-ChildItem Get-Content Get-Process Get-Command Get-Help Select-Object "
    "Where-Object ForEach-Object Sort-Object Import-Module",
    line=("#",),
    block=(("<#", "#>"),),
    name=r"[$\-]?[^\W\d][\w\-]*+",
    any_case=True,
)
_OCTAVE = Language(
    keywords="break case catch continue do else elseif end end_try_catch endfor endfunction endif endwhile for "
    "function global if otherwise persistent return switch try until while classdef properties methods",
    builtins="true false pi Inf NaN zeros ones eye size length disp printf fprintf plot figure sum linspace",
    line=("%", "#"),
    quotes='"',
)
_HASKELL = Language(
    keywords="case class data default deriving do else foreign if import in infix infixl infixr instance let "
    "module newtype of then type where forall qualified as hiding",
    builtins="True False Int Integer Double Float Bool Char String Maybe Just Nothing Either Left Right IO map "
    "filter foldr print putStrLn return show",
    line=("--",),
    block=(("{-", "-}"),),
    quotes='"',
)
_LUA = Language(
    keywords="and break do else elseif end for function goto if in local not or repeat return then until while",
    builtins="true false nil print pairs ipairs require table string math type tostring tonumber",
    line=("--",),
    block=(("--[[", "]]"),),
)
_JSON = Language(keywords="true false null", quotes='"')
_YAML = Language(keywords="true false null yes no", line=("#",))
_MARKUP = Language(keywords="", block=(("<!--", "-->"),))
_CSS = Language(
    keywords="@media @import @font-face @keyframes !important", block=_C_COMMENTS, name=r"[@!]?[^\W\d][\w\-]*+"
)

_NAMES = {
    "c": _C,
    "c++ cpp c++11 c++14 c++17 cuda": _CPP,
    "javascript js typescript ts node nodejs jsx tsx": _JAVASCRIPT,
    "java groovy kotlin kt processing": _JAVA,
    "julia jl": _JULIA,
    "r ir": _R,
    "ruby rb": _RUBY,
    "bash sh shell zsh console makefile dockerfile": _SHELL,
    "sql mysql postgresql sqlite pgsql": _SQL,
    "scala": _SCALA,
    "c# csharp cs f# fsharp fs .net-csharp .net-fsharp": _CSHARP,
    "rust rs": _RUST,
    "go golang": _GO,
    "powershell pwsh ps1 .net-powershell": _POWERSHELL,
    "octave matlab": _OCTAVE,
    "haskell hs ihaskell": _HASKELL,
    "lua": _LUA,
    "json": _JSON,
    "yaml yml toml ini": _YAML,
    "html xml svg": _MARKUP,
    "css scss": _CSS,
}
LANGUAGES = {name: language for names, language in _NAMES.items() for name in names.split()}
PYTHON = words("python python2 python3 py ipython ipython3 ipython2 sage sagemath cython mojo pycon xpython")
