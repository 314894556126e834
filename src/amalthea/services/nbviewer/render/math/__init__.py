"""Math: the TeX in a notebook's text, as MathML made on the server.

formulas     finds formulas in text, so that Markdown leaves them alone
typesetting  a notebook's formulas as HTML, within its limits; what is not known here waits for the browser
macros       the commands that a notebook defines
mathml       one formula: `mathml(tex, display=) -> str | None`
tokens       TeX into tokens, in one pass
parser       tokens into MathML, by recursive descent; the rest are its tables:
atoms        tokens that always mean the same, from `symbols`, in the letters of `alphabets`, spaced by `kinds`
structures   fractions, roots, accents; `fences`: brackets; `words`: letters, text, colours; `chemistry`
tables       environments, numbered by `equations`
"""
