"""Which language a name means, for the languages that kernels are mostly written for.

Names are those of kernels, fences and cell magics. A language that is not here is shown without colours.
"""

from __future__ import annotations

from amalthea.services.nbviewer.render.colours import curly_languages, data_languages, other_languages
from amalthea.services.nbviewer.render.words import words

_NAMES = {
    "c": curly_languages.C,
    "c++ cpp c++11 c++14 c++17 cuda": curly_languages.CPP,
    "javascript js typescript ts node nodejs jsx tsx": curly_languages.JAVASCRIPT,
    "java groovy processing dart": curly_languages.JAVA,
    "kotlin kt": curly_languages.KOTLIN,
    "julia jl": other_languages.JULIA,
    "r ir": other_languages.R,
    "ruby rb": other_languages.RUBY,
    "bash sh shell zsh console makefile dockerfile": other_languages.SHELL,
    "sql bigquery mysql postgresql sqlite pgsql": other_languages.SQL,
    "scala": curly_languages.SCALA,
    "c# csharp cs .net-csharp": curly_languages.CSHARP,
    "f# fsharp fs .net-fsharp": other_languages.FSHARP,
    "rust rs": curly_languages.RUST,
    "go golang": curly_languages.GO,
    "powershell pwsh ps1 .net-powershell": other_languages.POWERSHELL,
    "octave matlab": other_languages.OCTAVE,
    "haskell hs ihaskell": other_languages.HASKELL,
    "lua": other_languages.LUA,
    "json jsonc ipynb": data_languages.JSON,
    "yaml yml": data_languages.YAML,
    "toml ini cfg": data_languages.TOML,
    "html xml svg xhtml vue": data_languages.MARKUP,
    "latex tex": data_languages.LATEX,
    "perl pl": other_languages.PERL,
    "php": curly_languages.PHP,
    "sas": other_languages.SAS,
    "stata do ado": other_languages.STATA,
    "diff patch": data_languages.DIFF,
    "css scss": data_languages.CSS,
}
LANGUAGES = {name: language for names, language in _NAMES.items() for name in names.split()}
PYTHON = words("python python2 python3 py ipython ipython3 ipython2 sage sagemath cython mojo pycon xpython")
