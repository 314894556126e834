"""The characters that TeX's commands stand for, by how they behave in a formula.

Each table is a text of pairs: the command without its backslash, and the character.
"""

from __future__ import annotations

from amalthea.services.nbviewer.render.words import words


def _pairs(text: str) -> dict[str, str]:
    found = text.split()
    return {f"\\{name}": sign for name, sign in zip(found[::2], found[1::2], strict=True)}


LETTERS = _pairs(  # slanted, and bold in a bold alphabet
    """
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ varkappa ϰ
    lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ
    chi χ psi ψ omega ω digamma ϝ partial ∂ imath ı jmath ȷ ell ℓ
    """
)
CAPITALS = _pairs(  # upright unless an alphabet says otherwise
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω nabla ∇ "
    "Alpha Α Beta Β Epsilon Ε Zeta Ζ Eta Η Iota Ι Kappa Κ Mu Μ Nu Ν Omicron Ο Rho Ρ Tau Τ Chi Χ"
)
SLANTED_CAPITALS = _pairs(
    "varGamma 𝛤 varDelta 𝛥 varTheta 𝛩 varLambda 𝛬 varXi 𝛯 varPi 𝛱 varSigma 𝛴 varUpsilon 𝛶 varPhi 𝛷 varPsi 𝛹 varOmega 𝛺"
)
ORDINARY = _pairs(
    """
    infty ∞ hbar ℏ hslash ℏ wp ℘ Re ℜ Im ℑ aleph ℵ beth ℶ gimel ℷ daleth ℸ emptyset ∅ varnothing ∅ forall ∀ exists ∃
    nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ measuredangle ∡ sphericalangle ∢ triangle △ square □ Box □ blacksquare ■
    lozenge ◊ Diamond ◊ blacklozenge ⧫ bigstar ★ clubsuit ♣ diamondsuit ♢ heartsuit ♡ spadesuit ♠ flat ♭ natural ♮
    sharp ♯ surd √ prime ′ backprime ‵ degree ° complement ∁ mho ℧ Finv Ⅎ Game ⅁ eth ð backslash \\ vert | Vert ‖ | ‖
    S § P ¶ dag † ddag ‡ copyright © circledR ® pounds £ yen ¥ euro € checkmark ✓ maltese ✠ triangledown ▽
    vartriangle △ blacktriangle ▲ blacktriangledown ▼ diagup ╱ diagdown ╲ % % # # $ $ _ _ AA Å aa å O Ø o ø ss ß ae æ
    AE Æ oe œ OE Œ infin ∞ empty ∅ exist ∃ N ℕ R ℝ Z ℤ Q ℚ C ℂ real ℜ image ℑ alef ℵ clubs ♣ hearts ♡ spades ♠
    diamonds ♢ sect § minuso ⦵ Bbbk 𝕜 circledS Ⓢ lq ‘ rq ’ lbrack [ rbrack ]
    """
)
BINARY = _pairs(
    """
    times × cdot ⋅ div ÷ ast ∗ star ⋆ circ ∘ bullet ∙ cap ∩ cup ∪ sqcap ⊓ sqcup ⊔ vee ∨ wedge ∧ lor ∨ land ∧ setminus ∖
    smallsetminus ∖ wr ≀ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ circledast ⊛ circledcirc ⊚ circleddash ⊝ dagger †
    ddagger ‡ amalg ⨿ uplus ⊎ diamond ⋄ bigtriangleup △ bigtriangledown ▽ triangleleft ◃ triangleright ▹ lhd ⊲ rhd ⊳
    unlhd ⊴ unrhd ⊵ bigcirc ◯ Cap ⋒ Cup ⋓ doublecap ⋒ doublecup ⋓ barwedge ⊼ veebar ⊻ doublebarwedge ⩞ curlywedge ⋏
    curlyvee ⋎ boxplus ⊞ boxminus ⊟ boxtimes ⊠ boxdot ⊡ ltimes ⋉ rtimes ⋊ leftthreetimes ⋋ rightthreetimes ⋌ dotplus ∔
    intercal ⊺ divideontimes ⋇ centerdot ⋅ gtrdot ⋗ lessdot ⋖ cdotp ⋅ And & plusmn ± sdot ⋅
    """
)
SIGNS = _pairs("pm ± mp ∓")  # before a number as well as between two
RELATIONS = _pairs(
    """
    lt < gt > le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ leqq ≦ geqq ≧ leqslant ⩽ geqslant ⩾ ll ≪ gg ≫ lll ⋘ ggg ⋙ llless ⋘
    gggtr ⋙ equiv ≡ sim ∼ simeq ≃ approx ≈ approxeq ≊ cong ≅ ncong ≇ propto ∝ varpropto ∝ in ∈ ni ∋ owns ∋ notin ∉
    notni ∌ isin ∈ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ nsubseteq ⊈ nsupseteq ⊉ subsetneq ⊊ supsetneq ⊋
    varsubsetneq ⊊ varsupsetneq ⊋ subseteqq ⫅ supseteqq ⫆ subsetneqq ⫋ supsetneqq ⫌ Subset ⋐ Supset ⋑
    sqsubset ⊏ sqsupset ⊐ sqsubseteq ⊑ sqsupseteq ⊒ sub ⊂ sube ⊆ supe ⊇ mid ∣ nmid ∤ shortmid ∣ nshortmid ∤
    parallel ∥ nparallel ∦ shortparallel ∥ nshortparallel ∦ perp ⊥ vdash ⊢ dashv ⊣
    models ⊨ vDash ⊨ Vdash ⊩ Vvdash ⊪ nvdash ⊬ nvDash ⊭ nVdash ⊮
    nVDash ⊯ prec ≺ succ ≻ preceq ⪯ succeq ⪰ preccurlyeq ≼ succcurlyeq ≽ nprec ⊀ nsucc ⊁ npreceq ⋠ nsucceq ⋡ precsim ≾
    succsim ≿ precapprox ⪷ succapprox ⪸ curlyeqprec ⋞ curlyeqsucc ⋟ asymp ≍ doteq ≐ Doteq ≑ doteqdot ≑ risingdotseq ≓
    fallingdotseq ≒ triangleq ≜ eqcirc ≖ circeq ≗ bumpeq ≏ Bumpeq ≎ backsim ∽ backsimeq ⋍ thicksim ∼ thickapprox ≈
    eqsim ≂ lesssim ≲ gtrsim ≳ lessgtr ≶ gtrless ≷ lesseqgtr ⋚ gtreqless ⋛ lesseqqgtr ⪋ gtreqqless ⪌ lessapprox ⪅
    gtrapprox ⪆ nless ≮ ngtr ≯ nleq ≰ ngeq ≱ nleqslant ≰ ngeqslant ≱ lneq ⪇ gneq ⪈ lneqq ≨ gneqq ≩ lnsim ⋦ gnsim ⋧
    eqslantless ⪕ eqslantgtr ⪖ nsim ≁ trianglelefteq ⊴ trianglerighteq ⊵ ntriangleleft ⋪ ntriangleright ⋫
    vartriangleleft ⊲ vartriangleright ⊳ blacktriangleleft ◀ blacktriangleright ▶ bowtie ⋈ Join ⋈ smile ⌣ frown ⌢
    smallsmile ⌣ smallfrown ⌢ between ≬ pitchfork ⋔ therefore ∴ because ∵ backepsilon ∍ coloneqq ≔ coloneq ≔ eqqcolon ≕
    Coloneqq ⩴ dblcolon ∷ vcentcolon ∶ ratio ∶ multimap ⊸ eqdef ≝
    """
)
ARROWS = _pairs(  # relations that would stretch if they were let
    """
    to → gets ← rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ longrightarrow ⟶
    longleftarrow ⟵ longleftrightarrow ⟷ Longrightarrow ⟹ Longleftarrow ⟸ Longleftrightarrow ⟺ implies ⟹ impliedby ⟸
    iff ⟺ mapsto ↦ longmapsto ⟼ hookrightarrow ↪ hookleftarrow ↩ uparrow ↑ downarrow ↓ updownarrow ↕ Uparrow ⇑
    Downarrow ⇓ Updownarrow ⇕ nearrow ↗ searrow ↘ swarrow ↙ nwarrow ↖ rightharpoonup ⇀ rightharpoondown ⇁
    leftharpoonup ↼ leftharpoondown ↽ upharpoonright ↾ upharpoonleft ↿ downharpoonright ⇂ downharpoonleft ⇃
    rightleftharpoons ⇌ leftrightharpoons ⇋ rightleftarrows ⇄ leftrightarrows ⇆ rightrightarrows ⇉ leftleftarrows ⇇
    upuparrows ⇈ downdownarrows ⇊ twoheadrightarrow ↠ twoheadleftarrow ↞ rightarrowtail ↣ leftarrowtail ↢ leadsto ⇝
    rightsquigarrow ⇝ leftrightsquigarrow ↭ dashrightarrow ⇢ dashleftarrow ⇠ circlearrowleft ↺ circlearrowright ↻
    curvearrowleft ↶ curvearrowright ↷ Lsh ↰ Rsh ↱ looparrowleft ↫ looparrowright ↬ nrightarrow ↛ nleftarrow ↚
    nRightarrow ⇏ nLeftarrow ⇍ nleftrightarrow ↮ nLeftrightarrow ⇎ Rrightarrow ⇛ Lleftarrow ⇚ rarr → larr ← harr ↔
    rArr ⇒ lArr ⇐ hArr ⇔ Rarr ⇒ Larr ⇐ lrarr ↔ restriction ↾
    """
)
SUMS = _pairs(  # limits above and below in display
    """
    sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ biguplus ⨄ bigsqcup ⨆
    """
)
INTEGRALS = _pairs(
    "int ∫ iint ∬ iiint ∭ iiiint ⨌ oint ∮ oiint ∯ oiiint ∰ intop ∫ smallint ∫ varointclockwise ∲ ointctrclockwise ∳"
)
OPENING = _pairs(
    "{ { lbrace { langle ⟨ lfloor ⌊ lceil ⌈ lvert | lVert ‖ lgroup ⟮ lmoustache ⎰ llbracket ⟦ ulcorner ⌜ llcorner ⌞ "
    "lang ⟨ lbrack ["
)
CLOSING = _pairs(
    "} } rbrace } rangle ⟩ rfloor ⌋ rceil ⌉ rvert | rVert ‖ rgroup ⟯ rmoustache ⎱ rrbracket ⟧ urcorner ⌝ lrcorner ⌟ "
    "rang ⟩ rbrack ]"
)
DOTS = _pairs("ldots … dots … dotso … dotsc … hellip … mathellipsis … cdots ⋯ dotsb ⋯ dotsm ⋯ dotsi ⋯ vdots ⋮ ddots ⋱")
FUNCTIONS = words(  # their scripts stand beside them
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch arsinh arcosh "
    "artanh exp log ln lg arg deg dim hom ker sgn tr Tr erf rank diag sen tg ctg cotg th sh ch cosec"
)
LIMITS = words("lim max min sup inf det gcd Pr argmax argmin")  # theirs below, in display
SPACED_LIMITS = {"\\limsup": "lim sup", "\\liminf": "lim inf", "\\injlim": "inj lim", "\\projlim": "proj lim"}
SPACES = {  # em
    "\\,": 0.1667, "\\thinspace": 0.1667, "\\:": 0.2222, "\\>": 0.2222, "\\medspace": 0.2222, "\\;": 0.2778,
    "\\thickspace": 0.2778, "\\enspace": 0.5, "\\enskip": 0.5, "\\quad": 1.0, "\\qquad": 2.0, "\\ ": 0.25,
    "\\\n": 0.25, "\\\t": 0.25, "~": 0.25, "\\nobreakspace": 0.25, "\\space": 0.25, "\\!": -0.1667,
    "\\negthinspace": -0.1667, "\\negmedspace": -0.2222, "\\negthickspace": -0.2778,
}  # fmt: skip
NOTHING = words(
    "\\displaylimits \\nobreak \\allowbreak \\noindent \\strut \\mathstrut \\relax \\null \\/ \\- \\hfill \\hfil "
    "\\break \\linebreak \\nolinebreak \\pagebreak \\goodbreak \\centering \\protect \\ensuremath "
    "\\newpage \\medskip \\smallskip \\bigskip \\hss \\vfill"
)
