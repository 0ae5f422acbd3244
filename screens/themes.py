"""The palettes. Each is whole by itself; none carries a meaning that a glyph and a word do not also say."""

from __future__ import annotations

from textual.theme import Theme

HARBOUR = Theme(
    name="harbour", dark=True,
    primary="#5ec8d8", secondary="#8aa4d6", accent="#ffb454", foreground="#d7dee9", background="#0e1420",
    surface="#141c2b", panel="#1b2537", success="#7fd88f", warning="#ffcb6b", error="#ff7a85",
    variables={"dim": "#8b9bb4", "faint": "#5f6f88", "border": "#35506b", "border-blurred": "#25354a", "footer-background": "#141c2b",
               "footer-key-foreground": "#ffb454", "block-cursor-background": "#24405c",
               "block-cursor-foreground": "#ffffff", "block-cursor-blurred-background": "#1b2f45"},
)  # fmt: skip
EMBER = Theme(
    name="ember", dark=True,
    primary="#f2a65a", secondary="#d98f7a", accent="#8fd3c1", foreground="#ecdfd2", background="#17110f",
    surface="#211816", panel="#2c201c", success="#a8cf7a", warning="#f5cf6b", error="#ff7b6b",
    variables={"dim": "#b39c8a", "faint": "#806c5e", "border": "#6b4a36", "border-blurred": "#45312a", "footer-background": "#211816",
               "footer-key-foreground": "#8fd3c1", "block-cursor-background": "#573726",
               "block-cursor-foreground": "#ffffff", "block-cursor-blurred-background": "#3a281f"},
)  # fmt: skip
PAPER = Theme(
    name="paper", dark=False,
    primary="#1f6f8b", secondary="#4a5d8f", accent="#a85400", foreground="#22282f", background="#f7f4ee",
    surface="#efeae0", panel="#e5dfd2", success="#2b7a3b", warning="#8a6100", error="#b3261e",
    variables={"dim": "#5b646d", "faint": "#868d92", "border": "#9db3bd", "border-blurred": "#cfc8b9", "footer-background": "#e5dfd2",
               "footer-key-foreground": "#a85400", "block-cursor-background": "#1f6f8b",
               "block-cursor-foreground": "#ffffff", "block-cursor-blurred-background": "#cddbe0",
               "block-cursor-blurred-foreground": "#22282f"},
)  # fmt: skip
CONTRAST = Theme(
    name="high-contrast", dark=True,
    primary="#ffff00", secondary="#ffffff", accent="#00ffff", foreground="#ffffff", background="#000000",
    surface="#000000", panel="#000000", success="#00ff5f", warning="#ffff00", error="#ff8080",
    variables={"dim": "#f0f0f0", "faint": "#d0d0d0", "border": "#ffffff", "border-blurred": "#bfbfbf", "footer-background": "#000000",
               "footer-foreground": "#ffffff", "footer-description-foreground": "#ffffff",
               "footer-key-foreground": "#ffff00", "block-cursor-background": "#ffff00",
               "block-cursor-foreground": "#000000", "block-cursor-blurred-background": "#3a3a00",
               "text-disabled": "#d0d0d0"},
)  # fmt: skip
AURORA = Theme(
    name="aurora", dark=True,
    primary="#a78bfa", secondary="#7dd3fc", accent="#6ee7b7", foreground="#e4e2f2", background="#12101f",
    surface="#1a172b", panel="#231f39", success="#6ee7b7", warning="#fcd34d", error="#fb8098",
    variables={"dim": "#a29fbd", "faint": "#6f6a90", "border": "#4b4180", "border-blurred": "#322c54", "footer-background": "#1a172b",
               "footer-key-foreground": "#6ee7b7", "block-cursor-background": "#40367a",
               "block-cursor-foreground": "#ffffff", "block-cursor-blurred-background": "#2c2653"},
)  # fmt: skip

THEMES = (HARBOUR, EMBER, AURORA, PAPER, CONTRAST)
"""In the order `^T` walks; the first is the default."""
