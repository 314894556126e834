"""Languages with braces: those that descend from C."""

from __future__ import annotations

from amalthea.services.nbviewer.render.colours.lexical import C_COMMENTS, CHARACTER, HASHED, MEMBER, Language

C_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile "
    "while bool"
)
C = Language(
    keywords=C_WORDS + " #include #define #ifdef #ifndef #if #endif #else #pragma",
    builtins="NULL true false size_t printf malloc free",
    line=("//",),
    block=C_COMMENTS,
    name=HASHED,
    types="struct enum",
    special=(MEMBER,),
)
CPP = Language(
    keywords=C.keywords
    + " class namespace template typename public private protected virtual override new delete this using try "
    "catch throw constexpr noexcept operator friend explicit mutable nullptr static_cast dynamic_cast "
    "const_cast reinterpret_cast decltype concept requires co_await co_return co_yield final",
    builtins="NULL true false size_t std cout cin cerr endl string vector map set pair unique_ptr shared_ptr",
    line=("//",),
    block=C_COMMENTS,
    name=HASHED,
    types="class struct enum namespace",
    special=(MEMBER,),
)
JAVASCRIPT = Language(
    keywords="async await break case catch class const continue debugger default delete do else export extends "
    "finally for from function if import in instanceof let new of return static super switch this throw try "
    "typeof var void while with yield enum implements interface private protected public readonly type "
    "abstract declare namespace as is keyof",
    builtins="true false null undefined NaN Infinity Array Boolean Date Error JSON Map Math Number Object "
    "Promise Proxy RegExp Set String Symbol console document globalThis window require module any string "
    "number boolean never unknown",
    line=("//",),
    block=C_COMMENTS,
    long=("`",),
    name=r"\$?[^\W\d]\w*+",
    functions="function",
    types="class interface enum",
    special=(
        MEMBER,
        (
            "s",
            r"(?<=[=(,:\[!&|?{};])[ \t]{0,8}/(?![*/ ])(?:[^/\\\n\[]|\\[^\n]|\[[^\]\n]{0,50}\]){1,200}/[gimsuy]{0,6}",
        ),
    ),
)
JAVA = Language(
    keywords="abstract assert boolean break byte case catch char class const continue default do double else "
    "enum extends final finally float for goto if implements import instanceof int interface long native new "
    "package private protected public return short static strictfp super switch synchronized this throw throws "
    "transient try void volatile while var record sealed yield",
    builtins="true false null String Integer Double Boolean Object List Map System",
    line=("//",),
    block=C_COMMENTS,
    long=('"""',),
    types="class interface enum record",
    special=(("d", r"@[^\W\d][\w.]*+"), MEMBER),
)
KOTLIN = Language(
    keywords="abstract actual annotation as break by catch class companion const constructor continue crossinline data "
    "do else enum expect external false final finally for fun get if import in infix init inline inner interface "
    "internal is lateinit noinline null object open operator out override package private protected public reified "
    "return sealed set super suspend tailrec this throw true try typealias val var vararg when where while",
    builtins="Int Long Double Float Boolean String Unit Any List Map Set Pair Array println listOf mapOf",
    line=("//",),
    block=C_COMMENTS,
    long=('"""',),
    functions="fun",
    types="class interface object",
    special=(("d", r"@[^\W\d][\w.]*+"), MEMBER),
)
SCALA = Language(
    keywords="abstract case catch class def do else enum extends final finally for forSome given if implicit "
    "import lazy match new object override package private protected return sealed super this throw trait try "
    "type val var while with yield",
    functions="def",
    types="class object trait",
    special=(("d", r"@[^\W\d][\w.]*+"), MEMBER),
    builtins="true false null Int Long Double Float Boolean String Unit Any List Map Set Option Some None Seq println",
    line=("//",),
    block=C_COMMENTS,
    long=('"""',),
)
CSHARP = Language(
    keywords="abstract as async await base bool break byte case catch char checked class const continue decimal "
    "default delegate do double dynamic else enum event explicit extern finally fixed float for foreach from get "
    "global goto if implicit in init int interface internal is let lock long namespace new null object operator "
    "orderby out override params partial private protected public readonly record ref return sbyte sealed select set "
    "short sizeof stackalloc static string struct switch this throw try typeof uint ulong unchecked unsafe ushort "
    "using var virtual void volatile when where while with yield true false nameof",
    builtins="Console Math String List Dictionary Task display",
    line=("//",),
    block=C_COMMENTS,
    long=('"""',),
    name=HASHED,
    types="class struct interface enum record",
    special=(("s", r"[$@]{1,2}\"(?:[^\"\\]++|\\.|\"\")*+\"?"), MEMBER),
)
RUST = Language(
    keywords="as async await break const continue crate dyn else enum extern fn for if impl in let loop match "
    "mod move mut pub ref return self Self static struct super trait type unsafe use where while",
    builtins="true false i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 bool char str String Vec Option "
    "Some None Result Ok Err Box println! vec! format! print!",
    line=("//",),
    block=C_COMMENTS,
    quotes='"',
    name=r"[^\W\d]\w*+(?:!(?!=))?+",
    functions="fn",
    types="struct enum trait mod",
    special=(
        ("s", r"b?r\#\".*?(?:\"\#|\Z)|b?r\"[^\"]*+\"?"),
        CHARACTER,
        ("", r"'[^\W\d]\w*+"),
        ("d", r"\#!?\[[^\]\n]{0,300}\]"),
        MEMBER,
    ),
)
GO = Language(
    keywords="break case chan const continue default defer else fallthrough for func go goto if import "
    "interface map package range return select struct switch type var",
    builtins="true false nil iota bool byte error float32 float64 int int32 int64 rune string uint append cap "
    "close copy delete len make new panic print println recover fmt",
    line=("//",),
    block=C_COMMENTS,
    long=("`",),
    functions="func",
    types="type",
    special=(MEMBER,),
)
PHP = Language(
    keywords=JAVA.keywords
    + " and array as callable clone declare echo elseif empty enddeclare endfor endforeach endif endswitch endwhile "
    "exit eval fn foreach function global include include_once insteadof isset list match namespace or parent print "
    "require require_once self trait unset use xor yield true false null TRUE FALSE NULL",
    builtins="count strlen strpos str_replace explode implode printf sprintf var_dump in_array array_map array_merge",
    line=("//", "#"),
    block=C_COMMENTS,
    quotes="",
    long=('"', "'"),
    functions="function",
    types="class interface trait",
    special=(("m", r"<\?(?:php|=)?|\?>"), ("", r"\$[^\W\d]\w*+|->[^\W\d]\w*+")),
)
