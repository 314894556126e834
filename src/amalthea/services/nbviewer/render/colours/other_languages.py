"""Languages of kernels and shells that are no children of C."""

from __future__ import annotations

from amalthea.services.nbviewer.render.colours.lexical import C_COMMENTS, CHARACTER, MEMBER, Language

JULIA = Language(
    keywords="abstract baremodule begin break catch const continue do else elseif end export finally for "
    "function global if import in isa let local macro module mutable outer primitive quote return struct try "
    "using where while true false",
    builtins="nothing missing NaN Inf pi Int Int64 Int32 Float64 Float32 Bool String Char Array "
    "Vector Matrix Dict Set Tuple Any Number Real println print length size push! map filter zeros ones typeof "
    "collect range sum",
    line=("#",),
    block=(("#=", "=#"),),
    quotes="",
    long=('"""', '"', "`"),
    name=r"[^\W\d]\w*+(?:!(?!=))?+",
    functions="function macro",
    types="struct module",
    special=(
        ("d", r"@[^\W\d][\w.]*+"),
        CHARACTER,
        ("s", r"(?<![\w:)\]}\"'<]):[^\W\d]\w*+!?"),
        ("k", r"\b(?:abstract|primitive)[ ]type\b|\bmutable[ ]struct\b"),
    ),
)
R = Language(
    keywords="if else repeat while function for in next break return TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_",
    builtins="library require c list data.frame matrix print cat paste length names sum mean lapply sapply "
    "apply seq rep factor summary plot ggplot aes str head read.csv is.na which",
    line=("#",),
    quotes="",
    long=('"', "'"),
    name=r"\.?[^\W\d][\w.]*+",
    special=(("", r"`[^`\n]*+`?"), ("o", r"%[^%\s]{0,10}%|<<?-|->>?|[$:]")),
)
RUBY = Language(
    keywords="BEGIN END alias and begin break case class def defined? do else elsif end ensure false for if in "
    "module next nil not or redo rescue retry return self super then true undef unless until when while yield",
    builtins="puts print p require require_relative include extend attr_accessor attr_reader attr_writer raise "
    "lambda proc Array Hash String Integer Float",
    line=("#",),
    name=r"[@$]{0,2}[^\W\d]\w*+[?!]?+(?!=)|[^\W\d]\w*+",
    block=(("=begin", "=end"),),
    functions="def",
    types="class module",
    special=(
        ("s", r"(?<![\w:]):(?:[^\W\d]\w*+[?!=]?|\"[^\"\n]*+\"?)|(?<![\w:?])[^\W\d]\w*+:(?![:\w])"),
        ("s", r"%[qQwWiI](?:\([^)]*+\)?|\[[^\]]*+\]?|\{[^}]*+\}?)"),
        ("s", r"(?<=[=(,~])[ ]?/(?![ ])(?:[^/\\\n]|\\[^\n]){1,300}/[imxo]{0,4}"),
        ("", r"(?<=\w)\.[^\W\d]\w*+[?!]?"),
    ),
)
SHELL = Language(
    keywords="if then else elif fi case esac for while until do done in function select time return exit break "
    "continue",
    builtins="echo cd pwd export source alias read set unset local declare test eval exec trap shift printf ls "
    "cat grep sed awk mkdir rm cp mv chmod curl wget git pip conda python sudo apt",
    special=(("c", r"(?<![^\s;&|(])\#[^\n]*+"), ("", r"\$(?:\{[^}\n]*+\}?|\w++|[@*\#?$!-])"), ("", r"[-/.][\w./\-]++")),
    quotes="",
    long=('"', "'"),
)
SQL = Language(
    keywords="select from where and or not in is null as on join left right inner outer full cross group by "
    "order having limit offset insert into values update set delete create table view index drop alter add "
    "column primary key foreign references distinct union all exists between like case when then else end with "
    "asc desc default constraint if begin commit rollback over partition int integer varchar char top use using "
    "true false natural any some explain analyze replace temporary view trigger procedure function return returns",
    builtins="count sum avg min max coalesce cast substr round abs text date "
    "timestamp float real boolean numeric decimal",
    line=("--",),
    block=C_COMMENTS,
    any_case=True,
)
FSHARP = Language(
    keywords="abstract and as assert base begin class default delegate do done downcast downto elif else end exception "
    "extern false finally fixed for fun function global if in inherit inline interface internal lazy let match member "
    "module mutable namespace new not null of open or override private public rec return sig static struct then to "
    "true try type upcast use val void when while with yield async seq",
    builtins="int float string bool unit list option Some None printfn printf sprintf failwith ignore id fst snd List "
    "Seq Array Map Set String",
    line=("//",),
    block=(("(*", "*)"),),
    quotes='"',
    long=('"""',),
    name=r"\#?[^\W\d]\w*+'*+",
    special=(CHARACTER, MEMBER),
)
POWERSHELL = Language(
    keywords="begin break catch class continue data do dynamicparam else elseif end enum exit filter finally "
    "for foreach from function hidden if in param process return static switch throw trap try until using while",
    builtins="Write-Host Write-Output Get-ChildItem Get-Content Get-Process Get-Command Get-Help Select-Object "
    "Where-Object ForEach-Object Sort-Object Import-Module",
    line=("#",),
    block=(("<#", "#>"),),
    name=r"[$\-]?[^\W\d][\w\-]*+",
    any_case=True,
)
OCTAVE = Language(
    keywords="break case catch continue do else elseif end end_try_catch endfor endfunction endif endwhile for "
    "function global if otherwise persistent return switch try until while classdef properties methods",
    builtins="true false pi Inf NaN zeros ones eye size length disp printf fprintf plot figure sum linspace",
    line=("%", "#"),
    quotes='"',
)
HASKELL = Language(
    keywords="case class data default deriving do else foreign if import in infix infixl infixr instance let "
    "module newtype of then type where forall qualified as hiding",
    builtins="True False Int Integer Double Float Bool Char String Maybe Just Nothing Either Left Right IO map "
    "filter foldr print putStrLn return show",
    line=("--",),
    block=(("{-", "-}"),),
    quotes='"',
)
LUA = Language(
    keywords="and break do else elseif end for function goto if in local not or repeat return then until while",
    builtins="true false nil print pairs ipairs require table string math type tostring tonumber",
    line=("--",),
    block=(("--[[", "]]"),),
)
PERL = Language(
    keywords="and cmp continue do else elsif eq for foreach ge given goto gt if last le local lt my ne next no not or "
    "our package redo require return sub unless until use when while x xor BEGIN END __END__ __DATA__",
    builtins="bless chomp chop chr close defined delete die each eof eval exists exit grep index join keys lc length "
    "map open ord pop print printf push ref reverse say scalar shift sort splice split sprintf substr uc undef unshift "
    "values wantarray warn",
    line=("#",),
    long=('"', "'"),
    quotes="",
    functions="sub",
    types="package",
    special=(
        ("", r"[$@%&][#$]?(?:[^\W\d][\w:]*+|\d++|[_!@/0&])|\{\w++\}|\w++(?=[ \t]{0,20}=>)"),
        ("s", r"\bq[qw]?(?:\([^)]*+\)?|\{[^}]*+\}?|\[[^\]]*+\]?)|<<[\"']?\w++[\"']?"),
        ("s", r"(?:\bm|(?<=[=(~])[ ]?)/(?:[^/\\\n]|\\[^\n]){1,300}/[gimsx]{0,5}"),
        ("s", r"\bs/(?:[^/\\\n]|\\[^\n]){0,300}/(?:[^/\\\n]|\\[^\n]){0,300}/[gimsxe]{0,6}"),
        ("c", r"^=\w(?s:.{0,20000}?)^=cut$"),
    ),
)
SAS = Language(
    keywords="array by class data datalines do else end if in input keep drop label length libname merge model output "
    "proc put quit rename retain run set then title to until var where while and or not options %let %macro %mend %if "
    "%then %else %do %end create table as select from group order left join on",
    builtins="sum mean min max substr trim print sort means freq sql import export reg glm univariate",
    block=(("/*", "*/"),),
    name=r"%?[^\W\d]\w*+",
    any_case=True,
    special=(("c", r"^[ \t]*+\*[^;]*+;?"),),
)
STATA = Language(
    keywords="by bysort capture clear do drop else egen end exit foreach forvalues gen generate global if in keep "
    "label let local merge noisily program qui quietly rename replace return save set sort tempvar use while",
    builtins="append browse collapse count describe display di encode graph histogram import insheet list logit mean "
    "predict regress reg reshape scatter sum summarize tabulate tab test tsset twoway xtset",
    line=("//",),
    block=C_COMMENTS,
    quotes='"',
    special=(("c", r"^[ \t]*+\*[^\n]*+"), ("e", r"`[^'\n]{1,60}'|\$\w++")),
)
